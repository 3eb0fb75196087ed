//! Waits until doors are as they were told to be.

use std::time::Duration;

use ach_clients_rust::{
    DoorAnswer, DoorSlot, EmergencyKind, Name, Operator, OperatorError, Timestamp, WireDoor, now,
};
use tokio::time::sleep;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Which doors are waited for.
pub(super) enum Whose {
    /// One.
    Door(Name),
    /// Those that are moved by a lockdown or an evacuation just now.
    Slot(EmergencyKind),
}

impl Whose {
    fn is(&self, door: &WireDoor) -> bool {
        match self {
            Whose::Door(name) => door.door == *name,
            Whose::Slot(kind) => {
                let slot = match kind {
                    EmergencyKind::Lockdown => DoorSlot::Lockdown,
                    EmergencyKind::Evacuation => DoorSlot::Evacuation,
                };
                door.order.as_ref().is_some_and(|order| order.slot == Some(slot))
            }
        }
    }
}

fn waited(since: Timestamp) -> Duration {
    Duration::from_nanos(now().since_ns(since))
}

/// The doors, once none of them is waited for any more, or the time is over.
pub(super) async fn wait_for(
    operator: &mut Operator,
    whose: &Whose,
    within: Duration,
) -> Result<Vec<WireDoor>, OperatorError> {
    let begun_at = now();
    loop {
        let told = operator.doors().await?;
        let doors: Vec<WireDoor> = told.doors.into_iter().filter(|door| whose.is(door)).collect();
        let is_waited =
            |door: &WireDoor| matches!(door.answer, DoorAnswer::Waited | DoorAnswer::Deviates);
        if !doors.iter().any(is_waited) || waited(begun_at) >= within {
            return Ok(doors);
        }
        sleep(LOOK_EVERY).await;
    }
}
