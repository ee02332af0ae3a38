//! The rules of periodic tasks, one by one, on a clock that stands still.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_types, clippy::unwrap_used)]

use ringbus::ManualClock;
use ringbus_host::{BoxError, Panicked, PeriodicTask, PeriodicTasks, Skip};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Notes which tasks ran, in order.
#[derive(Default)]
struct Log(Mutex<Vec<&'static str>>);

impl Log {
    fn note(&self, name: &'static str) {
        self.0.lock().unwrap().push(name);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Bench {
    clock: ManualClock,
    tasks: PeriodicTasks<Log>,
    log: Log,
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::new();
        Self {
            tasks: PeriodicTasks::new(Arc::new(clock.clone())),
            clock,
            log: Log::default(),
        }
    }

    fn add(&mut self, name: &'static str, change: impl Fn(PeriodicTask) -> PeriodicTask, s: i64) {
        let task = change(PeriodicTask::new(name, s));
        self.tasks.add(task, move |log: &Log| {
            log.note(name);
            Ok::<_, BoxError>(())
        });
    }

    fn pass(&self) -> (Vec<&'static str>, Duration) {
        let idle_for = self.tasks.run_periodic_tasks(&self.log, false).unwrap();
        (self.log.take(), idle_for)
    }

    fn after(&self, millis: u64) -> (Vec<&'static str>, Duration) {
        self.clock.advance(Duration::from_millis(millis));
        self.pass()
    }
}

fn same(task: PeriodicTask) -> PeriodicTask {
    task
}

fn at_once(task: PeriodicTask) -> PeriodicTask {
    task.run_immediately(true)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One test at a time: whether a place logs at all is settled for all threads, by whoever comes there first.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn without_tasks_a_pass_is_idle_for_a_minute() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(Bench::new().pass(), (vec![], MINUTE));
}

#[test]
fn spacing_0_runs_in_each_pass() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("each", same, 0);
    for _ in 0..3 {
        assert_eq!(bench.pass(), (vec!["each"], MINUTE));
    }
}

#[test]
fn spacing_n_is_due_n_after_the_last_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("ten", same, 10);
    assert_eq!(bench.pass(), (vec![], secs(10)));
    assert_eq!(bench.after(9_000), (vec![], secs(1)));
    assert_eq!(bench.after(3_000), (vec!["ten"], secs(10)), "2 s late");
    assert_eq!(bench.after(8_000), (vec![], secs(2)), "from when it ran");
    assert_eq!(bench.after(2_000), (vec!["ten"], secs(10)));
}

#[test]
fn a_task_that_is_nearly_due_runs_up_to_a_fifth_of_a_second_early() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("ten", same, 10);
    assert_eq!(
        bench.after(9_799),
        (vec![], Duration::from_millis(201)),
        "0.201 s early is too early"
    );
    assert_eq!(bench.after(1), (vec!["ten"], secs(10)));
}

#[test]
fn run_immediately_is_due_at_once_and_then_like_any_other() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("now", at_once, 10);
    bench.add("later", same, 10);
    assert_eq!(bench.pass(), (vec!["now"], secs(10)));
    assert_eq!(bench.after(10_000), (vec!["now", "later"], secs(10)));
}

#[test]
fn tasks_run_one_by_one_in_the_order_in_which_they_were_added() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    for name in ["c", "a", "b"] {
        bench.add(name, at_once, 5);
    }
    assert_eq!(bench.pass().0, ["c", "a", "b"]);
}

#[test]
fn idle_for_is_the_soonest_due_and_at_most_a_minute() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("hours", same, 7200);
    assert_eq!(bench.pass().1, MINUTE);
    bench.add("half", same, 30);
    bench.add("seven", same, 7);
    assert_eq!(bench.pass().1, secs(7));
    assert_eq!(bench.after(25_000), (vec!["seven"], secs(5)));
}

#[test]
fn the_last_run_is_set_before_the_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    let clock = bench.clock.clone();
    let task = PeriodicTask::new("long", 10).run_immediately(true);
    bench.tasks.add(task, move |log: &Log| {
        log.note("long");
        clock.advance(secs(4));
        Ok::<_, BoxError>(())
    });
    assert_eq!(bench.pass(), (vec!["long"], secs(6)));
    assert_eq!(bench.after(6_000), (vec!["long"], secs(6)));
}

#[test]
fn a_failed_run_is_a_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    let task = PeriodicTask::new("fails", 10).run_immediately(true);
    bench.tasks.add(task, |log: &Log| {
        log.note("fails");
        Err::<(), _>("no")
    });
    assert_eq!(bench.pass(), (vec!["fails"], secs(10)));
    assert_eq!(bench.after(1_000).0, Vec::<&str>::new());
}

fn add_failures(bench: &mut Bench) {
    let task = |name| PeriodicTask::new(name, 5).run_immediately(true);
    bench.tasks.add(task("fails"), |log: &Log| {
        log.note("fails");
        Err::<(), _>("no")
    });
    bench.tasks.add(task("panics"), |log: &Log| {
        log.note("panics");
        if true {
            panic!("inside");
        }
        Ok::<_, BoxError>(())
    });
    bench.add("healthy", at_once, 5);
}

#[test]
fn errors_and_panics_take_no_other_down() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    add_failures(&mut bench);
    let all = vec!["fails", "panics", "healthy"];
    assert_eq!(bench.pass(), (all.clone(), secs(5)));
    assert_eq!(bench.after(5_000), (all, secs(5)));
    let stats = bench.tasks.stats();
    let told = stats.iter().map(|task| (task.runs, task.failures));
    assert_eq!(told.collect::<Vec<_>>(), [(2, 2), (2, 2), (2, 0)]);
}

