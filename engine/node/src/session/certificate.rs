//! A session ends with the certificate that let its peer in.

use std::time::Duration;

use ach_engine_wire::Code;
use tokio::time::sleep;

use super::Session;
use super::fault::Fault;

/// The end is looked for at least this often: timers do not know of a clock that was set, nor always
/// of a machine that slept.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Returns when the peer's certificate has ended, by the node's UTC.
pub(crate) async fn ended(session: &Session) {
    let mut skew = session.rim.skew_ns.subscribe();
    loop {
        let left_ns = session.valid_until.since_ns(session.rim.clock.utc());
        if left_ns == 0 {
            return;
        }
        tokio::select! {
            biased;
            () = sleep(Duration::from_nanos(left_ns).min(LOOK_EVERY)) => {}
            // An error means that the node has ended, and with it this session.
            _ = skew.changed() => {}
        }
    }
}

/// What a peer is told whose certificate has ended.
pub(crate) fn fault() -> Fault {
    Fault::peer(Code::CertificateEnded, "the certificate has ended, enrol again")
}
