//! The lane streams of a vendor's session.

use std::rc::Rc;

use ach_actors_model::Lane;
use ach_engine_net::FrameSource;
use ach_engine_wire::{Code, Preamble};
use quinn::RecvStream;
use tokio::task::JoinSet;

use super::fault::Fault;
use super::vendor::SharedVendor;
use super::{End, Session, ping_lane, report_lane};

/// The lane streams a vendor has open: one a lane.
#[derive(Debug, Default)]
pub(super) struct LaneStreams {
    waiting: usize,
}

impl LaneStreams {
    /// Takes a stream that the peer has opened.
    pub(super) fn open(
        &mut self,
        session: &Rc<Session>,
        vendor: Option<&SharedVendor>,
        stream: RecvStream,
        tasks: &mut JoinSet<Result<End, Fault>>,
    ) -> Result<(), Fault> {
        let Some(vendor) = vendor else {
            let detail = "only a vendor's certificate may publish";
            return Err(Fault::peer(Code::WrongRole, detail));
        };
        self.waiting = self.waiting.saturating_add(1);
        if self.waiting > crate::ack_table::VENDOR_LANES.len() {
            return Err(Fault::peer(Code::BadStream, "one stream a lane and connection"));
        }
        tasks.spawn_local(read_lane(session.clone(), vendor.clone(), stream));
        Ok(())
    }
}

async fn read_lane(
    session: Rc<Session>,
    vendor: SharedVendor,
    stream: RecvStream,
) -> Result<End, Fault> {
    let within = session.rim.limits.frame_within;
    let (preamble, frames) = FrameSource::open_within(stream, within).await?;
    let Preamble::Lane { lane, epoch } = preamble else {
        return Err(Fault::peer(Code::BadStream, "a client opens lanes only"));
    };
    if epoch != vendor.epoch {
        return Err(Fault::peer(Code::WrongEpoch, "another epoch is in force"));
    }
    if !vendor.claim(lane) {
        return Err(Fault::peer(Code::BadStream, "one stream a lane and connection"));
    }
    match lane {
        Lane::Ping => ping_lane::read_pings(session, vendor, frames).await?,
        _ => report_lane::read_reports(session, vendor, lane, frames).await?,
    }
    Ok(End::Stream)
}
