//! How much processor time the node's one thread spends from a vendor's frames to the alarm that follows.
//!
//! It begins with the turn of a session that decodes the frame, before the first of the turn's frames, and
//! ends when the alarm is in the queues of all its subscribers. For the last ping of a large frame, which is
//! taken in pieces, that is several turns. All that the thread does meanwhile counts, for
//! whomever: the rest of the turn's frames, the decisions on what else waits, other sessions, connections,
//! the kernel on their behalf, and an interrupt, which no clock of a thread leaves out. What it does not
//! count is the wait of a frame in the socket or in its stream before its turn comes, and the way of the
//! alarm from the queue to the socket.
//!
//! Off unless asked for: reading the thread's clock is a system call of some 200 ns at each wake-up.

use std::cell::RefCell;
use std::collections::VecDeque;

use ach_actors_model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Bounds of the histogram, in nanoseconds: fine about the 100 µs that a residence is to stay below.
pub(crate) const RESIDENCE_NS: &[u64] = &[
    10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000,
    100_000, 120_000, 150_000, 200_000, 300_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
    10_000_000,
];

/// Wake-ups remembered. An alarm comes some wake-ups after its frames; at 50,000 a second these are
/// 80 ms, and what takes longer waited in a full lane and is told by the lane's wait.
const WAKES_MAX: usize = 4_096;

/// Frames taken in one turn.
#[derive(Debug, Clone, Copy)]
struct Wake {
    received_at: Timestamp,
    cpu_ns: u64,
}

/// The thread's clock at its latest wake-ups.
#[derive(Debug)]
pub(crate) struct Residence {
    /// `None` measures nothing.
    wakes: Option<RefCell<VecDeque<Wake>>>,
}

impl Residence {
    /// Measures, or does nothing.
    pub(crate) fn new(is_measured: bool) -> Residence {
        let wakes = is_measured.then(|| RefCell::new(VecDeque::with_capacity(WAKES_MAX)));
        Residence { wakes }
    }

    /// Frames that came by `received_at` are about to be taken.
    pub(crate) fn begin(&self, received_at: Timestamp) {
        if let Some(wakes) = &self.wakes {
            let mut wakes = wakes.borrow_mut();
            if wakes.len() == WAKES_MAX {
                wakes.pop_front();
            }
            wakes.push_back(Wake { received_at, cpu_ns: thread_cpu_ns() });
        }
    }

    /// An alarm of an input that came by `received_at` is with its subscribers. Gives what the thread
    /// has spent since, if it is known.
    pub(crate) fn end(&self, received_at: Timestamp) -> Option<u64> {
        let wakes = self.wakes.as_ref()?.borrow();
        let wake = wakes.iter().rev().find(|wake| wake.received_at <= received_at)?;
        let is_it = wake.received_at == received_at;
        is_it.then(|| thread_cpu_ns().saturating_sub(wake.cpu_ns))
    }
}

/// Processor time of the calling thread.
fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(time.tv_sec).saturating_mul(1_000_000_000).saturating_add(part(time.tv_nsec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_thread_spends_between_frames_and_alarm_is_told() {
        let residence = Residence::new(true);
        residence.begin(Timestamp(7));
        let begun_ns = thread_cpu_ns();
        while thread_cpu_ns() < begun_ns + 2_000_000 {}
        residence.begin(Timestamp(9));
        let (first, second) = (residence.end(Timestamp(7)), residence.end(Timestamp(9)));
        assert!(first.unwrap() >= 2_000_000, "{first:?}");
        assert!(second.unwrap() < first.unwrap(), "{second:?} after {first:?}");
        assert_eq!(residence.end(Timestamp(8)), None, "nothing came by then");
        for at in 10..10 + WAKES_MAX {
            residence.begin(Timestamp(u64::try_from(at).unwrap()));
        }
        assert_eq!(residence.end(Timestamp(9)), None, "forgotten");
        assert_eq!(Residence::new(false).end(Timestamp(7)), None);
    }
}
