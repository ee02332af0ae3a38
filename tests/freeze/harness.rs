//! Freezes the threads of a bus one after the other, and sees that all the others go on.

use crate::bus::{Bus, CAPACITY, How};
use crate::event::{Body, Census, Seen};
use crate::report::{Report, Stuck};
use crate::role::{Kind, Phase, Role, Scene};
use crate::signal::{self, Frozen};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What to do with a thread that is frozen inside of the allocator, which has locks of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InAllocator {
    Release,
    /// Keeps it so for a moment, and counts whether that stops somebody.
    Stand,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) publishers: usize,
    pub(crate) freezes: u64,
    /// It ends earlier after so long, if everybody was frozen a few times by then.
    pub(crate) budget: Option<Duration>,
    /// Who has not moved for so long is stuck.
    pub(crate) patience: Duration,
    pub(crate) in_allocator: InAllocator,
}

/// How often everybody is frozen at least.
const LEAST: u64 = 8;
/// What everybody else does during a freeze: events; joins, and turns.
const EVENTS: u64 = 24;
const ROUNDS: u64 = 1;
/// Every so many freezes of a thread one lasts for more than a lap.
const OFTEN: u64 = 4;
const LAP: u64 = CAPACITY / 4 * 5;
/// How long a freeze inside of the allocator stands.
const MOMENT: Duration = Duration::from_millis(30);

/// Runs the threads of a bus and freezes them, as planned. Who holds up whom is an error; what is lost is a panic.
pub(crate) fn run<T: Bus<B>, B: Body>(
    plan: Plan,
    make: impl FnOnce(&Arc<Role>) -> T,
) -> Result<Report, Stuck> {
    let mut cast = Cast::start(plan, make);
    let result = cast.freeze_all();
    let (mut report, figures) = cast.end(&result);
    report.figures = figures;
    result.map(|()| report)
}

/// The threads of a run.
struct Cast<T> {
    plan: Plan,
    bus: Arc<T>,
    scene: Arc<Scene>,
    roles: Vec<Arc<Role>>,
    publishers: Vec<JoinHandle<()>>,
    readers: Vec<JoinHandle<Seen>>,
    /// What each role is to reach, and by which of its counters.
    marks: Vec<u64>,
    report: Report,
}

impl<T> Cast<T> {
    fn start<B: Body>(plan: Plan, make: impl FnOnce(&Arc<Role>) -> T) -> Self
    where
        T: Bus<B>,
    {
        let worker = Role::new(Kind::Worker, "worker");
        let bus = Arc::new(make(&worker));
        let joiner = Role::new(Kind::Joiner, "joiner");
        let scene = Arc::new(Scene {
            publishers: (0..plan.publishers)
                .map(|id| Role::new(Kind::Publisher, format!("publisher {id}")))
                .collect(),
            readers: vec![
                Role::new(Kind::Spinning, "spinning"),
                Role::new(Kind::Parked, "parked"),
                Role::new(Kind::Borrowing, "borrowing"),
            ],
            tickets: AtomicU64::new(0),
            census: Box::leak(Box::<Census>::default()),
            last: AtomicUsize::new(usize::MAX),
            over: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        });
        let readers = scene.readers.iter().map(|role| {
            let how = if role.kind == Kind::Parked {
                How::Park
            } else {
                How::Spin
            };
            let subscriber = bus.subscribe(how).expect("open");
            let (scene, role) = (Arc::clone(&scene), Arc::clone(role));
            thread::spawn(move || scene.read(&role, subscriber))
        });
        let readers = readers.collect();
        let mut publishers: Vec<_> = (0..plan.publishers)
            .map(|id| {
                let (scene, publisher) = (Arc::clone(&scene), bus.publisher());
                thread::spawn(move || scene.publish(id, publisher))
            })
            .collect();
        publishers.push({
            let (scene, role, bus) = (Arc::clone(&scene), Arc::clone(&joiner), Arc::clone(&bus));
            thread::spawn(move || scene.come_and_go(&role, &*bus))
        });
        let mut roles = scene.publishers.clone();
        roles.extend(scene.readers.iter().cloned());
        roles.push(joiner);
        if T::HAS_WORKER {
            roles.push(worker);
        }
        Cast {
            plan,
            bus,
            marks: vec![0; roles.len()],
            report: Report::new(plan.name, &roles),
            scene,
            roles,
            publishers,
            readers,
        }
    }

    /// Round by round, until there were enough.
    fn freeze_all(&mut self) -> Result<(), Stuck> {
        let began = Instant::now();
        self.await_all_started();
        let mut random = fastrand::Rng::with_seed(1);
        let mut round = 0;
        while self.report.freezes() < self.plan.freezes {
            let in_time = |budget: Duration| began.elapsed() < budget;
            if !self.plan.budget.is_none_or(in_time) && self.report.least() >= LEAST {
                break;
            }
            for target in 0..self.roles.len() {
                // At any distance from where the last freeze left it.
                thread::sleep(Duration::from_micros(random.u64(..200)));
                self.freeze_one(target, round)?;
            }
            round += 1;
        }
        self.report.took = began.elapsed();
        Ok(())
    }

    fn await_all_started(&self) {
        self.wait("every role started", || {
            self.roles
                .iter()
                .all(|role| role.thread() != 0 && role.events() > 0)
        });
    }

