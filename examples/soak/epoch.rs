//! One epoch: a bus, its guests, its end, and the balance of the books.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use ringbus::{Bus, Drive};

use crate::counts::COUNTS;
use crate::dice::Dice;
use crate::keep::keep;
use crate::payload::{self, Bare, Heap, Payload, Plain};
use crate::pen::{Ending, Pen, check_stop};
use crate::place::{Hour, Place, Station, Told};
use crate::plan::{Kind, Plan};
use crate::publish::{Stint, end_exclusively, last_event};
use crate::pulse::phase;
use crate::subscribe::visit;
use crate::violation;

/// How long what the bus leaves to its threads may take.
const SETTLING: Duration = Duration::from_secs(10);

/// Runs an epoch to its end, or until it is `over`.
pub fn run(mut dice: Dice, over: &AtomicBool) {
    let plan = Plan::draw(&mut dice);
    match plan.kind {
        Kind::Bare => run_with::<Bare>(&plan, dice, over),
        Kind::Plain => run_with::<Plain>(&plan, dice, over),
        Kind::Heap => run_with::<Heap>(&plan, dice, over),
    }
    phase("values are dropped");
    if !settles(|| payload::live() == 0) {
        violation::record(format_args!(
            "{} values live after everything was dropped",
            payload::live()
        ));
        payload::forget();
    }
}

fn run_with<E: Payload>(plan: &Plan, mut dice: Dice, over: &AtomicBool) {
    phase("a bus is built");
    let told = Arc::<Told>::default();
    let hears = Arc::clone(&told);
    let builder = plan
        .build(Bus::<E>::builder())
        .on_evict(move |notice| hears.hear(notice));
    let built = match plan.exclusive {
        true => builder
            .build_exclusive()
            .map(|(pen, bus)| (Some(Pen::Exclusive(pen)), Station::Exclusive(bus))),
        false => builder.build().map(|bus| (None, Station::Shared(bus))),
    };
    let (pen, station) = match built {
        Ok(built) => built,
        Err(error) => return violation::record(format_args!("no bus: {error}")),
    };
    let place = Arc::new(Place::new(station, told));
    thread::scope(|scope| {
        for _ in 0..plan.subscribers {
            let (place, dice) = (&place, dice.fork());
            scope.spawn(move || visit(place, plan, dice));
        }
        for _ in 0..plan.keepers {
            let (place, dice) = (&place, dice.fork());
            scope.spawn(move || keep(place, plan, dice));
        }
        let conductor = Conductor {
            scope,
            plan,
            place: &place,
            meddling: dice.fork(),
            dice,
            stints: Vec::new(),
        };
        conductor.conduct(pen, over);
    });
    balance(plan, &place);
}

/// Nobody is there any more.
fn balance<E: Payload>(plan: &Plan, place: &Place<E>) {
    phase("the books are balanced");
    if !settles(|| place.handlers.load(SeqCst) == 0) {
        violation::record("handlers live after the end of their bus");
    }
    // A publisher that an abrupt end met between two rings may have reached one of them only.
    let tolerance = u64::from(plan.workers > 1 && plan.abrupt);
    place.ledger.balance(tolerance);
    let learned = place.learned.load(SeqCst);
    if !settles(|| place.told.notices() >= learned) {
        violation::record(format_args!(
            "subscribers learned of {learned} drops, and the host was told of {}",
            place.told.notices()
        ));
    }
}

