//! What a self-test may find wrong with the way of an alarm, with its remedy.

use ach_actors_model::Name;
use thiserror::Error;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum SelftestFault {
    /// The shard said nothing.
    #[error("the shard did not decide on the test alarm in time")]
    NotDecided,
    /// The shard decided, and nothing came of it.
    #[error("the shard raised no test alarm")]
    NotRaised,
    /// The node was told to end.
    #[error("the node is shutting down")]
    Ending,
    /// Nothing is stored any more.
    #[error("the node does not store: the test alarm stayed provisional")]
    NotStoring,
    /// The disk did not answer.
    #[error("the disk did not have the test alarm in time")]
    DiskSlow,
    /// No subscription lets it pass.
    #[error("no receiver follows alarms, so none was told of the test alarm")]
    NobodyFollows,
    /// Receivers were told, and none said that people could see it.
    #[error("no receiver said in time that people could see the test alarm")]
    NotDisplayed,
    /// One that displays alarms did not display this one.
    #[error("{name} displays alarms, was told of the test alarm, and did not display it in time")]
    ReceiverSilent {
        /// Whose it is.
        name: Name,
    },
    /// One that has displayed a test alarm before is not there.
    #[error("{name} displayed test alarms before, and was not there to be told of this one")]
    ReceiverAway {
        /// Whose it is.
        name: Name,
    },
    /// Its end was not told.
    #[error("the end of the test alarm was not on disk in time")]
    NotEnded,
}

impl SelftestFault {
    /// What is wrong in few words, without a name.
    pub(crate) fn in_short(&self) -> &'static str {
        match self {
            SelftestFault::NotDecided => "not decided in time",
            SelftestFault::NotRaised => "not raised",
            SelftestFault::Ending => "the node is shutting down",
            SelftestFault::NotStoring => "the node does not store",
            SelftestFault::DiskSlow => "not on disk in time",
            SelftestFault::NobodyFollows => "no receiver follows alarms",
            SelftestFault::NotDisplayed => "displayed by nobody in time",
            SelftestFault::ReceiverSilent { .. } => "not displayed by all who display alarms",
            SelftestFault::ReceiverAway { .. } => "a receiver that displayed test alarms is away",
            SelftestFault::NotEnded => "its end is not on disk in time",
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            SelftestFault::NotDecided => {
                "look at the log and at lane_duress_depth of `ach status`; a shard that does not turn \
                 needs the node to be started again"
            }
            SelftestFault::NotRaised => "this is a bug: please report it with a support bundle",
            SelftestFault::Ending => "test again when the node is up",
            SelftestFault::NotStoring => {
                "`ach status` tells why; docs/errors/node.md has what to do for each reason"
            }
            SelftestFault::DiskSlow => {
                "`ach doctor --data DIR` measures the disk; see what else writes to it"
            }
            SelftestFault::NobodyFollows => {
                "start the receivers and look why they do not connect; one whose filter lists kinds \
                 must list self_test; an operator's terminal does not count"
            }
            SelftestFault::NotDisplayed => {
                "look at the screens; `ach attention` tells who follows alarms; a receiver that shows \
                 them must say so"
            }
            SelftestFault::ReceiverSilent { .. } => {
                "go and look at that screen: it is connected, and may have stopped showing alarms"
            }
            SelftestFault::ReceiverAway { .. } => {
                "go and look at that screen: it is off or cannot connect, or its filter leaves self_test \
                 out; if it is gone for good, `ach selftest --without NAME`"
            }
            SelftestFault::NotEnded => {
                "`ach doctor --data DIR` measures the disk; the test alarm ends when the disk answers, \
                 or with the next test"
            }
        }
    }
}
