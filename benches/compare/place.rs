//! Which thread runs on which core, and whether it really did.

use std::fmt;
use std::io;

/// The two cores that every comparison uses: one publishes, the other receives.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    pub publisher: usize,
    pub subscriber: usize,
}

impl Cores {
    /// The first two that the process may use.
    pub fn find() -> Result<Cores, String> {
        match ringbus::affinity::cores().as_slice() {
            [publisher, subscriber, ..] => Ok(Cores {
                publisher: *publisher,
                subscriber: *subscriber,
            }),
            few => Err(format!(
                "a comparison needs two cores, and there are {}",
                few.len()
            )),
        }
    }
}

/// A thread that was pinned to a core, and can say whether it stayed there.
#[derive(Debug)]
pub struct Pinned {
    core: usize,
    preemptions: i64,
}

/// What a thread that was pinned went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stay {
    /// How often the system gave the core to somebody else.
    pub preemptions: u64,
}

/// A thread was not where it should have been: nothing that it measured counts.
#[derive(Debug)]
pub struct Misplaced {
    wanted: usize,
    found: Result<usize, String>,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted;
        match &self.found {
            Ok(found) => write!(f, "a thread should be on core {wanted} and is on {found}"),
            Err(error) => write!(f, "a thread should be on core {wanted}: {error}"),
        }
    }
}

impl std::error::Error for Misplaced {}

impl Pinned {
    /// Pins the calling thread.
    pub fn to(core: usize) -> Result<Pinned, Misplaced> {
        ringbus::affinity::pin_current(core).map_err(|error| Misplaced {
            wanted: core,
            found: Err(error.to_string()),
        })?;
        let pinned = Pinned {
            core,
            preemptions: preemptions(),
        };
        pinned.check()?;
        Ok(pinned)
    }

    fn check(&self) -> Result<(), Misplaced> {
        // SAFETY: no arguments; it reads where the calling thread runs.
        let found = unsafe { libc::sched_getcpu() };
        match usize::try_from(found) {
            Ok(found) if found == self.core => Ok(()),
            Ok(found) => Err(Misplaced {
                wanted: self.core,
                found: Ok(found),
            }),
            Err(_) => Err(Misplaced {
                wanted: self.core,
                found: Err(io::Error::last_os_error().to_string()),
            }),
        }
    }

    /// At the end of the work, on the thread that was pinned.
    pub fn leave(self) -> Result<Stay, Misplaced> {
        self.check()?;
        Ok(Stay {
            preemptions: (preemptions() - self.preemptions).unsigned_abs(),
        })
    }
}

/// How often the calling thread lost its core against its will.
fn preemptions() -> i64 {
    // SAFETY: all zeroes is a valid `rusage`, which the call fills in.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is writable, and the constant names the calling thread.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    usage.ru_nivcsw
}
