//! Which candidates meet over which work, and what is to be reached.

use ::ringbus::SlotLayout::{Dense, InLine};
use ringbus_benches::payload::{Event48, Event200, Message, Payload, Word};

use super::candidates::disruptor_threads::Threads;
use super::candidates::photon_ring::Plain;
use super::candidates::{
    async_broadcast, bus, crossbeam, disruptor, disruptor_threads, photon_ring, ringbus, rtrb,
    tokio,
};
use super::contest::{Contest, Entrant};
use super::driver::Plan;
use super::work::Work;
use crate::place::Cores;
use crate::record::Bound::AtLeast;
use crate::record::Unit;

const EXCLUSIVE: &str = "throughput, exclusive, one by one";
const BATCHES: &str = "throughput, exclusive, batches";
const SHARED: &str = "throughput, shared";
const FAN_OUT: &str = "throughput, fan-out";

const DISRUPTOR: &str = "disruptor, polled";
const DISRUPTOR_THREAD: &str = "disruptor, its own thread";
const DISRUPTORS: &[&str] = &[DISRUPTOR, DISRUPTOR_THREAD];
const PHOTON: &str = "photon-ring, bounded channel";
const PHOTON_EVENTS: &str = "photon-ring, event channel";
const TOKIO: &str = "tokio broadcast";
const BUS: &str = "bus";
const ASYNC_BROADCAST: &str = "async-broadcast";

pub fn all(cores: Cores) -> Vec<Contest> {
    let of = |capacity, batch| Work {
        capacity,
        batch,
        subscribers: 1,
        cores,
    };
    let mut contests = vec![
        exclusive_plain::<Word>(of(1024, 1)).target(DISRUPTORS, AtLeast(1.0)),
        exclusive_plain::<Word>(of(8192, 1)).target(DISRUPTORS, AtLeast(1.4)),
        exclusive_plain::<Word>(of(65536, 1)),
        exclusive_plain::<Event48>(of(1024, 1)).target(DISRUPTORS, AtLeast(1.1)),
        exclusive_plain::<Event48>(of(8192, 1))
            .target(DISRUPTORS, AtLeast(1.1))
            .target(&[PHOTON], AtLeast(1.4)),
        exclusive_plain::<Event200>(of(8192, 1)).target(DISRUPTORS, AtLeast(1.0)),
        exclusive_messages(of(8192, 1)).target(DISRUPTORS, AtLeast(0.6)),
        messages_in_place(of(8192, 1)).target(DISRUPTORS, AtLeast(1.0)),
        batches::<Event48>(of(1024, 100)).target(DISRUPTORS, AtLeast(1.0)),
        batches::<Event48>(of(8192, 100)).target(DISRUPTORS, AtLeast(1.0)),
        batches::<Event48>(of(8192, 10)),
        batches::<Word>(of(1024, 100)).target(DISRUPTORS, AtLeast(1.0)),
        batches::<Word>(of(8192, 100)).target(DISRUPTORS, AtLeast(0.95)),
        batches::<Word>(of(8192, 10)),
    ];
    let against_wakers = |contest: Contest| {
        contest
            .target(&[TOKIO], AtLeast(6.0))
            .target(&[BUS], AtLeast(4.0))
            .target(&[ASYNC_BROADCAST], AtLeast(5.0))
    };
    contests.extend([
        against_wakers(shared::<Word>(of(1024, 1)).target(DISRUPTORS, AtLeast(1.3))),
        against_wakers(shared::<Word>(of(8192, 1)).target(DISRUPTORS, AtLeast(1.3))),
        shared::<Event48>(of(8192, 1)).target(DISRUPTORS, AtLeast(1.0)),
        shared_batches::<Event48>(of(8192, 100)).target(DISRUPTORS, AtLeast(0.95)),
        shared_batches::<Event48>(of(8192, 10)),
        shared_batches::<Word>(of(8192, 100)).target(DISRUPTORS, AtLeast(0.7)),
    ]);
    let bounds = [(1, None), (2, Some(1.0)), (4, Some(0.8)), (8, Some(0.8))];
    contests.extend(bounds.map(|(subscribers, bound)| {
        let contest = fan_out(Work {
            subscribers,
            ..of(8192, 1)
        });
        match bound {
            Some(bound) => contest.target(&[DISRUPTOR], AtLeast(bound)),
            None => contest,
        }
    }));
    contests
}

fn contest<P: Payload>(group: &'static str, work: Work, entrants: Vec<Entrant>) -> Contest {
    let Cores {
        publisher,
        subscriber,
    } = work.cores;
    let how = match work.batch {
        1 => "one by one".into(),
        batch => format!("batches of {batch}"),
    };
    let (crowd, subscribers) = match work.subscribers {
        1 if group != FAN_OUT => (String::new(), String::from("the subscriber spins")),
        1 => (
            ", 1 subscriber".into(),
            String::from("the subscriber spins"),
        ),
        many => (
            format!(", {many} subscribers"),
            format!("the {many} subscribers share it and yield whenever there is nothing to read"),
        ),
    };
    Contest {
        group,
        name: format!("{}, {how}, ring {}{crowd}", P::NAME, work.capacity),
        unit: Unit::EventsPerSecond,
        placement: format!(
            "publisher alone on core {publisher}; core {subscriber}: {subscribers}; ringbus's worker thread is there \
             too, asleep"
        ),
        entrants,
        targets: Vec::new(),
    }
}

