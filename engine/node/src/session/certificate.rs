//! A session ends with the certificate that let its peer in, and the peer is told in time.

use std::time::Duration;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_wire::{CertificateEnds, Code};
use tokio::time::sleep;

use super::Session;
use super::fault::Fault;

/// The end is looked for at least this often: timers do not know of a clock that was set, nor always
/// of a machine that slept.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// A peer is told from this long before the end: certificates are made for two years and as much more.
const WARN_WITHIN_NS: u64 = 60 * DAY_NS;

/// And as often, as long as it is connected.
const WARN_EVERY_NS: u64 = DAY_NS;

const DAY_NS: u64 = 86_400 * NS_PER_S;

/// Returns when the peer's certificate has ended, by the node's UTC. Tells it before.
pub(crate) async fn ended(session: &Session) {
    let mut skew = session.rim.skew_ns.subscribe();
    let mut warned_at = None;
    loop {
        let now = session.rim.clock.utc();
        let left_ns = session.valid_until.since_ns(now);
        if left_ns == 0 {
            return;
        }
        if is_warning_due(left_ns, warned_at, now) {
            warned_at = Some(now);
            session.rim.counters.certificate_ends_told.count();
            // A peer that reads no answers is noticed by the next question.
            let _ = session.answer(CertificateEnds { ends_at: session.valid_until });
        }
        tokio::select! {
            biased;
            () = sleep(Duration::from_nanos(left_ns).min(LOOK_EVERY)) => {}
            // An error means that the node has ended, and with it this session.
            _ = skew.changed() => {}
        }
    }
}

fn is_warning_due(left_ns: u64, warned_at: Option<Timestamp>, now: Timestamp) -> bool {
    left_ns <= WARN_WITHIN_NS && warned_at.is_none_or(|at| now.since_ns(at) >= WARN_EVERY_NS)
}

/// What a peer is told whose certificate has ended.
pub(crate) fn fault() -> Fault {
    Fault::peer(Code::CertificateEnded, "the certificate has ended, enrol again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_sixty_days_before_and_then_once_a_day() {
        let now = Timestamp(1_000 * DAY_NS);
        assert!(!is_warning_due(60 * DAY_NS + 1, None, now));
        assert!(is_warning_due(60 * DAY_NS, None, now));
        assert!(!is_warning_due(59 * DAY_NS, Some(now), now.plus_ns(DAY_NS - 1)));
        assert!(is_warning_due(59 * DAY_NS, Some(now), now.plus_ns(DAY_NS)));
    }
}
