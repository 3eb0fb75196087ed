//! A tag that is located: which of its pings count, and which squares it is in.

use std::collections::VecDeque;

use ach_actors_model::{Ping, Timestamp};

use crate::site::{STAY_NS, ZONES};

/// Pings of which a repetition is known by its content (`docs/specs/acks.md`).
const REMEMBERED: usize = 4;

/// The zone in which nobody may stay.
const LOBBY: usize = 2;

/// What a ping is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    Duplicate,
    Late,
}

/// A tag's state.
#[derive(Debug, Default)]
pub(super) struct Mover {
    /// When it was where it is, at most when that arrived.
    latest_at: Option<Timestamp>,
    at_mm: (i32, i32),
    remembered: VecDeque<(Timestamp, i32, i32)>,
    is_in: [bool; ZONES.len()],
    stay_due_at: Option<Timestamp>,
}

impl Mover {
    pub(super) fn judge(&mut self, ping: &Ping, received_at: Timestamp) -> Verdict {
        let content = (ping.observed_at, ping.position.x_mm, ping.position.y_mm);
        if let Some(latest_at) = self.latest_at {
            if self.remembered.contains(&content) {
                return Verdict::Duplicate;
            }
            // Of a clock that is ahead, only the order of arrival is known.
            let is_late = if ping.observed_at > received_at {
                received_at < latest_at
            } else {
                ping.observed_at <= latest_at
            };
            if is_late {
                return Verdict::Late;
            }
        }
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(content);
        self.latest_at = Some(ping.observed_at.min(received_at));
        self.at_mm = (ping.position.x_mm, ping.position.y_mm);
        Verdict::New
    }

    /// The zones it has left and entered by its latest position.
    pub(super) fn cross(
        &mut self,
        observed_at: Timestamp,
        received_at: Timestamp,
    ) -> (Vec<usize>, Vec<usize>) {
        let (x_mm, y_mm) = self.at_mm;
        let (mut left, mut entered) = (Vec::new(), Vec::new());
        for (zone, ((_, square), is_in)) in ZONES.iter().zip(&mut self.is_in).enumerate() {
            let [west, south, east, north] = *square;
            let is_inside = (west..=east).contains(&x_mm) && (south..=north).contains(&y_mm);
            if std::mem::replace(is_in, is_inside) == is_inside {
                continue;
            }
            if is_inside {
                entered.push(zone);
            } else {
                left.push(zone);
            }
            if zone == LOBBY {
                let travelled_ns = received_at.since_ns(observed_at);
                let due_at = received_at.plus_ns(STAY_NS.saturating_sub(travelled_ns));
                self.stay_due_at = is_inside.then_some(due_at);
            }
        }
        (left, entered)
    }

    /// The zone in which it has stayed too long by now, and since when; told once a stay.
    pub(super) fn take_stay_due(&mut self, now: Timestamp) -> Option<(usize, Timestamp)> {
        self.stay_due_at.take_if(|due_at| *due_at <= now).map(|due_at| (LOBBY, due_at))
    }
}
