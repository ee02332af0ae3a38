//! What the report says in words.

pub const INTRODUCTION: &str = "\
Written by `cargo xtask compare`; the samples are in `benchmarks/default.json` and `benchmarks/native.json`.

How it was measured:

- Each scenario's candidates run in turns, in an order that is shuffled anew for every round. A ratio is taken within a
  round, then the median and the middle half of all rounds are given. Ratios are *ours / theirs*.
- In every run everything is built anew: the ring, the threads, their pins. After a warm-up of a lap or more the
  threads halt. The clock starts at the first measured publish and stops when the last subscriber has read the last
  event. Nothing else is shared between the threads meanwhile.
- Each subscriber reads every word of every event, and checks that it is whole and comes in order. A loss ends the
  comparison, unless the library is one that may lose events: then losses are counted, and only what arrived counts.
- On both sides an event's number passes through a register that the compiler cannot see into. Otherwise it would make
  or check several events in one instruction, where a library lets it; events that come from the world and go to a
  handler are not handled so.
- *(again)* is the same candidate under another name: how far its ratio is from 1 is what noise can do.
- Each thread is pinned, and looks at the start and the end of a run where it is. If it is elsewhere, there is no
  report. How often the system took its core away is in the column *preempted*; where threads share a core and yield,
  each change from one to the other counts.
- The peers make a publisher wait for the slowest subscriber. So ringbus is measured with `try_report`, which waits
  nowhere but is tried again while the ring is full. Its `report` would drop the subscriber instead.
- Every peer is used in the fastest way that its own documentation recommends and that fits. `disruptor` comes twice:
  with a thread of its own, which spins bare, and with a poller, which pauses for one hint whenever there is nothing to
  read, as all other candidates do.
- Making an event and checking it costs everybody the same: *the harness* below says how much.

What not to conclude:

- Absolute figures are this machine's. It is a small virtual one, whose cores are sometimes in one cache domain and
  sometimes not: the time that a flag takes from core to core, given with each scenario, tells which. Compare ratios.
- One publisher that does nothing else and subscribers that do nothing else are the extreme case. With work on either
  side the differences shrink.
- A queue from one to one (`rtrb`, `crossbeam-channel`) does less than a broadcast. It is shown as a bound.
- Throughput at a full ring says nothing of latency, nor of what a slow subscriber does to the others.
";
