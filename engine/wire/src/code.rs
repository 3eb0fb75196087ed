//! What is told to a peer when something of his is refused.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $value:literal,)*) => {
        /// A code of the protocol: in error, refusal, goodbye and receipt frames, and as the
        /// application code with which a connection or stream is closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $($(#[doc = $doc])* $name = $value,)*
        }

        impl Code {
            /// All codes, ascending.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The number on the wire.
            pub const fn value(self) -> u16 {
                match self {
                    $(Code::$name => $value,)*
                }
            }

            /// The code with a number; `None` for one this version does not know.
            pub const fn from_value(value: u16) -> Option<Code> {
                match value {
                    $($value => Some(Code::$name),)*
                    _ => None,
                }
            }

            /// What it means, in words.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($doc),*).trim_ascii(),)*
                }
            }
        }
    };
}

codes! {
    /// closed in good order
    Done = 0,
    /// the node is shutting down; connect again, to it or to another
    ShuttingDown = 1,
    /// a frame's length is over 64 KiB
    FrameTooLarge = 16,
    /// a reserved byte is not zero
    ReservedNotZero = 17,
    /// a frame type that is not known and may not be skipped
    UnknownFrame = 18,
    /// a payload that does not follow its layout
    Malformed = 19,
    /// a field that is not known and may not be skipped
    UnknownField = 20,
    /// a frame that was begun and not finished in time
    FrameTimeout = 21,
    /// a stream without a valid preamble, or one too many
    BadStream = 22,
    /// a frame that may not come on this stream or in this state
    UnexpectedFrame = 23,
    /// none of the offered versions is spoken here
    NoCommonVersion = 32,
    /// the certificate's role may not do this
    WrongRole = 33,
    /// the site is not served here or the certificate is of another
    WrongSite = 34,
    /// the vendor is not a feed of this site
    UnknownSource = 35,
    /// this identity has too many connections
    TooManyConnections = 36,
    /// too many handles, subscriptions, list items or the like
    TooMany = 37,
    /// the epoch is not the one in force; say hello again
    WrongEpoch = 38,
    /// a newer connection of the same identity took over
    TakenOver = 39,
    /// the certificate has ended
    CertificateEnded = 40,
    /// the certificate was revoked
    CertificateRevoked = 41,
    /// a tag, door, anchor, badge or zone that the site does not have
    UnknownThing = 64,
    /// a tag, door, anchor or zone of another feed
    ForeignThing = 65,
    /// a handle that was never interned
    UnknownHandle = 66,
    /// a coordinate that is not a number
    NotANumber = 67,
    /// a coordinate, floor, battery charge or other value out of its range
    OutOfRange = 68,
    /// global coordinates for a site without a georeference
    NoGeoreference = 69,
    /// a sequence number beyond the credit
    BeyondCredit = 70,
    /// a sequence number that left others out
    SequenceGap = 71,
    /// observed too far in the future
    FromTheFuture = 72,
    /// a report on a lane that does not carry its kind
    WrongLane = 73,
    /// a subscription that asks for what does not exist
    UnknownTopic = 80,
    /// the cursor lies before what is kept or after what exists
    CursorOutOfRange = 81,
    /// the subscriber reads too slowly
    TooSlow = 82,
    /// a command that this node cannot do now; try again
    NotNow = 96,
    /// a command that makes no sense for what it names
    NotApplicable = 97,
    /// a site that was made from another version than the one in force
    SiteStale = 98,
    /// a site that does not compile, or that the node cannot read
    SiteUnsound = 99,
    /// a site whose frame lies otherwise on the globe; it comes into force at a start
    SiteFrameDiffers = 100,
    /// a site that would end open alarms or cut a feed that is connected
    SiteStrands = 101,
    /// a test alarm that did not come all the way
    SelftestFailed = 102,
    /// a command that waits until another person gives the same
    NeedsSecondPerson = 103,
    /// a command that came too late to be wanted still
    TooLate = 104,
    /// the node failed inside; try again
    Internal = 127,
}

impl Code {
    /// Whether the same thing sent again may be taken.
    pub const fn may_retry(self) -> bool {
        matches!(
            self,
            Code::Done
                | Code::ShuttingDown
                | Code::FrameTimeout
                | Code::TooManyConnections
                | Code::WrongEpoch
                | Code::TooSlow
                | Code::NotNow
                | Code::Internal
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.meaning(), self.value())
    }
}
