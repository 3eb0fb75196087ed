//! All frames of the protocol, by type.

use bytes::Bytes;

use crate::header::{SKIPPABLE_FRAME_TYPE, put_frame};
use crate::tlv::Value;
use crate::{
    Ack, AlarmNote, AlarmSettled, Attention, AttentionQuery, CertificateEnds, ClockOffset,
    Displayed, Doors, DoorsQuery, Echo, EchoReply, EventNote, Gap, Goodbye, Heartbeat, Hello,
    Intern, Interned, LeaveQuery, Leaves, OpenSetEnd, PingRun, PositionNote, QuietList, QuietQuery,
    RawFrame, Receipt, Refusal, Refused, SelftestOrder, SelftestReport, SiteOffer, SitePart,
    SiteQuery, SiteVerdict, Status, StatusQuery, Subscribe, Unregistered, UnregisteredQuery,
    Unsubscribe, Welcome, WireCommand, WireDoorOrder, WireError, WireReport, decode_reports,
    encode_pings, encode_reports,
};

macro_rules! frames {
    ($($(#[$doc:meta])* $name:ident($type:ty) = $value:literal,)*) => {
        /// What a payload is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum FrameType {
            $($(#[$doc])* $name = $value,)*
            /// Consecutive pings.
            Pings = 32,
            /// Reports.
            Reports = 33,
        }

        impl FrameType {
            /// All types.
            pub const ALL: &'static [FrameType] =
                &[$(FrameType::$name,)* FrameType::Pings, FrameType::Reports];

            /// The number on the wire.
            pub const fn value(self) -> u8 {
                match self {
                    $(FrameType::$name => $value,)*
                    FrameType::Pings => 32,
                    FrameType::Reports => 33,
                }
            }
        }

        /// A frame with its content.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Frame {
            $($(#[$doc])* $name($type),)*
            /// Consecutive pings.
            Pings(PingRun),
            /// Reports.
            Reports(Vec<WireReport>),
        }

        impl Frame {
            /// What it is.
            pub fn frame_type(&self) -> FrameType {
                match self {
                    $(Frame::$name(_) => FrameType::$name,)*
                    Frame::Pings(_) => FrameType::Pings,
                    Frame::Reports(_) => FrameType::Reports,
                }
            }

            /// Appends the frame, header and all.
            ///
            /// # Errors
            ///
            /// A list or the whole is over its limit; nothing is appended then.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
                match self {
                    $(Frame::$name(content) => {
                        put_frame(FrameType::$name.value(), out, |out| content.put(out))
                    })*
                    Frame::Pings(run) => encode_pings(run.first_seq(), run.pings(), out),
                    Frame::Reports(reports) => encode_reports(reports, out),
                }
            }

            /// Reads a frame. `None` for a type that is not known and is to be skipped.
            ///
            /// # Errors
            ///
            /// [`WireError`] with the code the peer is told.
            pub fn decode(raw: RawFrame) -> Result<Option<Frame>, WireError> {
                Frame::read(raw.frame_type, raw.payload)
            }

            fn read(frame_type: u8, payload: Bytes) -> Result<Option<Frame>, WireError> {
                Ok(Some(match frame_type {
                    $($value => Frame::$name(<$type>::take(&payload, stringify!($name))?),)*
                    32 => Frame::Pings(PingRun::read(payload)?),
                    33 => Frame::Reports(decode_reports(&payload)?),
                    SKIPPABLE_FRAME_TYPE.. => return Ok(None),
                    _ => return Err(WireError::UnknownFrame { frame_type }),
                }))
            }
        }

        $(impl From<$type> for Frame {
            fn from(content: $type) -> Frame {
                Frame::$name(content)
            }
        })*
    };
}

frames! {
    /// Client: the first frame.
    Hello(Hello) = 1,
    /// Node: the answer to it.
    Welcome(Welcome) = 2,
    /// Vendor: handles for things.
    Intern(Intern) = 3,
    /// Node: the answer to it.
    Interned(Interned) = 4,
    /// Node: how far it has come.
    Ack(Ack) = 5,
    /// Node: inputs refused one by one.
    Refusal(Refusal) = 6,
    /// Node: something else refused.
    Refused(Refused) = 7,
    /// Both: about to close.
    Goodbye(Goodbye) = 8,
    /// Both: a sign of life.
    Heartbeat(Heartbeat) = 9,
    /// Node: the vendor's clock is off.
    ClockOffset(ClockOffset) = 10,
    /// Receiver: wants notes.
    Subscribe(Subscribe) = 11,
    /// Receiver: wants them no more.
    Unsubscribe(Unsubscribe) = 12,
    /// Client: a probe.
    Echo(Echo) = 13,
    /// Node: the answer to it.
    EchoReply(EchoReply) = 14,
    /// Operator: a wish.
    Command(WireCommand) = 15,
    /// Node: the answer to it.
    Receipt(Receipt) = 16,
    /// Operator: asks for counters.
    StatusQuery(StatusQuery) = 17,
    /// Node: the answer to it.
    Status(Status) = 18,
    /// Node: a change of an alarm.
    AlarmNote(AlarmNote) = 48,
    /// Node: a provisional change is durable or withdrawn.
    AlarmSettled(AlarmSettled) = 49,
    /// Node: all open alarms have been sent.
    OpenSetEnd(OpenSetEnd) = 50,
    /// Node: a fact.
    EventNote(EventNote) = 51,
    /// Node: where a tag is.
    PositionNote(PositionNote) = 52,
    /// Node: notes were left out.
    Gap(Gap) = 53,
    /// Operator: asks which version of the site is in force.
    SiteQuery(SiteQuery) = 128,
    /// Operator: offers a version of the site.
    SiteOffer(SiteOffer) = 129,
    /// Operator: bytes of it.
    SitePart(SitePart) = 130,
    /// Node: the answer to a question or an offer.
    SiteVerdict(SiteVerdict) = 131,
    /// Operator: asks for tags that the site does not have.
    UnregisteredQuery(UnregisteredQuery) = 132,
    /// Node: the answer to it.
    Unregistered(Unregistered) = 133,
    /// Node: the client's certificate ends soon.
    CertificateEnds(CertificateEnds) = 134,
    /// Receiver: what it has displayed.
    Displayed(Displayed) = 135,
    /// Operator: asks who displays alarms.
    AttentionQuery(AttentionQuery) = 136,
    /// Node: the answer to it.
    Attention(Attention) = 137,
    /// Operator: orders a self-test.
    SelftestOrder(SelftestOrder) = 138,
    /// Node: the answer to it.
    SelftestReport(SelftestReport) = 139,
    /// Node: what a door is to do.
    DoorOrder(WireDoorOrder) = 140,
    /// Operator: asks how doors stand.
    DoorsQuery(DoorsQuery) = 141,
    /// Node: the answer to it.
    Doors(Doors) = 142,
    /// Receiver, operator: asks who has leave.
    LeaveQuery(LeaveQuery) = 150,
    /// Node: the answer to it.
    Leaves(Leaves) = 151,
    /// Receiver or operator: asks what is quiet.
    QuietQuery(QuietQuery) = 156,
    /// Node: the answer to it.
    QuietList(QuietList) = 157,
}
