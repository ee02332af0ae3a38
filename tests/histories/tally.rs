//! What rounds did, for the line at the end.

use ringbus::EvictionReason;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) freezes: u64,
    pub(crate) borrows: u64,
    pub(crate) abandoned: u64,
    pub(crate) holes: u64,
    pub(crate) evictions: [u64; EvictionReason::COUNT],
    pub(crate) exhausted: u64,
    pub(crate) joins: u64,
    pub(crate) rejoins: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        self.rounds += other.rounds;
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.freezes += other.freezes;
        self.borrows += other.borrows;
        self.abandoned += other.abandoned;
        self.holes += other.holes;
        for (sum, other) in self.evictions.iter_mut().zip(other.evictions) {
            *sum += other;
        }
        self.exhausted += other.exhausted;
        self.joins += other.joins;
        self.rejoins += other.rejoins;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} rounds: {} events accepted, {} delivered, {} calls frozen, {} readers frozen in the middle of an event, \
             {} claims abandoned, {} holes, {} exhausted, {} joins, {} rejoins; dropped",
            self.rounds,
            self.accepted,
            self.delivered,
            self.freezes,
            self.borrows,
            self.abandoned,
            self.holes,
            self.exhausted,
            self.joins,
            self.rejoins,
        )?;
        for (reason, count) in EvictionReason::ALL.iter().zip(self.evictions) {
            write!(f, " {reason:?} {count}")?;
        }
        Ok(())
    }
}
