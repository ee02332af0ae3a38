//! What a run found.

use crate::role::{Phase, Role};
use crate::signal::Place;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A thread was frozen, and others did not move.
#[derive(Clone, Debug)]
pub(crate) struct Stuck {
    pub(crate) frozen: String,
    pub(crate) phase: Phase,
    pub(crate) place: Place,
    /// Who did not move.
    pub(crate) still: Vec<String>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = if self.place.in_allocator {
            ", inside of the allocator"
        } else {
            ""
        };
        write!(
            f,
            "stuck: {} was frozen ({:?}{inside}), and these did not move: {}",
            self.frozen,
            self.phase,
            self.still.join(", ")
        )
    }
}

/// The freezes of one run, by role and by where they landed.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    name: &'static str,
    rows: Vec<Row>,
    /// Instructions at which somebody stood.
    instructions: HashSet<usize>,
    /// Freezes for more than a lap.
    long: u64,
    /// Readers that were dropped while frozen, and told so; those of them that stood inside of an event, which was whole.
    pub(crate) lapped: u64,
    pub(crate) lapped_borrowing: u64,
    /// Freezes inside of the allocator that were ended at once.
    pub(crate) released: u64,
    /// Those that were let stand, and by whose end somebody had not moved: by its locks, or by chance.
    pub(crate) held_up: u64,
    pub(crate) took: Duration,
    /// The bus's own.
    pub(crate) figures: String,
}

#[derive(Clone, Debug)]
struct Row {
    role: String,
    /// By [`Phase`].
    phases: [u64; 3],
    in_our_code: u64,
    in_allocator: u64,
}

impl Row {
    fn freezes(&self) -> u64 {
        self.phases.iter().sum()
    }
}

impl Report {
    pub(crate) fn new(name: &'static str, roles: &[Arc<Role>]) -> Self {
        let row = |role: &Arc<Role>| Row {
            role: role.name.clone(),
            phases: [0; 3],
            in_our_code: 0,
            in_allocator: 0,
        };
        Report {
            name,
            rows: roles.iter().map(row).collect(),
            instructions: HashSet::new(),
            long: 0,
            lapped: 0,
            lapped_borrowing: 0,
            released: 0,
            held_up: 0,
            took: Duration::ZERO,
            figures: String::new(),
        }
    }

    pub(crate) fn add(&mut self, role: usize, phase: Phase, at: Place, long: bool) {
        let row = &mut self.rows[role];
        row.phases[phase as usize] += 1;
        row.in_our_code += u64::from(at.in_our_code);
        row.in_allocator += u64::from(at.in_allocator);
        self.instructions.insert(at.instruction);
        self.long += u64::from(long);
    }

    /// Those that stood.
    pub(crate) fn freezes(&self) -> u64 {
        self.rows.iter().map(Row::freezes).sum()
    }

    /// With those that were released at once.
    pub(crate) fn attempts(&self) -> u64 {
        self.freezes() + self.released
    }

    /// Those of the role that was frozen least.
    pub(crate) fn least(&self) -> u64 {
        self.rows.iter().map(Row::freezes).min().unwrap_or(0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} freezes in {:.1?} at {} instructions, {} of them for over a lap",
            self.name,
            self.freezes(),
            self.took,
            self.instructions.len(),
            self.long,
        )?;
        writeln!(
            f,
            "  {:<12} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9}",
            "role", "freezes", "outside", "calling", "borrowing", "our code", "allocator"
        )?;
        for row in &self.rows {
            let [outside, calling, borrowing] = row.phases;
            writeln!(
                f,
                "  {:<12} {:>7} {outside:>8} {calling:>8} {borrowing:>9} {:>9} {:>9}",
                row.role,
                row.freezes(),
                row.in_our_code,
                row.in_allocator,
            )?;
        }
        writeln!(
            f,
            "  readers lapped while frozen: {}, {} of them inside of an event; freezes in the allocator released: {}, \
             that seemed to hold somebody up: {}",
            self.lapped, self.lapped_borrowing, self.released, self.held_up
        )?;
        write!(f, "  {}", self.figures)
    }
}
