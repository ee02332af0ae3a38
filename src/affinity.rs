//! Cores and pins: which cores the process may use, and how a thread is bound to one.
//!
//! Pins work on Linux, Android, FreeBSD and Windows. Elsewhere (macOS too, whose affinity tags are only hints), and
//! under loom, [`pin_current`] does nothing and says `Ok`. Windows: the 64 cores of the thread's processor group.
//!
//! A core is named by the system's number for it, which need not be below [`cores`]`().len()`.
//!
//! **Architecture Invariant:** only this module knows `core_affinity` and `libc`, and it knows nothing of the bus.

use crate::error::PinError;

/// The numbers of the cores that this process may use: ascending, each once, never empty.
///
/// On Linux that is what any of its threads may use, so that a pinned caller (a pinned `main`, say) does not hide the
/// other cores. If every thread of the process is pinned, the cores that none of them may use stay unknown; naming one
/// to [`pin_current`] works all the same. On Android and FreeBSD it is what the calling thread may use. Where the
/// system does not tell, it is 0 up to [`available_parallelism`](std::thread::available_parallelism); under loom, 0.
///
/// Progress: makes a few system calls for each thread of the process and allocates; call it while setting up.
pub fn cores() -> Vec<usize> {
    let mut cores = system::cores();
    if cores.is_empty() {
        let ids = core_affinity::get_core_ids().unwrap_or_default();
        cores = ids.into_iter().map(|core| core.id).collect();
    }
    if cores.is_empty() {
        cores = (0..std::thread::available_parallelism().map_or(1, usize::from)).collect();
    }
    cores.sort_unstable();
    cores.dedup();
    cores
}

/// Pins the calling thread to `core` alone, until it is pinned anew.
///
/// The core is tried, not looked up: one that [`cores`] does not list may still be had. Threads spawned by a pinned
/// thread start with its pin; those of a bus do not. Where there are no pins (see the [module](self)) this is `Ok`.
///
/// Progress: makes a few system calls and may allocate.
///
/// # Errors
///
/// [`PinError::Refused`] if there is no such core or this process may not use it; the thread then runs where it did.
///
/// ```
/// let core = ringbus::affinity::cores()[0];
/// ringbus::affinity::pin_current(core)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pin_current(core: usize) -> Result<(), PinError> {
    system::pin_current(core).map_err(|error| PinError::Refused {
        core,
        os_error: error.raw_os_error(),
        cores: cores(),
    })
}

/// How many workers suit this machine when there is more than one: a worker for every 32 [`cores`], at least two.
///
/// Progress: as [`cores`].
pub fn default_worker_count() -> usize {
    (cores().len() / 32).max(2)
}

/// Which of `cores` (ascending) each of `workers` threads goes to: the middle of its equal share of them, as neighbours
/// tend to share a cache, and the first core tends to take the interrupts.
///
/// Nobody is pinned if there are more workers than cores, which the scheduler shares out better than a pin would, nor
/// if there is only one core, where a pin helps nobody.
pub(crate) fn auto(cores: &[usize], workers: usize) -> Vec<Option<usize>> {
    if cores.len() < 2 || workers > cores.len() {
        return vec![None; workers];
    }
    (0..workers)
        .map(|worker| Some(cores[(2 * worker + 1) * cores.len() / (2 * workers)]))
        .collect()
}

/// The cores that the process may use, kept to be given to a new thread of ours, which would otherwise inherit the pin
/// of whichever thread happens to spawn it. On systems other than Linux it holds nothing.
///
/// Take it just before the spawn: what the process is allowed later it does not know.
#[derive(Clone, Debug)]
pub(crate) struct ProcessMask(system::Mask);

impl ProcessMask {
    pub(crate) fn get() -> Self {
        Self(system::Mask::of_process())
    }

    /// To be called first thing on the new thread.
    pub(crate) fn apply_to_current(&self) {
        // A refusal is ignored on purpose: this only widens, and a thread that stays where its spawner was pinned does
        // its work all the same.
        let _ = self.0.apply_to_current();
    }
}

#[cfg(all(target_os = "linux", not(loom)))]
mod system {
    use std::{fs, io, mem};

    use libc::{c_ulong, cpu_set_t, pid_t};

    const CALLING_THREAD: pid_t = 0;
    const WORD_BITS: usize = c_ulong::BITS as usize;

    /// Cores that the C library's fixed set, and so `core_affinity`, can name; it panics beyond.
    const FIXED_SET_CORES: usize = 8 * mem::size_of::<cpu_set_t>();

