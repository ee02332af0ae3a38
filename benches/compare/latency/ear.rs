//! The receiving end: when each event came.

use ringbus_benches::payload::Event48;

use super::plan::{FOREIGN, Plan};
use crate::error::Error;

#[derive(Debug)]
pub struct Ear {
    plan: Plan,
    /// The number that comes next, if none is lost.
    next: u64,
    lost: u64,
    /// Events that were not what was sent, or came twice or late.
    wrong: u64,
    heard: usize,
    /// From the intended time of sending, in nanoseconds. Raw and written in order: that disturbs least.
    one_way: Vec<u64>,
}

impl Ear {
    pub fn new(plan: Plan) -> Ear {
        Ear {
            plan,
            next: 0,
            lost: 0,
            wrong: 0,
            heard: 0,
            one_way: touched(plan.events),
        }
    }

    /// An event is there. The clock comes first.
    #[inline(always)]
    pub fn hear(&mut self, event: &Event48) {
        let now = self.plan.clock.now();
        let Event48([number, intended, words @ ..]) = event;
        if *number == self.next && number >= &self.plan.warm {
            if let Some(latency) = self.one_way.get_mut(self.heard) {
                *latency = now.saturating_sub(*intended);
                self.heard += 1;
            }
            self.next += 1;
        } else {
            self.hear_other(*number, now.saturating_sub(*intended));
        }
        self.wrong += u64::from(words.iter().any(|word| word != number));
    }

    /// One of the warm-up, after a gap, or another publisher's.
    #[cold]
    fn hear_other(&mut self, number: u64, latency: u64) {
        if number == FOREIGN {
            return;
        }
        if number < self.next || number >= self.plan.end() {
            self.wrong += 1;
            return;
        }
        self.count_lost(number);
        self.next = number + 1;
        if number >= self.plan.warm {
            self.one_way[self.heard] = latency;
            self.heard += 1;
        }
    }

    fn count_lost(&mut self, until: u64) {
        let from = self.next.max(self.plan.warm);
        self.lost += until.saturating_sub(from);
    }

    pub fn is_done(&self) -> bool {
        self.next >= self.plan.end()
    }

    /// The latencies, and how many events never came.
    pub fn finish(mut self) -> Result<(Vec<u64>, u64), Error> {
        if self.wrong > 0 {
            return Err(format!("{} events were not those that were sent", self.wrong).into());
        }
        self.count_lost(self.plan.end());
        self.one_way.truncate(self.heard);
        Ok((self.one_way, self.lost))
    }
}

/// Room for so many samples, whose pages are there.
pub fn touched(samples: u64) -> Vec<u64> {
    vec![1; samples as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::plan::event;
    use crate::place::Cores;

    fn ear() -> Ear {
        let cores = Cores {
            publisher: 0,
            subscriber: 1,
        };
        let mut plan = Plan::new(cores, 1_000_000, true);
        (plan.warm, plan.events) = (2, 4);
        Ear::new(plan)
    }

    #[test]
    fn only_what_counts_is_counted() {
        let mut ear = ear();
        for number in [0, FOREIGN, 3, 4] {
            ear.hear(&event(number, 0));
        }
        assert!(!ear.is_done());
        let (latencies, lost) = ear.finish().unwrap();
        // 2 and 5; 1 belongs to the warm-up.
        assert_eq!((latencies.len(), lost), (2, 2));
    }

    #[test]
    fn an_event_twice_is_an_error() {
        let mut ear = ear();
        for number in [0, 1, 2, 2] {
            ear.hear(&event(number, 0));
        }
        assert!(ear.finish().is_err());
    }
}
