//! Every byte that leaves the process: protocol `ach/1` and the coding of entries.
//!
//! Nothing here does I/O. `docs/specs/wire.md` is the protocol for a reader who writes a client in
//! another language; `clients/vectors` holds bytes to test it with.

mod ack;
mod alarm_note;
mod attention;
mod code;
mod door;
mod entry;
mod event_note;
mod frame;
mod frame_reader;
mod header;
mod leave;
pub mod limits;
mod operation;
mod ping_run;
mod preamble;
mod quiet;
mod selftest;
mod session;
mod site_offer;
mod state;
mod state_writer;
mod subscribe;
mod thing;
mod tlv;
mod unregistered;
mod value;
mod wire_error;
mod wire_ping;
mod wire_report;

pub use ack::{Ack, LaneTotals};
pub use alarm_note::{
    ActNote, AlarmNote, AlarmSettled, DoorNote, Gap, IncidentNote, LifeNote, OpenSetEnd,
    ProvisionalReason, ResponseNote, Storage,
};
pub use attention::{Attention, AttentionQuery, Displayed, WireReceiver};
pub use code::Code;
pub use door::{
    DoorActWord, Doors, DoorsQuery, WireDoor, WireDoorOrder, WireDoorWish, WireEmergency,
    WireEmergencyWish,
};
pub use entry::{ENTRY_FORMAT_VERSION, EntryError, decode_entry, encode_entry, entry_time};
pub use event_note::{EventNote, EventWord, PositionNote};
pub use frame::{Frame, FrameType};
pub use frame_reader::{FrameReader, RawFrame};
pub use header::{FrameHeader, SKIPPABLE_FRAME_TYPE};
pub use leave::{BandOrder, LeaveOrder, LeaveQuery, Leaves, WireLeave};
pub use operation::{
    ActWish, ActWord, Counter, Echo, EchoReply, Padding, QuietOrder, Receipt, Status, StatusQuery,
    WireCommand, Wish,
};
pub use ping_run::{PingRun, encode_pings};
pub use preamble::{PREAMBLE_BYTES, Preamble};
pub use quiet::{QuietList, QuietQuery, WireQuiet};
pub use selftest::{SelftestFinding, SelftestHop, SelftestOrder, SelftestReceiver, SelftestReport};
pub use session::{
    CertificateEnds, ClockOffset, Goodbye, Heartbeat, Hello, Intern, InternItem, InternRefusal,
    Interned, LaneResume, LaneWelcome, PROTOCOL_VERSION, Refusal, Refused, Welcome,
};
pub use site_offer::{
    FrameMarks, PartBytes, SiteBytesError, SiteDigest, SiteOffer, SitePart, SiteQuery, SiteVerdict,
    decode_site, encode_site,
};
pub use state::{StateError, decode_piece, decode_state, encode_piece, encode_state, split_pieces};
pub use subscribe::{Filter, Subscribe, Topic, Unsubscribe};
pub use thing::{Cursor, InputCause, Thing, WireCause};
pub use unregistered::{Unregistered, UnregisteredQuery, UnregisteredTag};
pub use value::Text;
pub use wire_error::WireError;
pub use wire_ping::{Coordinates, NOT_A_NUMBER, PING_BYTES, PingReading, WirePing};
pub use wire_report::{REPORT_BYTES, ReportWord, WireReport, decode_reports, encode_reports};
