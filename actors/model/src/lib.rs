//! The nouns of the product.
//!
//! Every type here is a plain value: no I/O, no clock. Bytes are the business of `engine/wire`,
//! which converts to and from these types.

mod alarm;
mod alarm_life;
mod alarm_response;
mod alarm_state;
mod answer_config;
mod band;
mod command;
mod door_evidence;
mod door_order;
mod event;
mod id;
mod incident;
mod lane;
mod name;
mod node_trouble;
mod pass;
mod ping;
mod report;
mod site_config;
mod snake_case;
mod time;

pub use alarm::{
    AlarmKind, AlarmNotice, AlarmPriority, AlarmReason, AlarmTransition, Cause, Gate, Place,
};
pub use alarm_life::{ActMark, AlarmCause, AlarmLife, REMARK_BYTES_MAX, Remark, RemarkError};
pub use alarm_response::AlarmResponse;
pub use alarm_state::{AlarmState, AlarmStateName};
pub use answer_config::{AnswerConfig, DelayConfig, Escalation, ResponseConfig, StaysUntil};
pub use band::BandWish;
pub use command::{
    AlarmAct, AlarmWish, Command, CommandKind, DoorAct, DoorWish, EmergencyWish, EntityRef,
    QuietKind, QuietScope, QuietWish, WishRefusal,
};
pub use door_evidence::{DoorEvidence, LockMark, PassMark};
pub use door_order::{
    DoorAnswer, DoorLease, DoorMode, DoorOrder, DoorScope, DoorSlot, DoorStanding, Emergency,
    EmergencyKind, Practice,
};
pub use event::{Event, EventKind};
pub use id::{
    AlarmId, AnchorRef, BadgeRef, DoorRef, LineRef, RuleRef, SourceRef, SubjectRef, TagId, TagRef,
    ZoneRef,
};
pub use incident::IncidentMark;
pub use lane::Lane;
pub use name::{NAME_BYTES_MAX, Name, NameError};
pub use node_trouble::NodeTrouble;
pub use pass::{Escort, Pass, PassEnd, PassNotice, PassWish};
pub use ping::{Fix, Ping, PingBatch};
pub use report::{Report, ReportKind};
pub use site_config::{
    AnchorConfig, BadgeConfig, Condition, ControlConfig, DoorConfig, LineConfig, RuleConfig,
    SiteConfig, SourceConfig, SpeedLimit, SubjectClass, SubjectConfig, TagConfig, UtcOffset, Who,
    Window, ZoneConfig,
};
pub use snake_case::snake_case;
pub use time::{NS_PER_MS, NS_PER_S, Timestamp};
