//! What one round is like, drawn from its seed.

use fastrand::Rng;
use ringbus::SlotLayout;
use std::time::Duration;

/// How long a claim may hang before readers pass it.
pub(crate) const GRACE: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Heap,
    Wide,
    Small,
}

/// The draws that hold for a whole round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) capacity: u64,
    pub(crate) layout: SlotLayout,
    pub(crate) exclusive: bool,
    pub(crate) publishers: usize,
    pub(crate) readers: usize,
    pub(crate) steps: u32,
    /// Calls that may be frozen at the same time.
    pub(crate) most_frozen: usize,
    /// How often each kind of step is taken.
    pub(crate) weights: [u32; STEPS.len()],
    /// Frozen calls go on before the bus closes.
    pub(crate) thaws_first: bool,
    /// Batches are at most so long.
    pub(crate) longest_batch: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Publish,
    PublishAndFreeze,
    Burst,
    Thaw,
    Read,
    DrainAll,
    Hold,
    LetGo,
    Advance,
    Turn,
    Join,
    Leave,
    Unsubscribe,
    Rejoin,
    Publishers,
}

pub(crate) const STEPS: [Step; 15] = [
    Step::Publish,
    Step::PublishAndFreeze,
    Step::Burst,
    Step::Thaw,
    Step::Read,
    Step::DrainAll,
    Step::Hold,
    Step::LetGo,
    Step::Advance,
    Step::Turn,
    Step::Join,
    Step::Leave,
    Step::Unsubscribe,
    Step::Rejoin,
    Step::Publishers,
];

impl Shape {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let exclusive = rng.u8(..4) == 0;
        let mut weights = [24, 12, 4, 6, 24, 4, 3, 4, 4, 4, 2, 1, 1, 2, 1];
        // Some rounds are mostly freezes, some mostly bursts, and in some the readers are slow.
        for weight in &mut weights {
            *weight *= [1, 1, 2, 4][rng.usize(..4)];
        }
        // In a storm so many calls are frozen that the ring may be exhausted.
        let storm = !exclusive && rng.u8(..12) == 0;
        if storm {
            weights[Step::PublishAndFreeze as usize] = 200;
            weights[Step::Thaw as usize] = rng.u32(..4);
        }
        let capacity = if storm {
            64
        } else {
            [64, 128, 256, 1024][rng.usize(..4)]
        };
        Shape {
            kind: [Kind::Heap, Kind::Wide, Kind::Small][rng.usize(..3)],
            capacity,
            layout: [SlotLayout::InLine, SlotLayout::Dense][rng.usize(..2)],
            exclusive,
            publishers: if exclusive { 1 } else { rng.usize(1..=4) },
            readers: rng.usize(1..=5),
            steps: rng.u32(60..=200) + if storm { 100 } else { 0 },
            most_frozen: if storm { 60 } else { rng.usize(1..=6) },
            weights,
            thaws_first: rng.u8(..3) > 0,
            longest_batch: rng.u64(2..=capacity / 2),
        }
    }

    pub(crate) fn step(&self, rng: &mut Rng) -> Step {
        let mut at = rng.u32(..self.weights.iter().sum::<u32>());
        for (step, weight) in STEPS.into_iter().zip(self.weights) {
            if at < weight {
                return step;
            }
            at -= weight;
        }
        Step::Turn
    }
}
