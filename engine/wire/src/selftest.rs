//! A test alarm that an operator orders, and how far it came.

use ach_actors_model::{AlarmId, Name};

use crate::tlv::message;
use crate::{Code, Text};

message! {
    /// An operator orders a self-test.
    pub struct SelftestOrder {
        /// The operator's own number for it.
        1 => command: u64,
        /// Receivers that are gone for good: they are missed no more, until they display a test alarm.
        2 => dropped: Vec<Name>,
    }
}

message! {
    /// A place on the way of the test alarm that it came to.
    pub struct SelftestHop {
        /// Its word: decided, told, durable, displayed, ended.
        1 => word: Name,
        /// When it came there, in nanoseconds since the test began.
        2 => after_ns: u64,
    }
}

message! {
    /// A subscription to alarms that lets the test alarm pass.
    pub struct SelftestReceiver {
        /// Whose it is.
        1 => name: Name,
        /// Whether it is an operator's.
        2 => is_operator: bool,
        /// When it said that people could see the test alarm, in nanoseconds since the test began.
        3 => displayed_after_ns: Option<u64>,
    }
}

message! {
    /// What is wrong with the way of an alarm.
    pub struct SelftestFinding {
        /// What was found, in words.
        1 => detail: Text,
        /// What to do about it.
        2 => remedy: Text,
    }
}

message! {
    /// The answer to [`SelftestOrder`], when the test is over.
    pub struct SelftestReport {
        /// As in the order.
        1 => command: u64,
        /// [`Code::Done`], or why not.
        2 => code: Code,
        /// In words.
        3 => detail: Text,
        /// The test alarm, if one was raised.
        4 => alarm: Option<AlarmId>,
        /// How far it came.
        5 => hops: Vec<SelftestHop>,
        /// Who was told of it.
        6 => receivers: Vec<SelftestReceiver>,
        /// What is wrong; nothing if it came all the way.
        7 => findings: Vec<SelftestFinding>,
    }
}
