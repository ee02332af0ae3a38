//! A reader that joins late: what it costs to join a stream, receive one event, and leave.

use std::time::{Duration, Instant};

use ::ringbus::SlotLayout::InLine;
use ringbus_benches::payload::Word;

use super::candidates::{async_broadcast, bus, ringbus, tokio};
use super::contest::{Contest, Entrant};
use super::in_cache::{GROUP, YARDSTICK, each, on_core, yardstick};
use super::work::{Candidate, Check, Idle, Join, Publish, Subscribe, Work};
use crate::error::Error;
use crate::place::Cores;
use crate::record::Bound::AtMost;
use crate::record::Unit;
use crate::trial::{Trial, is_ours};

/// Slots of the ring.
const CAPACITY: usize = 1024;

pub fn contest(cores: Cores) -> Contest {
    let entrants = vec![
        entrant("ringbus", ringbus::Many(InLine), cores),
        entrant("ringbus (again)", ringbus::Many(InLine), cores),
        entrant("ringbus, exclusive", ringbus::One(InLine), cores),
        entrant("tokio broadcast", tokio::Broadcast, cores),
        entrant("bus", bus::Broadcast, cores),
        entrant("async-broadcast", async_broadcast::Broadcast, cores),
        yardstick(),
    ];
    Contest {
        group: GROUP,
        name: "a reader that joins late, receives one event and leaves".into(),
        unit: Unit::Nanoseconds,
        placement: format!(
            "one thread on core {}, with one reader that stays; ringbus's worker thread sleeps",
            cores.publisher
        ),
        entrants,
        targets: Vec::new(),
    }
    .target(&[YARDSTICK], AtMost(2000.0))
}

/// Returns what can be measured by itself.
pub fn trials(cores: Cores) -> Vec<Trial> {
    contest(cores).trials(is_ours)
}

fn entrant<C>(name: &str, candidate: C, cores: Cores) -> Entrant
where
    C: Candidate<Word> + Copy + Send + 'static,
    C::Publisher: Join<Word>,
{
    let work = Work {
        capacity: CAPACITY,
        batch: 1,
        subscribers: 1,
        cores,
    };
    Entrant::new(name, move |times| {
        on_core(cores, move || cost(&candidate, &work, times))
    })
}

fn cost<C>(candidate: &C, work: &Work, times: u64) -> Result<f64, Error>
where
    C: Candidate<Word>,
    C::Publisher: Join<Word>,
{
    let (mut publisher, mut subscribers) = candidate.build(work)?;
    let mut idle = Idle::new(false);
    let mut stays = Check::default();
    let mut next = 0;
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        publisher.one_by_one(next..next + 1, &mut idle);
        let start = Instant::now();
        let mut late = publisher.join()?;
        publisher.one_by_one(next + 1..next + 2, &mut idle);
        let seen = late.receive(Check::default())?;
        drop(late);
        spent += start.elapsed();
        next += 2;
        // The events before it joined are none of its own.
        if seen.next() != next || seen.missed()? != next - 1 {
            return Err("a late reader did not receive what came after it joined".into());
        }
        for subscriber in &mut subscribers {
            stays = subscriber.receive(stays)?;
        }
        if stays.next() != next || stays.missed()? != 0 {
            return Err("the reader that stays missed an event".into());
        }
    }
    drop(subscribers);
    publisher.close();
    Ok(each(spent, times))
}
