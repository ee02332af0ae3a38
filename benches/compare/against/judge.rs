//! Whether a cell is as before, from what both programs did side by side.
//!
//! "As before" means that the median ratio of before to now lies between the least and the greatest round of now against
//! itself. A cell outside is measured again alone, and counts only if it is outside on the same side both times.

use std::fmt;

use crate::record::Unit;
use crate::stats::Spread;

/// The greatest round of now against itself to the least.
const WIDE: f64 = 1.5;

/// What one cell came to, round by round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rounds {
    pub now: Vec<f64>,
    /// The present program once more.
    pub again: Vec<f64>,
    pub before: Vec<f64>,
}

/// Ratios to the present program, of the same round each.
#[derive(Clone, Copy, Debug)]
pub struct Ratios {
    pub now: f64,
    /// Of the present program itself.
    pub least: f64,
    pub median: f64,
    pub greatest: f64,
    pub before: Spread,
}

/// Where the median ratio of before to now lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Below,
    Within,
    Above,
}

/// What has become of a cell since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Better,
    Worse,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    AsBefore,
    /// The second time it was within, or outside on the other side.
    OutsideOnce,
    OutsideTwice(Change),
    NotComparable(String),
    /// The present program failed.
    Failed(String),
}

impl Ratios {
    /// None if a figure is zero, or there is none: that has no ratio.
    pub fn of(rounds: &Rounds) -> Option<Ratios> {
        let all = [&rounds.now, &rounds.again, &rounds.before];
        let are_usable = |figures: &&Vec<f64>| {
            let mut figures = figures.iter();
            figures.len() > 0 && figures.all(|figure| figure.is_finite() && *figure > 0.0)
        };
        if !all.iter().all(are_usable) {
            return None;
        }
        let itself: Vec<f64> = rounds
            .again
            .iter()
            .zip(&rounds.now)
            .map(|(again, now)| again / now)
            .collect();
        Some(Ratios {
            now: Spread::of(&rounds.now).median,
            least: itself.iter().copied().fold(f64::INFINITY, f64::min),
            median: Spread::of(&itself).median,
            greatest: itself.iter().copied().fold(0.0, f64::max),
            before: Spread::of_ratios(&rounds.before, &rounds.now),
        })
    }

    /// Whether now differs from itself so much that "as before" says little.
    pub fn is_wide(&self) -> bool {
        self.greatest > self.least * WIDE
    }

    pub fn place(&self) -> Place {
        let ratio = self.before.median;
        match () {
            () if ratio < self.least => Place::Below,
            () if ratio > self.greatest => Place::Above,
            () => Place::Within,
        }
    }
}

impl Place {
    pub fn is_outside(self) -> bool {
        self != Place::Within
    }

    fn change(self, unit: Unit) -> Option<Change> {
        match (self, unit) {
            (Place::Within, _) => None,
            (Place::Below, Unit::EventsPerSecond) | (Place::Above, Unit::Nanoseconds) => {
                Some(Change::Better)
            }
            (Place::Above, Unit::EventsPerSecond) | (Place::Below, Unit::Nanoseconds) => {
                Some(Change::Worse)
            }
        }
    }
}

/// Judges a cell by where it was, and by where it was when it ran again alone, which only a cell outside does.
pub fn verdict(first: Place, alone: Option<Place>, unit: Unit) -> Verdict {
    match (first.change(unit), alone) {
        (None, _) => Verdict::AsBefore,
        (Some(change), Some(alone)) if alone == first => Verdict::OutsideTwice(change),
        (Some(_), _) => Verdict::OutsideOnce,
    }
}

