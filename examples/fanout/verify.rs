//! Whether the promise was kept.

use crate::failure::Failure;
use crate::listen::{End, Heard};
use crate::work::Tally;

/// Every healthy subscriber must have read everything that was reported, in order.
pub fn verify(reported: Tally, heard: &[Heard]) -> Result<(), Failure> {
    let complaints: Vec<String> = heard
        .iter()
        .filter_map(|heard| complaint(reported, heard))
        .collect();
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(Failure::check(complaints.join("; ")))
    }
}

fn complaint(reported: Tally, heard: &Heard) -> Option<String> {
    let name = &heard.role.name;
    let (saw, of) = (heard.work.tally.events, reported.events);
    match &heard.end {
        End::Odd(reason) => Some(format!("{name} saw {saw} of {of} events: {reason}")),
        _ if heard.role.slow => None,
        End::Evicted(eviction) => Some(format!(
            "{name} saw {saw} of {of} events and was dropped: {eviction}"
        )),
        End::Closed | End::Left if saw != of => Some(format!("{name} saw {saw} of {of} events")),
        End::Closed | End::Left if heard.work.tally != reported => Some(format!(
            "{name} saw {saw} events, but not those that were reported, in order"
        )),
        End::Closed | End::Left => None,
    }
}
