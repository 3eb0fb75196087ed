//! Trouble of the node itself as alarms: its audit log, its clock, its daily self-test.
//!
//! Once a second what is wrong is compared with what is open, and the difference goes to the shard as
//! inputs. So a start, which knows what was open, neither raises an alarm twice nor forgets to end one;
//! and an input that is lost with the power is sent again, for the same id.

use std::cell::Cell;
use std::rc::Rc;

use ach_actors_model::{Command, CommandKind, Lane, NodeTrouble};
use ach_engine_shard::Input;

use crate::clock::SKEW_MAX_NS;
use crate::lanes::Ticketed;
use crate::rim::Rim;

/// A clock that was off is right again when it differs by no more than half of what is too much, so that
/// one near the limit is one alarm.
const SKEW_OVER_NS: u64 = SKEW_MAX_NS / 2;

/// Where inputs about trouble are followed.
#[derive(Debug, Default)]
pub(crate) struct TroubleDesk {
    /// By trouble: whether an input is on its way. Until it is settled, what is open says nothing.
    under_way: [Cell<bool>; NodeTrouble::ALL.len()],
}

/// An input on its way, until it is dropped.
struct UnderWay {
    rim: Rc<Rim>,
    place: usize,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(is_under_way) = self.rim.troubles.under_way.get(self.place) {
            is_under_way.set(false);
        }
    }
}

/// Looks what is wrong, and tells the shard what of it is new or over.
pub(crate) fn look(rim: &Rc<Rim>) {
    // Of a node that follows a recording nothing is told that is not of the recording.
    if !rim.clock.runs_by_itself() {
        return;
    }
    for (place, trouble) in NodeTrouble::ALL.into_iter().enumerate() {
        let Some(is_on) = is_on(rim, trouble) else { continue };
        let is_open = {
            let fan_out = rim.fan_out.borrow();
            let mut open = fan_out.open().values();
            open.any(|open| open.notice.kind == trouble.alarm_kind())
        };
        let is_idle = |it: &Cell<bool>| !it.replace(true);
        if is_on != is_open && rim.troubles.under_way.get(place).is_some_and(is_idle) {
            let under_way = UnderWay { rim: rim.clone(), place };
            tokio::task::spawn_local(tell(under_way, CommandKind::NodeTrouble { trouble, is_on }));
        }
    }
}

/// Whether something is wrong; `None` where nobody knows yet, and what is open stays open.
fn is_on(rim: &Rim, trouble: NodeTrouble) -> Option<bool> {
    match trouble {
        NodeTrouble::AuditLog => {
            if !rim.audit.troubles().is_empty() {
                return Some(true);
            }
            // Damage far back in the log is found only when all of it has been read.
            (rim.audit.checked_at().0 > 0).then_some(false)
        }
        // Shard time was taken from such a clock: they do not differ.
        NodeTrouble::Clock if rim.clock.is_doubted() => Some(true),
        NodeTrouble::Clock => match rim.clock.skew_ns().unsigned_abs() {
            off_ns if off_ns > SKEW_MAX_NS => Some(true),
            off_ns if off_ns <= SKEW_OVER_NS => Some(false),
            _ => None,
        },
        NodeTrouble::Selftest => {
            let trouble = rim.counters.tally.selftest_trouble();
            let schedule = rim.schedule.as_ref();
            schedule.map_or(Some(trouble.is_some()), |it| it.is_alarm(trouble, rim.clock.now()))
        }
    }
}

/// Sends an input and waits until it is settled.
async fn tell(under_way: UnderWay, kind: CommandKind) {
    let rim = &under_way.rim;
    let (ticket, settled) = rim.ticket();
    let input = Input::Command(Command { by: rim.node.clone(), kind });
    let sent = rim.lanes.send(Lane::Door, Ticketed { input, ticket: Some(ticket) }).await;
    // A node that ends tells it when it is back.
    if sent.is_ok() {
        drop(settled.await);
    }
}
