//! What an alarm made of its rule's responses: whom it was handed to, and which doors it asked to lock.

use serde::{Deserialize, Serialize};

use crate::{DoorRef, Name, Timestamp};

/// What the responses of an alarm's rule came to when it called for them first. It stays with the alarm as it was then:
/// what each door does now its order says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct AlarmResponse {
    /// To whom or what it is to be handed at once: roles, persons or devices, by id, in the order of the file.
    pub tell: Vec<Name>,
    /// The doors it asked to lock, ascending; none if the time for that was over when it was told.
    pub doors: Vec<DoorRef>,
    /// When the last of them is given back at the latest; the time of nothing if there are no doors.
    pub until: Timestamp,
}