    /// Far more cores than any kernel is built for (8,192 at most today): bounds the memory that a mask may take.
    const MAX_CORES: usize = 1 << 20;

    pub(super) fn cores() -> Vec<usize> {
        Mask::of_process().cores().collect()
    }

    pub(super) fn pin_current(core: usize) -> io::Result<()> {
        if core >= MAX_CORES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let before = Mask::of_thread(CALLING_THREAD)?;
        if core >= FIXED_SET_CORES {
            Mask::of_core(core).apply_to_current()?;
        } else if !core_affinity::set_for_current(core_affinity::CoreId { id: core }) {
            return Err(io::Error::last_os_error());
        }
        match Mask::of_thread(CALLING_THREAD) {
            Ok(now) if now.cores().eq([core]) => Ok(()),
            result => {
                // The error below is what counts; if the mask cannot be given back there is nothing left to try.
                let _ = before.apply_to_current();
                Err(result.err().unwrap_or(io::ErrorKind::Other.into()))
            }
        }
    }

    /// A set of cores as the kernel lays it out: bit `n % WORD_BITS` of word `n / WORD_BITS` is core `n`.
    #[derive(Clone, Debug)]
    pub(super) struct Mask {
        words: Vec<c_ulong>,
    }

    impl Mask {
        /// What any thread of the process may use; empty if the kernel tells nothing.
        pub(super) fn of_process() -> Self {
            let others = fs::read_dir("/proc/self/task").into_iter().flatten();
            let others = others.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());

            let mut union = Self { words: Vec::new() };
            // The caller by itself too, for where /proc is not mounted. A thread that has ended meanwhile is no loss.
            for thread in others.chain([CALLING_THREAD]) {
                if let Ok(mask) = Self::of_thread(thread) {
                    union.add(&mask);
                }
            }
            union
        }

        fn of_thread(thread: pid_t) -> io::Result<Self> {
            Self::read_growing(|words| {
                let bytes = mem::size_of_val(words);
                let mask = words.as_mut_ptr().cast::<cpu_set_t>();
                // SAFETY: the kernel writes at most `bytes` bytes at `mask`, which `words` borrows mutably.
                let result = unsafe { libc::sched_getaffinity(thread, bytes, mask) };
                succeeded(result)
            })
        }

        /// Calls `read` with ever more room for as long as it answers EINVAL: the kernel has more cores than fit.
        fn read_growing(
            mut read: impl FnMut(&mut [c_ulong]) -> io::Result<()>,
        ) -> io::Result<Self> {
            let mut words = vec![0; 1024 / WORD_BITS];
            loop {
                match read(&mut words) {
                    Ok(()) => return Ok(Self { words }),
                    Err(error) if error.raw_os_error() != Some(libc::EINVAL) => return Err(error),
                    Err(error) if words.len() * WORD_BITS >= MAX_CORES => return Err(error),
                    Err(_) => words.resize(words.len() * 2, 0),
                }
            }
        }

        fn of_core(core: usize) -> Self {
            // Whole 1024s, as the kernel takes no length that is not a multiple of its own word.
            let mut words = vec![0; (core / 1024 + 1) * (1024 / WORD_BITS)];
            words[core / WORD_BITS] = 1 << (core % WORD_BITS);
            Self { words }
        }

        pub(super) fn apply_to_current(&self) -> io::Result<()> {
            let bytes = mem::size_of_val(self.words.as_slice());
            let mask = self.words.as_ptr().cast::<cpu_set_t>();
            // SAFETY: the kernel reads at most `bytes` bytes at `mask`, which `self` borrows.
            let result = unsafe { libc::sched_setaffinity(CALLING_THREAD, bytes, mask) };
            succeeded(result)
        }

        fn add(&mut self, other: &Self) {
            let len = self.words.len().max(other.words.len());
            self.words.resize(len, 0);
            for (word, more) in self.words.iter_mut().zip(&other.words) {
                *word |= more;
            }
        }