    /// Gives the others time, within what is patient.
    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() && !self.has_failed() {
            assert!(began.elapsed() < self.plan.patience, "in vain: {what}");
            thread::sleep(Duration::from_micros(100));
        }
    }

    fn has_failed(&self) -> bool {
        self.scene.failed.load(Ordering::Acquire)
    }

    /// Freezes one thread until every other has moved.
    fn freeze_one(&mut self, target: usize, round: u64) -> Result<(), Stuck> {
        let role = Arc::clone(&self.roles[target]);
        let nth = self.report.attempts() + 1;
        role.excuse(nth);
        let frozen = signal::freeze(role.thread(), self.plan.patience);
        // From here on until the thaw nothing is allocated: the frozen thread may hold a lock of the allocator.
        let Some(frozen) = frozen else {
            assert!(self.has_failed(), "{} cannot be frozen", role.name);
            return Ok(());
        };
        let phase = role.phase();
        if frozen.0.in_allocator && self.plan.in_allocator == InAllocator::Release {
            drop(frozen);
            role.recover(nth);
            self.report.released += 1;
            return Ok(());
        }
        let told = role.told();
        // The only publisher's readers have nothing to read: they are to look for it.
        let starved = role.kind == Kind::Publisher && self.plan.publishers == 1;
        let until = self.mark_all(round % OFTEN == 1 && !starved, starved);
        let ended = self.watch(target, &frozen, until, starved);
        // As things are now, as thawing sets them right.
        for (mark, role) in self.marks.iter_mut().zip(&self.roles) {
            *mark = mark.saturating_sub(Self::count(role, starved));
        }
        let place = frozen.0;
        drop(frozen);
        role.recover(nth);
        self.report.add(target, phase, place, until.is_some());
        match ended {
            Ended::AllMoved => {
                if until.is_some() && role.is_reader() {
                    // It was lapped, and is to learn of it.
                    self.wait("who was lapped is told", || role.told() > told);
                    self.report.lapped += 1;
                    self.report.lapped_borrowing += u64::from(phase == Phase::Borrowing);
                }
                Ok(())
            }
            Ended::Moment => {
                self.report.held_up += 1;
                Ok(())
            }
            Ended::Failed => Ok(()),
            Ended::Stuck => Err(Stuck {
                frozen: role.name.clone(),
                phase,
                place,
                still: self.who_is_still(target),
            }),
        }
    }

    /// Who has not reached its mark.
    fn who_is_still(&self, target: usize) -> Vec<String> {
        let still = |at: &usize| *at != target && self.marks[*at] > 0;
        let mut still: Vec<_> = (0..self.roles.len())
            .filter(still)
            .map(|at| self.roles[at].name.clone())
            .collect();
        if still.is_empty() {
            still.push("all publishers together, over a lap".into());
        }
        still
    }

    /// Sets what each role is to reach, and gives what the tickets are, if it is to be a long freeze.
    fn mark_all(&mut self, long: bool, starved: bool) -> Option<u64> {
        for (mark, role) in self.marks.iter_mut().zip(&self.roles) {
            let quota = match role.kind {
                Kind::Joiner | Kind::Worker => ROUNDS,
                _ if starved => ROUNDS,
                _ => EVENTS,
            };
            *mark = Self::count(role, starved) + quota;
        }
        let tickets = self.scene.tickets.load(Ordering::Relaxed);
        long.then_some(tickets + LAP)
    }

    fn count(role: &Role, starved: bool) -> u64 {
        if starved && role.is_reader() {
            role.calls()
        } else {
            role.events()
        }
    }

    fn watch(&self, target: usize, frozen: &Frozen, until: Option<u64>, starved: bool) -> Ended {
        let began = Instant::now();
        loop {
            let moved = |at: usize| Self::count(&self.roles[at], starved) >= self.marks[at];
            let tickets = self.scene.tickets.load(Ordering::Relaxed);
            let all = (0..self.roles.len()).all(|at| at == target || moved(at));
            if all && until.is_none_or(|until| tickets >= until) {
                return Ended::AllMoved;
            }
            if self.has_failed() {
                return Ended::Failed;
            }
            if frozen.0.in_allocator && began.elapsed() > MOMENT {
                return Ended::Moment;
            }
            if began.elapsed() > self.plan.patience {
                // The frozen thread is not in the allocator, or this would have ended before.
                eprintln!("tickets {tickets}, until {until:?}, {:#?}", self.roles);
                return Ended::Stuck;
            }
            thread::sleep(Duration::from_micros(20));
        }
    }

    /// Ends everything, and counts up: nobody lost anything, and everything was dropped once.
    fn end<B: Body>(self, result: &Result<(), Stuck>) -> (Report, String)
    where
        T: Bus<B>,
    {
        let Cast {
            plan, bus, scene, ..
        } = self;
        let began = Instant::now();
        let in_time = || began.elapsed() < plan.patience;
        scene.over.store(true, Ordering::Release);
        join(self.publishers, in_time, result);
        bus.close();
        let seen = join(self.readers, in_time, result);
        let figures = bus.figures();
        drop(bus);
        let accepted: Vec<u64> = scene.publishers.iter().map(|role| role.events()).collect();
        for (seen, role) in seen.into_iter().zip(&scene.readers) {
            seen.expect_all(&accepted);
            assert_eq!(role.told_healthy(), 0, "{} dropped unfrozen", role.name);
        }
        scene.census.expect_all_dropped(in_time);
        (self.report, figures)
    }
}

/// What the threads return; a panic of theirs goes on here.
fn join<R>(
    threads: Vec<JoinHandle<R>>,
    in_time: impl Fn() -> bool,
    result: &Result<(), Stuck>,
) -> Vec<R> {
    while !threads.iter().all(JoinHandle::is_finished) && in_time() {
        thread::sleep(Duration::from_millis(1));
    }
    let mut returned = Vec::new();
    for thread in threads {
        assert!(thread.is_finished(), "a thread does not end; {result:?}");
        match thread.join() {
            Ok(value) => returned.push(value),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    returned
}

/// How a freeze ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    AllMoved,
    /// Inside of the allocator, with somebody still.
    Moment,
    /// A role has panicked.
    Failed,
    Stuck,
}
