//! Whether memory has grown: the rule alone, which a test has as well.

/// Allocated bytes may not grow by more than a twentieth.
const MOST_GROWTH: f64 = 1.05;

/// Between epochs next to nothing is allocated: a few nodes more, for as many threads as there were at once, are no leak.
const SMALL_CHANGE: u64 = 4096;

/// How much more may be resident.
///
/// It is absolute, because what is resident without being allocated does not depend on how much that was at first: the
/// allocator's arenas, and the stacks that the system keeps of threads that have ended, some dozens of them, as deep as
/// they were ever used. Late epochs touch a few pages of them for the first time. Ten minutes with the seed 77 went from
/// 5.4 to 6.1 MiB that way, while the allocated bytes were flat. A leak of what is not allocated (stacks of threads that
/// never end, mappings) passes any allowance in time.
const RESIDENT_ALLOWANCE: u64 = 2 << 20;

/// What a leak of allocated bytes is told as: between the first minute's median and that of the end.
pub fn allocated(first: u64, last: u64) -> Option<String> {
    let grew =
        last > first.saturating_add(SMALL_CHANGE) && last as f64 > first as f64 * MOST_GROWTH;
    grew.then(|| format!("{last} bytes are allocated, {first} were after the first minute"))
}

/// What a leak of resident bytes is told as.
pub fn resident(first: u64, last: u64) -> Option<String> {
    let grew = last > first.saturating_add(RESIDENT_ALLOWANCE);
    grew.then(|| {
        format!(
            "{last} bytes are resident, {first} were after the first minute, \
             and {RESIDENT_ALLOWANCE} more are allowed"
        )
    })
}
