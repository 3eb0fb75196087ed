//! What alarms were like for those who answer them.
//!
//! An [`AlarmLog`] makes episodes of what was said of alarms; a [`Review`] counts what ISA-18.2 (IEC 62682) looks at:
//! how many there were, when too many for anybody, which came most, which came and went like chatter, and which
//! stood open for days. A [`Response`] counts how soon people answered and what they said it was. Nothing here reads a clock or a disk. What is counted, and how, is in
//! `docs/specs/alarm-review.md`.

mod answers;
mod bad_actor;
mod causes;
mod episode;
mod flood;
mod lengths;
mod log;
mod peak;
mod response;
mod review;

pub use answers::Answers;
pub use bad_actor::{About, BadActor, CHATTER_COUNT_MIN, CHATTER_NS};
pub use causes::{Causes, Truth};
pub use episode::{Episode, Fate};
pub use flood::{FLOOD_COUNT_MAX, FLOOD_NS, FLOOD_OVER_COUNT, Flood};
pub use lengths::Lengths;
pub use log::{AlarmLog, EPISODES_MAX, TooManyAlarms};
pub use peak::Peak;
pub use response::{Response, TARGET_NS};
pub use review::{BRIEF_NS, Review, STANDING_NS};
