//! Cores and pins, as a host sees them.
#![cfg(not(loom))] // asks the kernel

use std::thread;

use ringbus::affinity::{cores, pin_current};

/// What pins itself does so on a thread of its own: the test harness may run several tests on one.
fn on_a_thread<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(body).join().expect("no panic"))
}

#[test]
fn cores_are_ascending_and_never_none() {
    let cores = cores();
    assert!(!cores.is_empty());
    assert!(cores.is_sorted_by(|a, b| a < b), "{cores:?}");
}

#[test]
fn every_core_can_be_pinned_to() {
    on_a_thread(|| {
        for core in cores() {
            assert_eq!(pin_current(core), Ok(()));
            #[cfg(target_os = "linux")]
            assert_eq!(linux::allowed(), [(core as u32, core as u32)]);
        }
    });
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::FromRead;
    use procfs::process::Status;
    use ringbus::PinError;

    use super::*;

    /// The cores where the kernel lets the calling thread run, as ranges.
    pub(crate) fn allowed() -> Vec<(u32, u32)> {
        let status = Status::from_file("/proc/thread-self/status").expect("procfs");
        status.cpus_allowed_list.expect("a mask")
    }

    #[test]
    fn a_pinned_thread_still_sees_every_core() {
        let all = cores();
        on_a_thread(|| {
            for &core in &all {
                pin_current(core).expect("a core of ours");
                assert_eq!(cores(), all, "seen from core {core}");
            }
        });
    }

    #[test]
    fn a_core_is_tried_even_where_the_thread_may_not_run() {
        let all = cores();
        on_a_thread(|| {
            pin_current(all[0]).expect("the first core");
            let last = all[all.len() - 1];
            on_a_thread(|| assert_eq!(pin_current(last), Ok(()), "from an inherited pin"));
        });
    }

    #[test]
    fn a_core_that_cannot_be_had_is_an_error_and_changes_nothing() {
        let all = cores();
        let ids = [1_023, 1_024, 5_000, 100_000, 1 << 20, usize::MAX];
        on_a_thread(|| {
            for round in ["free", "pinned"] {
                let before = allowed();
                for core in ids.into_iter().filter(|core| !all.contains(core)) {
                    let error = pin_current(core).expect_err("no such core");
                    assert!(
                        matches!(error, PinError::Refused { core: of, .. } if of == core),
                        "{error:?}"
                    );
                    assert_eq!(allowed(), before, "core {core}, {round}");
                }
                pin_current(all[0]).expect("a core of ours");
            }
        });
    }

    #[test]
    fn a_refusal_by_the_kernel_carries_its_code() {
        const EINVAL: i32 = 22;
        for core in [1_000, 100_000] {
            if !cores().contains(&core) {
                let refused = PinError::Refused {
                    core,
                    os_error: Some(EINVAL),
                    cores: cores(),
                };
                assert_eq!(pin_current(core), Err(refused));
            }
        }
    }
}
