//! The actors, one entity a file.
//!
//! Each is a state machine with one entry point, `step(me, input, turn, out)`. It reads no clock,
//! does no I/O and cannot fail, so a test, the simulator and the shard run the same code. Of what a
//! step asks for, the shard first applies the changes of [`Health`], then delivers the messages.

mod absence;
mod alarm;
mod alarm_id;
mod anchor;
mod arrival;
mod badge_case;
mod band_off;
mod call_back;
mod case_box;
mod cases;
mod clue;
mod cold;
mod company;
mod delays;
mod docket;
mod door;
mod door_array;
mod door_battery;
mod door_control;
mod door_life;
mod door_orders;
mod door_watch;
mod effect;
mod episodes;
mod evidence;
mod flat;
mod health;
mod leave;
mod line_return;
mod line_side;
mod lone;
mod meeting;
mod motion;
mod node_trouble;
mod occupants;
mod packed;
mod pass_case;
mod pass_docket;
mod passages;
mod plain_ping;
mod quarantine;
mod recall;
mod record;
mod response;
mod selftest;
mod short_way;
mod sill;
mod site;
mod source;
mod subject;
mod subject_hearing;
mod switch;
mod tag;
mod tag_cases;
mod tag_reports;
mod tag_watch;
mod tailgating;
mod turn;
mod whereabouts;
mod zone;
mod zone_bench;

pub use alarm::{
    ALARM_COMMENTS_MAX, Hand, act_on, call, drop_unanswered, hear_condition, next_call, quieten,
};
pub use anchor::{Anchor, AnchorInput};
pub use arrival::{Arrival, Verdict};
pub use clue::{Clue, Clues};
pub use cold::{SubjectCold, TagCold};
pub use door::{Door, DoorInput};
pub use door_control::{DoorHand, DoorHold};
pub use effect::{Accepted, Effect, Release};
pub use episodes::ended;
pub(crate) use health::SILENCE_RECHECK_NS;
pub use health::{Health, HealthWas};
pub use node_trouble::trouble_notice;
pub use plain_ping::PlainPing;
pub use quarantine::{quarantine_notice, unheard_notice};
pub use response::{DoorWord, door_words, note_response, respond_at_last};
pub use selftest::selftest_notice;
pub use short_way::Followed;
pub use site::{
    ANCHOR_ZONE_COUNT_MAX, ControlPlan, GateMistake, HistoryRef, Site, SiteError, SiteHistory,
    SiteList, SiteMistake, SiteSummary, Unfounding,
};
pub use source::{Source, SourceInput};
pub use subject::{Subject, SubjectInput};
pub use tag::{Tag, TagInput};
pub use tailgating::DoorPassage;
pub use turn::{Deadline, DeadlineKind, HealthChange, Message, MessageBody, Outbox, Turn};
pub use whereabouts::Sighting;
pub use zone::{Zone, ZoneInput};
