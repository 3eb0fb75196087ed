//! How much processor time the node's one thread spends from a vendor's frames to the alarm that follows.
//!
//! It begins with the turn of a session that decodes the ping or report, before the first of the turn's, and
//! ends when the alarm is in the queues of all its subscribers. All that the thread does meanwhile counts, for
//! whomever: the rest of the turn's frames, the decisions on what else waits, other sessions, connections,
//! the kernel on their behalf, and an interrupt, which no clock of a thread leaves out. What it does not
//! count is the wait for that turn, in the socket, in the stream, or behind the pings before it in a frame that is
//! taken in pieces, and the way of the alarm from the queue to the socket. So it is the same however a client
//! cuts its frames; wall time, told beside it, counts from the frame.
//!
//! Off unless asked for: reading the thread's clock is a system call of some 200 ns at each wake-up.

use std::cell::RefCell;
use std::collections::VecDeque;

use ach_actors_model::{Lane, SourceRef};
use rustix::time::{ClockId, clock_gettime};

/// Bounds of the histogram, in nanoseconds: fine about the 100 µs that a residence is to stay below, and below the
/// millisecond of a press in the midst of a storm.
pub(crate) const RESIDENCE_NS: &[u64] = &[
    10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 60_000, 70_000, 80_000, 90_000,
    100_000, 120_000, 150_000, 200_000, 300_000, 500_000, 650_000, 800_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000,
];

/// Turns remembered. An alarm comes some turns after its input; at 50,000 a second these are
/// 80 ms, and what takes longer waited in a full lane and is told by the lane's wait.
const TURNS_MAX: usize = 4_096;

/// What was taken in one turn: the inputs of a lane from a number on.
#[derive(Debug, Clone, Copy)]
struct Turn {
    source: SourceRef,
    lane: Lane,
    first_seq: u64,
    cpu_ns: u64,
}

/// The thread's clock at its latest turns.
#[derive(Debug)]
pub(crate) struct Residence {
    /// `None` measures nothing.
    turns: Option<RefCell<VecDeque<Turn>>>,
}

impl Residence {
    /// Measures, or does nothing.
    pub(crate) fn new(is_measured: bool) -> Residence {
        let turns = is_measured.then(|| RefCell::new(VecDeque::with_capacity(TURNS_MAX)));
        Residence { turns }
    }

    /// Inputs of a lane are about to be taken, from a number on.
    pub(crate) fn begin(&self, source: SourceRef, lane: Lane, first_seq: u64) {
        if let Some(turns) = &self.turns {
            let mut turns = turns.borrow_mut();
            if turns.len() == TURNS_MAX {
                turns.pop_front();
            }
            turns.push_back(Turn { source, lane, first_seq, cpu_ns: thread_cpu_ns() });
        }
    }

    /// An alarm of an input is with its subscribers. Gives what the thread has spent since the turn
    /// that took the input, if that is known.
    pub(crate) fn end(&self, source: SourceRef, lane: Lane, seq: u64) -> Option<u64> {
        let turns = self.turns.as_ref()?.borrow();
        let of_lane = |turn: &&Turn| turn.source == source && turn.lane == lane;
        let turn = turns.iter().rev().filter(of_lane).find(|turn| turn.first_seq <= seq)?;
        Some(thread_cpu_ns().saturating_sub(turn.cpu_ns))
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
    fn what_the_thread_spends_between_the_turn_of_an_input_and_its_alarm_is_told() {
        let (feed, desk) = (SourceRef(0), SourceRef(1));
        let residence = Residence::new(true);
        residence.begin(feed, Lane::Ping, 100);
        let begun_ns = thread_cpu_ns();
        while thread_cpu_ns() < begun_ns + 2_000_000 {}
        residence.begin(feed, Lane::Ping, 110);
        residence.begin(desk, Lane::Door, 105);
        let spent = |source, lane, seq| residence.end(source, lane, seq);
        let (first, second) = (spent(feed, Lane::Ping, 109), spent(feed, Lane::Ping, 110));
        assert!(first.unwrap() >= 2_000_000, "{first:?}");
        assert!(second.unwrap() < first.unwrap(), "{second:?} after {first:?}");
        assert_eq!(spent(feed, Lane::Ping, 99), None, "before all that is known");
        assert_eq!(spent(desk, Lane::Ping, 105), None, "another lane");
        assert!(spent(desk, Lane::Door, 105).is_some());
        for seq in 0..TURNS_MAX {
            residence.begin(feed, Lane::Ping, u64::try_from(seq).unwrap() + 200);
        }
        assert_eq!(spent(desk, Lane::Door, 105), None, "forgotten");
        assert_eq!(Residence::new(false).end(feed, Lane::Ping, 110), None);
    }
}
