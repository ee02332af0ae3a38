//! Throughput of an exclusive publisher: one by one and in batches, by size of the ring.

use ringbus::ExclusivePublisher;
use ringbus_benches::payload::Word;
use ringbus_benches::rig::throughput;

ringbus_benches::bench!(throughput::<ExclusivePublisher<Word>>());