/// The candidate and, for the noise floor, the same once more.
macro_rules! twice {
    ($payload:ty, $name:literal, $candidate:expr, $work:expr) => {
        [
            Entrant::of::<$payload>($name, $candidate, $work),
            Entrant::of::<$payload>(concat!($name, " (again)"), $candidate, $work),
        ]
    };
}

fn disruptor_thread<P: Payload>(kind: Threads, work: Work) -> Entrant {
    Entrant::new(DISRUPTOR_THREAD, move |events| {
        disruptor_threads::run::<P>(kind, Plan::new(&work, events))
    })
}

fn exclusive_plain<P: Plain>(work: Work) -> Contest {
    let mut entrants = exclusive::<P>(work);
    entrants.push(Entrant::of::<P>(PHOTON, photon_ring::Bounded, work));
    contest::<P>(EXCLUSIVE, work, entrants)
}

fn exclusive_messages(work: Work) -> Contest {
    let mut entrants = exclusive::<Message>(work);
    entrants.push(Entrant::of::<Message>(
        "ringbus, recycling",
        ringbus::Recycling,
        work,
    ));
    contest::<Message>(EXCLUSIVE, work, entrants)
}

/// The same, where both write into what a slot holds.
fn messages_in_place(work: Work) -> Contest {
    let mut entrants = Vec::from(twice!(
        Message,
        "ringbus, in place",
        ringbus::InPlace(InLine),
        work
    ));
    entrants.extend([
        Entrant::of::<Message>(DISRUPTOR, disruptor::Single, work),
        disruptor_thread::<Message>(Threads::Single, work),
    ]);
    let mut contest = contest::<Message>(EXCLUSIVE, work, entrants);
    contest.name += ", in place";
    contest
}

fn exclusive<P: Payload + Clone>(work: Work) -> Vec<Entrant> {
    let mut entrants = Vec::from(twice!(P, "ringbus", ringbus::One(InLine), work));
    entrants.extend([
        Entrant::of::<P>("ringbus, dense", ringbus::One(Dense), work),
        Entrant::of::<P>("ringbus, in place", ringbus::InPlace(InLine), work),
        Entrant::of::<P>(DISRUPTOR, disruptor::Single, work),
        disruptor_thread::<P>(Threads::Single, work),
        Entrant::of::<P>(PHOTON_EVENTS, photon_ring::Events, work),
        Entrant::of::<P>("rtrb (one to one)", rtrb::OneToOne, work),
        Entrant::of::<P>("crossbeam-channel (one to one)", crossbeam::Channels, work),
        Entrant::of::<P>(BUS, bus::Broadcast, work),
    ]);
    entrants
}

fn batches<P: Payload>(work: Work) -> Contest {
    let mut entrants = Vec::from(twice!(P, "ringbus, dense", ringbus::One(Dense), work));
    entrants.extend([
        Entrant::of::<P>("ringbus, in line", ringbus::One(InLine), work),
        Entrant::of::<P>("ringbus, in place", ringbus::InPlace(Dense), work),
        Entrant::of::<P>(DISRUPTOR, disruptor::Single, work),
        disruptor_thread::<P>(Threads::Single, work),
        Entrant::of::<P>("rtrb (one to one)", rtrb::OneToOne, work),
    ]);
    contest::<P>(BATCHES, work, entrants)
}

fn shared<P: Payload + Clone>(work: Work) -> Contest {
    let mut entrants = Vec::from(twice!(P, "ringbus", ringbus::Many(InLine), work));
    entrants.extend([
        Entrant::of::<P>("ringbus, dense", ringbus::Many(Dense), work),
        Entrant::of::<P>(DISRUPTOR, disruptor::Multi, work),
        disruptor_thread::<P>(Threads::Multi, work),
        Entrant::of::<P>("crossbeam-channel (one to one)", crossbeam::Channels, work),
        Entrant::of::<P>(TOKIO, tokio::Broadcast, work),
        Entrant::of::<P>(BUS, bus::Broadcast, work),
        Entrant::of::<P>(ASYNC_BROADCAST, async_broadcast::Broadcast, work),
    ]);
    contest::<P>(SHARED, work, entrants)
}

fn shared_batches<P: Payload>(work: Work) -> Contest {
    let mut entrants = Vec::from(twice!(P, "ringbus, dense", ringbus::Many(Dense), work));
    entrants.extend([
        Entrant::of::<P>("ringbus, in line", ringbus::Many(InLine), work),
        Entrant::of::<P>(DISRUPTOR, disruptor::Multi, work),
        disruptor_thread::<P>(Threads::Multi, work),
    ]);
    contest::<P>(SHARED, work, entrants)
}

fn fan_out(work: Work) -> Contest {
    let mut entrants = Vec::from(twice!(Word, "ringbus", ringbus::One(InLine), work));
    entrants.push(match work.subscribers {
        1 => Entrant::of::<Word>(DISRUPTOR, disruptor::Single, work),
        _ => Entrant::of::<Word>(DISRUPTOR, disruptor::SingleToMany, work),
    });
    entrants.extend([
        Entrant::of::<Word>(PHOTON, photon_ring::Bounded, work),
        Entrant::of::<Word>(PHOTON_EVENTS, photon_ring::Events, work),
        Entrant::of::<Word>("crossbeam-channel (one each)", crossbeam::Channels, work),
        Entrant::of::<Word>(TOKIO, tokio::Broadcast, work),
        Entrant::of::<Word>(BUS, bus::Broadcast, work),
        Entrant::of::<Word>(ASYNC_BROADCAST, async_broadcast::Broadcast, work),
    ]);
    contest::<Word>(FAN_OUT, work, entrants)
}