fn settles(done: impl Fn() -> bool) -> bool {
    let since = Instant::now();
    while !done() {
        if since.elapsed() > SETTLING {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Sends publishers, unsubscribes guests, stops and starts the bus; ends it.
struct Conductor<'scope, 'env, E: Payload> {
    scope: &'scope Scope<'scope, 'env>,
    plan: &'env Plan,
    place: &'env Arc<Place<E>>,
    /// For the publishers and the end; how often there is time to meddle is the scheduler's choice.
    dice: Dice,
    meddling: Dice,
    stints: Vec<ScopedJoinHandle<'scope, Pen<E>>>,
}

impl<E: Payload> Conductor<'_, '_, E> {
    fn conduct(mut self, mut exclusive: Option<Pen<E>>, over: &AtomicBool) {
        phase("publishers are at work");
        let began = Instant::now();
        let mut restarts = self.plan.restarts.iter().peekable();
        let mut turns = began;
        while began.elapsed() < self.plan.length && !over.load(SeqCst) {
            if restarts.next_if(|at| began.elapsed() >= **at).is_some() {
                self.restart();
            }
            self.send_publishers(&mut exclusive);
            if turns.elapsed() > self.plan.max_nap / 2 {
                turns = Instant::now();
                self.meddle();
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.end(exclusive);
    }

    /// As many as the plan wants, each for a stint; the exclusive one goes on where it was.
    fn send_publishers(&mut self, exclusive: &mut Option<Pen<E>>) {
        let (gone, stints) = self
            .stints
            .drain(..)
            .partition(ScopedJoinHandle::is_finished);
        self.stints = stints;
        self.collect(gone, exclusive);
        if self.stints.len() == self.plan.publishers {
            return;
        }
        let Some(pen) = exclusive.take().or_else(|| self.new_pen()) else {
            return;
        };
        let Some(publisher) = self.place.ledger.open() else {
            // The exclusive one would be lost; there are pages enough for a whole epoch.
            *exclusive = Some(pen).filter(|pen| matches!(pen, Pen::Exclusive(_)));
            return;
        };
        let stint = Stint {
            pen,
            publisher,
            rude: self.dice.percent(self.plan.rude),
            length: self.dice.micros(20_000..1_000_000),
            dice: self.dice.fork(),
        };
        let place = self.place;
        self.stints
            .push(self.scope.spawn(move || stint.work(place)));
    }

    fn new_pen(&self) -> Option<Pen<E>> {
        match self.place.station()? {
            Station::Shared(bus) => Some(Pen::Shared(bus.publisher())),
            Station::Exclusive(_) => None,
        }
    }

    fn collect(&self, gone: Vec<ScopedJoinHandle<'_, Pen<E>>>, exclusive: &mut Option<Pen<E>>) {
        for stint in gone {
            // The panic of one that did not return was told by the hook.
            if let Ok(pen @ Pen::Exclusive(_)) = stint.join() {
                *exclusive = Some(pen);
            }
        }
    }

    /// What a host does now and then.
    fn meddle(&mut self) {
        let Some(station) = self.place.station() else {
            return;
        };
        if self.plan.drive == Drive::Manual {
            station.turn();
        }
        if self.meddling.percent(2)
            && let Some(id) = self
                .place
                .guest(|guests| self.meddling.below(guests as u64) as usize)
        {
            station.unsubscribe(id);
        }
        if self.meddling.percent(2) {
            let stats = station.stats();
            let frozen =
                |worker: &ringbus::WorkerStats| worker.pinned_slots > worker.capacity as u64;
            if stats.workers.iter().any(frozen) {
                violation::record(format_args!(
                    "more slots are pinned than there are: {stats:?}"
                ));
            }
        }
    }

    /// Publishers live on, and find the new workers.
    fn restart(&mut self) {
        let Some(Station::Shared(bus)) = self.place.station() else {
            return;
        };
        phase("the bus is stopped and started");
        self.place.ledger.stopping();
        check_stop(&bus.stop());
        match bus.start() {
            Ok(()) => self.place.ledger.started(),
            Err(error) => violation::record(format_args!("no start after a stop: {error}")),
        }
        COUNTS.restarts.add(1);
        phase("publishers are at work");
    }

    fn end(mut self, mut exclusive: Option<Pen<E>>) {
        phase("the bus comes to its end");
        self.place.strike(Hour::Late);
        let waits = self.plan.exclusive || !self.plan.abrupt || self.plan.ending == Ending::Drop;
        if waits {
            self.place.strike(Hour::Over);
            let stints = std::mem::take(&mut self.stints);
            self.collect(stints, &mut exclusive);
        }
        self.place.ledger.stopping();
        // From here on nobody finds the bus: where it ends by its last handle, that is this one.
        let station = self.place.take_station();
        let place = self.place;
        let dice = &mut self.dice;
        match (station, exclusive) {
            (Some(Station::Shared(bus)), _) => match self.plan.ending {
                Ending::Stop => check_stop(&bus.stop()),
                Ending::Shutdown => last_event(place, dice, |event| {
                    let report = bus.shutdown(event);
                    check_stop(&report);
                    report.last_accepted
                }),
                Ending::Close => bus.close(),
                Ending::Drop => drop(bus),
            },
            (_, Some(pen)) => end_exclusively(pen, self.plan.ending, place, dice),
            _ => violation::record("the exclusive publisher is lost"),
        }
        let stints = std::mem::take(&mut self.stints);
        self.collect(stints, &mut None);
        place.strike(Hour::Over);
    }
}
