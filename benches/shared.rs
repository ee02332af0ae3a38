//! Throughput of a shared publisher that is alone: one by one and in batches, by size of the ring.

use ringbus::Publisher;
use ringbus_benches::payload::Word;
use ringbus_benches::rig::throughput;

ringbus_benches::bench!(throughput::<Publisher<Word>>());