/// The last line: how many cells came to what.
pub fn summary<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> String {
    let (mut as_before, mut not_comparable, mut twice, mut failed) = (0, 0, 0, 0);
    for verdict in verdicts {
        match verdict {
            Verdict::AsBefore | Verdict::OutsideOnce => as_before += 1,
            Verdict::NotComparable(_) => not_comparable += 1,
            Verdict::OutsideTwice(_) => twice += 1,
            Verdict::Failed(_) => failed += 1,
        }
    }
    let mut line = format!(
        "compare: {as_before} cells as before, {not_comparable} not comparable, {twice} outside twice"
    );
    if failed > 0 {
        line += &format!(", {failed} failed to run");
    }
    line
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::AsBefore => f.write_str("as before"),
            Verdict::OutsideOnce => f.write_str("as before (outside once)"),
            Verdict::OutsideTwice(Change::Better) => f.write_str("**outside** twice, now better"),
            Verdict::OutsideTwice(Change::Worse) => f.write_str("**outside** twice, now worse"),
            Verdict::NotComparable(why) => write!(f, "not comparable ({why})"),
            Verdict::Failed(why) => write!(f, "**failed** ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unit::{EventsPerSecond, Nanoseconds};

    fn place(before: &[f64]) -> Place {
        let rounds = Rounds {
            now: vec![10.0, 20.0, 40.0],
            again: vec![9.0, 20.0, 44.0], // 0.9, 1, 1.1
            before: before.to_vec(),
        };
        Ratios::of(&rounds).unwrap().place()
    }

    #[test]
    fn the_median_decides_and_the_bounds_belong_to_it() {
        assert_eq!(place(&[1.0, 20.0, 400.0]), Place::Within);
        assert_eq!(place(&[9.0, 18.0, 36.0]), Place::Within);
        assert_eq!(place(&[11.0, 22.0, 44.0]), Place::Within);
        assert_eq!(place(&[8.9, 17.8, 40.0]), Place::Below);
        assert_eq!(place(&[10.0, 22.2, 44.4]), Place::Above);
    }

    #[test]
    fn ratios_are_of_rounds() {
        let ratios = Ratios::of(&Rounds {
            now: vec![1.0, 100.0],
            again: vec![2.0, 100.0],
            before: vec![3.0, 300.0],
        });
        let ratios = ratios.unwrap();
        assert_eq!((ratios.least, ratios.greatest), (1.0, 2.0));
        assert_eq!((ratios.median, ratios.before.median), (1.5, 3.0));
        assert_eq!(ratios.now, 50.5);
    }

    #[test]
    fn nothing_has_no_ratio() {
        let rounds = Rounds {
            now: vec![1.0],
            again: vec![1.0],
            before: vec![0.0],
        };
        assert!(Ratios::of(&rounds).is_none());
        assert!(Ratios::of(&Rounds::default()).is_none());
        let failed = Rounds {
            before: vec![f64::NAN],
            ..rounds
        };
        assert!(Ratios::of(&failed).is_none());
    }

    #[test]
    fn a_cell_counts_if_it_is_outside_twice_on_one_side() {
        use Place::{Above, Below, Within};
        let throughput = |first, alone| verdict(first, alone, EventsPerSecond);
        assert_eq!(throughput(Within, None), Verdict::AsBefore);
        assert_eq!(throughput(Above, None), Verdict::OutsideOnce);
        assert_eq!(throughput(Above, Some(Within)), Verdict::OutsideOnce);
        assert_eq!(throughput(Above, Some(Below)), Verdict::OutsideOnce);
        let twice = |place, unit| verdict(place, Some(place), unit);
        assert_eq!(
            twice(Above, EventsPerSecond),
            Verdict::OutsideTwice(Change::Worse)
        );
        assert_eq!(
            twice(Below, EventsPerSecond),
            Verdict::OutsideTwice(Change::Better)
        );
        assert_eq!(
            twice(Above, Nanoseconds),
            Verdict::OutsideTwice(Change::Better)
        );
        assert_eq!(
            twice(Below, Nanoseconds),
            Verdict::OutsideTwice(Change::Worse)
        );
        assert_eq!(twice(Within, Nanoseconds), Verdict::AsBefore);
    }

    #[test]
    fn the_last_line_counts_cells() {
        let verdicts = [
            Verdict::AsBefore,
            Verdict::OutsideOnce,
            Verdict::OutsideTwice(Change::Worse),
            Verdict::NotComparable("it has none".into()),
        ];
        assert_eq!(
            summary(verdicts.iter()),
            "compare: 2 cells as before, 1 not comparable, 1 outside twice"
        );
        let failed = [Verdict::Failed("an event was lost".into())];
        assert!(summary(failed.iter()).ends_with(", 0 outside twice, 1 failed to run"));
    }
}
