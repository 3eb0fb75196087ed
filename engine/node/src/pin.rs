//! Keeps a hot thread on one core, as well as the machine lets us.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Pins the calling thread to the `nth` of the cores it may use, counted round. Returns whether it
/// worked; a node runs as well, only less evenly, when it did not.
pub(crate) fn pin_thread(nth: usize) -> bool {
    let Ok(allowed) = sched_getaffinity(None) else { return false };
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
    let Some(&core) = cores.get(nth.checked_rem(cores.len()).unwrap_or(0)) else { return false };
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).is_ok()
}

/// How many cores this process may use.
pub(crate) fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_may_use_one_core() {
        let cores = std::thread::spawn(|| {
            assert!(pin_thread(usize::MAX));
            core_count()
        });
        assert_eq!(cores.join().unwrap(), 1);
    }
}
