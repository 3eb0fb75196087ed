//! Probes, and what operators ask.

use ach_actors_model::{AlarmAct, AlarmCause, AlarmId, AlarmWish, Name, QuietKind, Remark};

use crate::limits::{COUNTERS_MAX, ECHO_BYTES_MAX};
use crate::tlv::{Value, message};
use crate::value::words;
use crate::{
    BandOrder, Code, Cursor, LeaveOrder, Text, Thing, WireDoorWish, WireEmergencyWish, WireError,
};

/// That many zeros, and no more than [`ECHO_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Padding {
    /// How many bytes.
    pub bytes: u32,
}

impl Value for Padding {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let bytes = usize::try_from(self.bytes.min(ECHO_BYTES_MAX)).unwrap_or(0);
        out.resize(out.len().saturating_add(bytes), 0);
        Ok(())
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Padding, WireError> {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if count > ECHO_BYTES_MAX {
            return Err(WireError::Length { part, bytes: bytes.len() });
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(WireError::ReservedNotZero { part });
        }
        Ok(Padding { bytes: count })
    }
}

message! {
    /// A probe: the node answers it at once, on the stream of a subscription if one is named.
    pub struct Echo {
        /// Comes back as it is.
        1 => nonce: u64,
        /// On whose stream to answer; none is the control stream.
        2 => subscription: Option<u32>,
        /// How much padding the answer is to have.
        3 => reply_bytes: u32,
        /// Padding of the question.
        4 => padding: Padding,
    }
}

message! {
    /// The answer to [`Echo`].
    pub struct EchoReply {
        /// As in the question.
        1 => nonce: u64,
        /// As much as was asked for.
        2 => padding: Padding,
    }
}

message! {
    /// An operator's wish.
    pub struct WireCommand {
        /// The operator's own number for it; the same one again on the same connection has the same
        /// answer and is done once. Over another connection it is done again: a wish says how something
        /// is to be, not what is to change, so that does no harm but that a comment stands twice and
        /// that a time begins anew.
        1 => command: u64,
        /// What is wished.
        2 => wish: Wish,
    }
}

/// What is wished: `u8 kind`, then a [`Thing`] (1, 2), an [`ActWish`] (3), a [`QuietOrder`] (4), a
/// [`WireDoorWish`] (5), a [`WireEmergencyWish`] (6), a [`LeaveOrder`] (7) or a [`BandOrder`] (8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Let a quarantined actor work again.
    ReleaseActor(Thing),
    /// Quarantine an actor by hand.
    QuarantineActor(Thing),
    /// Do something with an alarm.
    Act(ActWish),
    /// Mute a place or rule, take it out of service, or end that.
    Quiet(QuietOrder),
    /// Say what a door is to do.
    MoveDoor(WireDoorWish),
    /// Declare or end a lockdown or an evacuation.
    Declare(WireEmergencyWish),
    /// Give a subject leave, or end it.
    Leave(LeaveOrder),
    /// Say that a band may be off for a time, or is on.
    Band(BandOrder),
}

message! {
    /// What is to be done with an alarm.
    pub struct ActWish {
        /// Which.
        1 => alarm: AlarmId,
        /// What.
        2 => act: ActWord,
        /// To whom it is assigned; none is nobody.
        3 => to: Option<Name>,
        /// For how long it is shelved.
        4 => for_ns: Option<u64>,
        /// What it was, when it is closed.
        5 => cause: Option<AlarmCause>,
        /// The person a program wishes it for; none is whoever is connected.
        6 => person: Option<Name>,
        /// Words with it.
        7 => remark: Option<Remark>,
    }
}

/// What can be done with an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActWord {
    /// Take notice.
    Acknowledge,
    /// Confirm that what had to be done was done.
    Confirm,
    /// Give it to somebody, or to nobody.
    Assign,
    /// Say something about it.
    Comment,
    /// Put its condition aside.
    Shelve,
    /// Put it aside no more.
    Unshelve,
    /// Let it latch no more.
    Reset,
    /// Say what it was.
    Close,
}

words!(ActWord {
    Acknowledge = 1,
    Confirm = 2,
    Assign = 3,
    Comment = 4,
    Shelve = 5,
    Unshelve = 6,
    Reset = 7,
    Close = 8,
});

impl ActWish {
    /// As the shard takes it; nothing if what the word needs is not there.
    pub fn to_model(&self) -> Option<AlarmWish> {
        let act = match self.act {
            ActWord::Acknowledge => AlarmAct::Acknowledge,
            ActWord::Confirm => AlarmAct::Confirm,
            ActWord::Assign => AlarmAct::Assign { to: self.to.clone() },
            ActWord::Comment => AlarmAct::Comment,
            ActWord::Shelve => AlarmAct::Shelve { for_ns: self.for_ns? },
            ActWord::Unshelve => AlarmAct::Unshelve,
            ActWord::Reset => AlarmAct::Reset,
            ActWord::Close => AlarmAct::Close { cause: self.cause? },
        };
        let (person, remark) = (self.person.clone(), self.remark.clone());
        Some(AlarmWish { alarm: self.alarm, act, person, remark })
    }
}

