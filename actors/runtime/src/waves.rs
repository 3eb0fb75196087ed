//! Bounds on what one input may set off.
//!
//! Actors that answer each other for ever would stop the shard. Messages are counted in waves: the
//! first wave is what the input itself sent, the next what those messages sent, and so on. A chain
//! of honest actors is a few waves long however many receivers a wave has, so the depth tells a
//! loop from a wide fan-out.

use std::error::Error;
use std::fmt;

/// Bounds of one input.
#[derive(Debug, Clone, Copy)]
pub struct Waves {
    depth_max: u32,
    message_count_max: usize,
    depth: u32,
    left_in_wave: usize,
    message_count: usize,
}

/// Why an input was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runaway {
    /// Messages set off messages too many times over.
    Depth,
    /// Too many messages altogether.
    Count,
}

impl fmt::Display for Runaway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Runaway::Depth => "messages set off messages without end",
            Runaway::Count => "one input set off too many messages",
        })
    }
}

impl Error for Runaway {}

impl Waves {
    /// At most `depth_max` waves and `message_count_max` messages.
    pub fn new(depth_max: u32, message_count_max: usize) -> Waves {
        Waves { depth_max, message_count_max, depth: 0, left_in_wave: 0, message_count: 0 }
    }

    /// Begins a new input.
    #[inline]
    pub fn restart(&mut self) {
        self.depth = 0;
        self.left_in_wave = 0;
        self.message_count = 0;
    }

    /// Counts the next message of a queue that holds `queued` messages, itself included.
    ///
    /// # Errors
    ///
    /// [`Runaway`] when it is one too many: stop, and undo the input.
    #[inline]
    pub fn admit(&mut self, queued: usize) -> Result<(), Runaway> {
        if self.left_in_wave == 0 {
            if self.depth == self.depth_max {
                return Err(Runaway::Depth);
            }
            self.depth += 1;
            self.left_in_wave = queued;
        }
        if self.message_count == self.message_count_max {
            return Err(Runaway::Count);
        }
        self.message_count += 1;
        self.left_in_wave = self.left_in_wave.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Delivers messages, each a count of messages it sends with one less, until none is left.
    #[track_caller]
    fn check(first: &[u32], answer: fn(u32) -> Vec<u32>, expected: Result<usize, Runaway>) {
        let mut waves = Waves::new(4, 1_000);
        let mut queue: VecDeque<u32> = first.iter().copied().collect();
        let mut delivered = 0;
        let outcome = loop {
            if queue.is_empty() {
                break Ok(delivered);
            }
            if let Err(runaway) = waves.admit(queue.len()) {
                break Err(runaway);
            }
            delivered += 1;
            let sent = queue.pop_front().map(answer).unwrap_or_default();
            queue.extend(sent);
        };
        assert_eq!(outcome, expected);
    }

    #[test]
    fn a_wide_fan_out_is_allowed_and_a_loop_is_not() {
        check(&[], |_| vec![], Ok(0));
        check(&[7; 900], |_| vec![], Ok(900));
        check(&[3], |n| if n == 0 { vec![] } else { vec![n - 1; 5] }, Ok(1 + 5 + 25 + 125));
        check(&[1], |n| vec![n], Err(Runaway::Depth));
        check(&[1, 2, 3], |n| vec![n], Err(Runaway::Depth));
        check(&[7; 1_001], |_| vec![], Err(Runaway::Count));
        check(&[0; 40], |n| if n == 0 { vec![1; 40] } else { vec![] }, Err(Runaway::Count));
    }

    #[test]
    fn every_input_starts_afresh() {
        let mut waves = Waves::new(1, 10);
        for _ in 0..100 {
            waves.restart();
            assert_eq!(waves.admit(1), Ok(()));
            assert_eq!(waves.admit(1), Err(Runaway::Depth));
        }
    }
}