        fn cores(&self) -> impl Iterator<Item = usize> {
            let bits = self.words.len() * WORD_BITS;
            (0..bits).filter(|core| (self.words[core / WORD_BITS] >> (core % WORD_BITS)) & 1 == 1)
        }
    }

    fn succeeded(result: libc::c_int) -> io::Result<()> {
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::super::ProcessMask;
        use super::*;

        fn current() -> Vec<usize> {
            let mask = Mask::of_thread(CALLING_THREAD).expect("own mask");
            mask.cores().collect()
        }

        #[test]
        fn a_mask_grows_to_the_kernels_size() {
            let mask = Mask::read_growing(|words| {
                let Some(word) = words.get_mut(4_999 / WORD_BITS) else {
                    return Err(io::Error::from_raw_os_error(libc::EINVAL));
                };
                *word = 1 << (4_999 % WORD_BITS);
                Ok(())
            });
            assert!(mask.expect("grown").cores().eq([4_999]));
        }

        #[test]
        fn a_mask_stops_growing() {
            let mut room = 0;
            let result = Mask::read_growing(|words| {
                room = words.len() * WORD_BITS;
                Err(io::Error::from_raw_os_error(libc::EINVAL))
            });
            assert!(result.is_err());
            assert_eq!(room, MAX_CORES);
        }

        #[test]
        fn masks_of_any_length_add_up() {
            let mut union = Mask { words: Vec::new() };
            for core in [1_023, 0, 5_000, 1_024, 0] {
                union.add(&Mask::of_core(core));
            }
            assert!(union.cores().eq([0, 1_023, 1_024, 5_000]));
        }

        #[test]
        fn a_grown_mask_is_accepted_by_the_kernel() {
            let test = std::thread::spawn(|| {
                let core = current()[0];
                let mut mask = Mask::of_core(core);
                mask.words.resize(8_192 / WORD_BITS, 0);
                mask.apply_to_current().expect("pinned");
                assert_eq!(current(), [core]);
            });
            test.join().expect("no panic");
        }

        #[test]
        fn a_thread_of_ours_sheds_its_spawners_pin() {
            let process = cores();
            let test = std::thread::spawn(move || {
                for &core in &process {
                    pin_current(core).expect("pinned");
                    let mask = ProcessMask::get();
                    let child = std::thread::spawn(move || {
                        assert_eq!(current(), [core], "inherits the pin");
                        mask.apply_to_current();
                        current()
                    });
                    assert_eq!(child.join().expect("no panic"), process);
                    assert_eq!(current(), [core], "the spawner keeps its own");
                }
            });
            test.join().expect("no panic");
        }
    }
}

#[cfg(not(all(target_os = "linux", not(loom))))]
mod system {
    use std::io;

    /// The cores that `core_affinity` can name without a panic or a wrap, where it can pin at all.
    const NAMEABLE: Option<usize> = if cfg!(loom) {
        None
    } else if cfg!(target_os = "windows") {
        Some(64)
    } else if cfg!(target_os = "freebsd") {
        Some(256)
    } else if cfg!(all(target_os = "android", target_pointer_width = "64")) {
        Some(1_024)
    } else if cfg!(target_os = "android") {
        Some(32)
    } else {
        None
    };

    pub(super) fn cores() -> Vec<usize> {
        if cfg!(loom) { vec![0] } else { Vec::new() }
    }

    pub(super) fn pin_current(core: usize) -> io::Result<()> {
        match NAMEABLE {
            None => Ok(()),
            Some(limit) if core >= limit => Err(io::ErrorKind::InvalidInput.into()),
            Some(_) if core_affinity::set_for_current(core_affinity::CoreId { id: core }) => Ok(()),
            Some(_) => Err(io::Error::last_os_error()),
        }
    }

    #[derive(Clone, Debug)]
    pub(super) struct Mask;

    impl Mask {
        pub(super) fn of_process() -> Self {
            Self
        }

        pub(super) fn apply_to_current(&self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_the_middle_of_equal_shares() {
        let cores: Vec<usize> = (10..18).collect();
        assert_eq!(auto(&cores, 1), [Some(14)]);
        assert_eq!(auto(&cores, 2), [Some(12), Some(16)]);
        assert_eq!(auto(&cores, 3), [Some(11), Some(14), Some(16)]);
        assert_eq!(auto(&cores[..2], 1), [Some(11)]);
    }

    #[test]
    fn auto_gives_each_worker_a_core_of_its_own_or_none() {
        for count in 0..16 {
            let cores: Vec<usize> = (0..count).map(|core| 3 * core + 1).collect();
            for workers in 0..16 {
                let placed = auto(&cores, workers);
                assert_eq!(placed.len(), workers);
                if count < 2 || workers > count {
                    assert!(placed.iter().all(Option::is_none));
                } else {
                    assert!(placed.iter().flatten().all(|core| cores.contains(core)));
                    assert!(placed.is_sorted_by(|a, b| a.is_some() && a < b));
                }
            }
        }
    }
}