impl From<AlarmWish> for ActWish {
    fn from(wish: AlarmWish) -> ActWish {
        let (mut to, mut for_ns, mut cause) = (None, None, None);
        let act = match wish.act {
            AlarmAct::Acknowledge => ActWord::Acknowledge,
            AlarmAct::Confirm => ActWord::Confirm,
            AlarmAct::Assign { to: whom } => {
                to = whom;
                ActWord::Assign
            }
            AlarmAct::Comment => ActWord::Comment,
            AlarmAct::Shelve { for_ns: long } => {
                for_ns = Some(long);
                ActWord::Shelve
            }
            AlarmAct::Unshelve => ActWord::Unshelve,
            AlarmAct::Reset => ActWord::Reset,
            AlarmAct::Close { cause: what } => {
                cause = Some(what);
                ActWord::Close
            }
        };
        let AlarmWish { alarm, person, remark, .. } = wish;
        ActWish { alarm, act, to, for_ns, cause, person, remark }
    }
}

message! {
    /// What is to be quiet. Exactly one of place and rule is named.
    pub struct QuietOrder {
        /// A zone, door, line, tag, feed or anchor.
        1 => place: Option<Thing>,
        /// A rule.
        2 => rule: Option<Name>,
        /// How.
        3 => kind: QuietKind,
        /// For how long from now; 0 ends it.
        4 => for_ns: u64,
        /// The person a program wishes it for; none is whoever is connected.
        5 => person: Option<Name>,
        /// Words with it.
        6 => remark: Option<Remark>,
    }
}

impl Value for Wish {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            Wish::ReleaseActor(thing) => {
                out.push(1);
                thing.put(out)
            }
            Wish::QuarantineActor(thing) => {
                out.push(2);
                thing.put(out)
            }
            Wish::Act(wish) => {
                out.push(3);
                wish.put(out)
            }
            Wish::Quiet(order) => {
                out.push(4);
                order.put(out)
            }
            Wish::MoveDoor(wish) => {
                out.push(5);
                wish.put(out)
            }
            Wish::Declare(wish) => {
                out.push(6);
                wish.put(out)
            }
            Wish::Leave(order) => {
                out.push(7);
                order.put(out)
            }
            Wish::Band(order) => {
                out.push(8);
                order.put(out)
            }
        }
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Wish, WireError> {
        match bytes.split_first() {
            Some((1, rest)) => Thing::take(rest, part).map(Wish::ReleaseActor),
            Some((2, rest)) => Thing::take(rest, part).map(Wish::QuarantineActor),
            Some((3, rest)) => ActWish::take(rest, part).map(Wish::Act),
            Some((4, rest)) => QuietOrder::take(rest, part).map(Wish::Quiet),
            Some((5, rest)) => WireDoorWish::take(rest, part).map(Wish::MoveDoor),
            Some((6, rest)) => WireEmergencyWish::take(rest, part).map(Wish::Declare),
            Some((7, rest)) => LeaveOrder::take(rest, part).map(Wish::Leave),
            Some((8, rest)) => BandOrder::take(rest, part).map(Wish::Band),
            _ => Err(WireError::Value { part }),
        }
    }
}

message! {
    /// The answer to [`WireCommand`], given when it is durable or refused.
    pub struct Receipt {
        /// As in the wish.
        1 => command: u64,
        /// [`Code::Done`], or why not.
        2 => code: Code,
        /// In words.
        3 => detail: Text,
        /// Where it stands in the order, if it was done.
        4 => cursor: Option<Cursor>,
    }
}

message! {
    /// An operator asks for the counters.
    pub struct StatusQuery {
        /// The operator's own number for it.
        1 => query: u64,
    }
}

message! {
    list COUNTERS_MAX;
    /// A counter.
    pub struct Counter {
        /// Its name, as in the metrics.
        1 => name: Name,
        /// Its value.
        2 => count: u64,
    }
}

message! {
    /// The answer to [`StatusQuery`].
    pub struct Status {
        /// As in the question.
        1 => query: u64,
        /// The node.
        2 => node: Name,
        /// The site.
        3 => site: Name,
        /// Whether the node stores.
        4 => is_storing: bool,
        /// The last durable entry.
        5 => cursor: Option<Cursor>,
        /// The counters.
        6 => counters: Vec<Counter>,
    }
}
