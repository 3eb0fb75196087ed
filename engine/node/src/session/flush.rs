//! Writes to peers that may not read.

use std::time::Duration;

use ach_engine_net::FrameSink;
use ach_engine_wire::Code;
use tokio::time::timeout;

use super::fault::Fault;

/// Writes what is gathered. A peer that takes it slowly is waited for; one that takes nothing at all
/// for `stall_max` is not.
///
/// # Errors
///
/// The peer is gone, or does not read.
pub(crate) async fn flush(out: &mut FrameSink, stall_max: Duration) -> Result<(), Fault> {
    loop {
        let pending_bytes = out.pending_bytes();
        match timeout(stall_max, out.flush()).await {
            Ok(flushed) => return flushed.map_err(Fault::from),
            Err(_) if out.pending_bytes() < pending_bytes => {}
            Err(_) => {
                out.reset(Code::TooSlow);
                return Err(Fault::peer(Code::TooSlow, "the peer does not read"));
            }
        }
    }
}