#[test]
fn told_to_raise_a_pass_ends_with_the_first_failure() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    add_failures(&mut bench);
    let raised = |bench: &Bench| {
        let failure = bench.tasks.run_periodic_tasks(&bench.log, true);
        (bench.log.take(), failure)
    };
    let (ran, failure) = raised(&bench);
    let failure = failure.unwrap_err();
    assert_eq!((ran, failure.task.as_str()), (vec!["fails"], "fails"));
    assert_eq!(failure.to_string(), "periodic task fails: no");
    // Its run was a run: the next pass goes on with the others.
    let (ran, failure) = raised(&bench);
    let failure = failure.unwrap_err();
    assert_eq!((ran, failure.task.as_str()), (vec!["panics"], "panics"));
    let panic = failure.source.downcast_ref::<Panicked>().unwrap();
    assert_eq!(panic.message, "inside");
    let (ran, idle_for) = raised(&bench);
    assert_eq!((ran, idle_for.unwrap()), (vec!["healthy"], secs(5)));
}

#[test]
fn a_slow_task_is_told_once_a_run_and_makes_no_other_miss_its_turn() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.tasks.slow_after(secs(3));
    for (name, takes) in [("quick", 2), ("slow", 3)] {
        let clock = bench.clock.clone();
        let task = PeriodicTask::new(name, 10).run_immediately(true);
        bench.tasks.add(task, move |log: &Log| {
            log.note(name);
            clock.advance(secs(takes));
            Ok::<_, BoxError>(())
        });
    }
    bench.add("last", at_once, 10);
    assert_eq!(bench.pass().0, ["quick", "slow", "last"]);
    assert_eq!(bench.after(10_000).0, ["quick", "slow", "last"]);
    let slow = bench.tasks.stats().into_iter().map(|task| task.slow);
    assert_eq!(slow.collect::<Vec<_>>(), [0, 2, 0]);
}

#[test]
fn a_task_that_runs_is_not_run_again_by_a_pass_of_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let tasks = Arc::new_cyclic(|this: &std::sync::Weak<PeriodicTasks<Log>>| {
        let mut tasks = PeriodicTasks::new(Arc::new(ManualClock::new()));
        let this = this.clone();
        tasks.add(PeriodicTask::new("outer", 0), move |log: &Log| {
            log.note("outer");
            let again = this
                .upgrade()
                .ok_or("gone")?
                .run_periodic_tasks(log, true)?;
            assert_eq!(again, MINUTE);
            Ok::<_, BoxError>(())
        });
        tasks.add(PeriodicTask::new("inner", 0), |log: &Log| {
            log.note("inner");
            Ok::<_, BoxError>(())
        });
        tasks
    });
    let log = Log::default();
    tasks.run_periodic_tasks(&log, true).unwrap();
    assert_eq!(log.take(), ["outer", "inner", "inner"]);
}

#[test]
fn each_instance_has_its_own_last_runs() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut one, mut other) = (Bench::new(), Bench::new());
    one.add("ten", same, 10);
    other.add("ten", same, 10);
    assert_eq!(one.after(10_000).0, ["ten"]);
    assert_eq!(other.pass(), (vec![], secs(10)));
    assert_eq!(other.after(10_000).0, ["ten"]);
}

#[test]
fn the_far_end_of_time_does_no_harm() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.add("never again", at_once, i64::MAX);
    let forever = PeriodicTask::new("forever", Duration::MAX);
    bench.tasks.add(forever, |log: &Log| {
        log.note("forever");
        Ok::<_, BoxError>(())
    });
    assert_eq!(bench.pass(), (vec!["never again"], MINUTE));
    bench.clock.advance(Duration::MAX);
    assert_eq!(bench.pass(), (vec![], MINUTE));
}

/// What was logged while `code` ran.
fn logged(code: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);
    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let text = Text::default();
    let writer = text.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, code);
    let bytes = text.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_is_not_to_run_is_skipped_and_logged() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    let text = logged(|| {
        bench.add("negative", at_once, -1);
        bench.add("disabled", |task| task.enabled(false), 0);
        bench.add("external", |task| task.external(true), 0);
        bench.add("usual", same, 0);
    });
    for line in [
        "skipping periodic task: its spacing is negative task=\"negative\"",
        "skipping periodic task: it is disabled task=\"disabled\"",
        "skipping periodic task: external tasks are not allowed here task=\"external\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(bench.after(100_000), (vec!["usual"], MINUTE));
    let stats = bench.tasks.stats();
    let skips: Vec<_> = stats.iter().map(|task| task.skipped).collect();
    let skipped = [Skip::NegativeSpacing, Skip::Disabled, Skip::External].map(Some);
    assert_eq!(skips, [&[None], &skipped[..]].concat());
}

#[test]
fn an_external_task_runs_where_it_is_allowed() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    bench.tasks.allow_external(true);
    bench.add("external", |task| task.external(true), 0);
    assert_eq!(bench.pass().0, ["external"]);
}

#[test]
fn failures_and_slow_tasks_are_logged() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = Bench::new();
    add_failures(&mut bench);
    bench.tasks.slow_after(Duration::ZERO);
    let text = logged(|| drop(bench.pass()));
    for line in [
        "periodic task failed: no task=\"fails\"",
        "periodic task failed: panicked: inside task=\"panics\"",
        "periodic task is slow task=\"healthy\" took=0ns",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
