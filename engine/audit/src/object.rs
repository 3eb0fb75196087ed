//! On what it was done.

use std::fmt;
use std::num::NonZeroU32;

use ach_actors_model::Name;

use crate::word::words;

words! {
    /// What kind of thing.
    ObjectKind: u8 {
        /// A node.
        Node = 1, "node";
        /// A site; its version says which.
        Site = 2, "site";
        /// A tag, by EUI-64.
        Tag = 3, "tag";
        /// A subject, by id.
        Subject = 4, "subject";
        /// A zone.
        Zone = 5, "zone";
        /// A door.
        Door = 6, "door";
        /// A feed.
        Feed = 7, "feed";
        /// An anchor.
        Anchor = 8, "anchor";
        /// A perimeter line.
        Line = 9, "line";
        /// A certificate of a vendor.
        VendorCertificate = 16, "vendor_certificate";
        /// A certificate of a receiver.
        ReceiverCertificate = 17, "receiver_certificate";
        /// A certificate of an operator.
        OperatorCertificate = 18, "operator_certificate";
        /// A certificate of a node.
        NodeCertificate = 19, "node_certificate";
        /// A stream of alarms, events or positions.
        Topic = 32, "topic";
        /// A kind of alarm or event that was asked for.
        Kind = 33, "kind";
        /// A priority that was asked for.
        Priority = 34, "priority";
        /// A floor that was asked for, in hundredths.
        Floor = 35, "floor";
        /// A lane of a vendor.
        Lane = 36, "lane";
        /// The audit log.
        AuditLog = 48, "audit_log";
        /// Things that were named and that the site does not have, as `KIND:COUNT`.
        Unknown = 49, "unknown";
        /// A legal hold.
        Hold = 50, "hold";
        /// An alarm, by id.
        Alarm = 51, "alarm";
        /// A rule, by id.
        Rule = 52, "rule";
        /// The person for whom a program did it, by the name that program gives.
        OnBehalfOf = 53, "on_behalf_of";
        /// To whom an alarm was assigned.
        Assignee = 54, "assignee";
        /// For how long, in seconds.
        Seconds = 55, "seconds";
        /// What an alarm was said to be.
        Cause = 56, "cause";
        /// What a door is to do.
        DoorMode = 57, "door_mode";
        /// Whether a lockdown or an evacuation is meant.
        Practice = 58, "practice";
        /// A label of doors.
        Label = 59, "label";
        /// Who must be with a subject that has leave.
        Escort = 60, "escort";
    }
}

/// On what it was done. Ids only: whose they are is known elsewhere, and erased there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// What kind of thing.
    pub kind: ObjectKind,
    /// Which.
    pub id: Name,
    /// Which version of it, if it has versions.
    pub version: Option<NonZeroU32>,
}

impl Object {
    /// A thing without versions.
    pub fn new(kind: ObjectKind, id: Name) -> Object {
        Object { kind, id, version: None }
    }

    /// A version of a thing.
    pub fn versioned(kind: ObjectKind, id: Name, version: u32) -> Object {
        Object { kind, id, version: NonZeroU32::new(version) }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.id)?;
        self.version.map_or(Ok(()), |version| write!(f, " version {version}"))
    }
}
