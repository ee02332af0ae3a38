//! The rule by which the example `soak` says that memory has grown.
#![cfg(not(loom))]

#[path = "../examples/soak/verdict.rs"]
mod verdict;

const MIB: f64 = (1 << 20) as f64;

fn resident(first: f64, last: f64) -> Option<String> {
    verdict::resident((first * MIB) as u64, (last * MIB) as u64)
}

#[test]
fn pages_that_are_touched_late_are_no_leak() {
    // Ten minutes with the seed 77: a false alarm of the rule that went by a factor.
    assert_eq!(resident(5.4, 6.1), None);
    assert_eq!(resident(6.1, 5.4), None);
}

#[test]
fn resident_memory_that_goes_on_growing_is_a_leak() {
    let told = resident(5.4, 13.4);
    assert!(told.is_some_and(|told| told.contains("resident")));
}

#[test]
fn allocated_bytes_that_grow_are_a_leak_however_few() {
    let told = verdict::allocated(200_000, 215_000);
    assert!(told.is_some_and(|told| told.contains("allocated")));
    assert_eq!(verdict::allocated(200_000, 200_000), None, "flat");
    assert_eq!(verdict::allocated(200_000, 209_000), None, "a twentieth");
    assert_eq!(verdict::allocated(10_000, 14_000), None, "a few nodes");
}
