//! A scenario, and the `main` that hands a file's scenarios to criterion.
//!
//! Criterion is a dev-dependency, and this library knows nothing of it: only [`bench!`](crate::bench), in the benches, does.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long the work takes, so many times over.
type Run = Box<dyn FnMut(u64) -> Duration>;

/// Something to measure.
pub struct Scenario {
    /// What it is compared with goes by the same group.
    pub group: String,
    /// Unique in its group.
    pub name: String,
    /// What criterion's `iter_custom` takes. It sets up anew each time, and panics if what it did was not what it meant to.
    pub run: Run,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scenario({}/{})", self.group, self.name)
    }
}

impl Scenario {
    /// One of a group.
    pub fn new(
        group: impl Display,
        name: impl Display,
        run: impl FnMut(u64) -> Duration + 'static,
    ) -> Self {
        Scenario {
            group: group.to_string(),
            name: name.to_string(),
            run: Box::new(run),
        }
    }
}

/// How long it takes to do something so many times; it is told how often it was done before.
#[inline(always)]
pub fn time(times: u64, mut once: impl FnMut(u64)) -> Duration {
    let start = Instant::now();
    (0..times).for_each(&mut once);
    start.elapsed()
}

/// The `main` of a bench, from an iterator of [`Scenario`](crate::scenario::Scenario)s.
///
/// The times are short: there are a hundred scenarios, and all of them should be over in a few minutes.
#[macro_export]
macro_rules! bench {
    ($scenarios:expr) => {
        fn under_criterion(criterion: &mut ::criterion::Criterion) {
            for mut scenario in $scenarios {
                criterion
                    .benchmark_group(scenario.group)
                    .throughput(::criterion::Throughput::Elements(1))
                    .bench_function(scenario.name, |bencher| {
                        bencher.iter_custom(&mut scenario.run);
                    });
            }
        }

        ::criterion::criterion_group! {
            name = benches;
            config = ::criterion::Criterion::default()
                .sample_size(30)
                .nresamples(10_000)
                .warm_up_time(::std::time::Duration::from_millis(300))
                .measurement_time(::std::time::Duration::from_millis(1200));
            targets = under_criterion
        }
        ::criterion::criterion_main!(benches);
    };
}
