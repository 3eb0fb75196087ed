//! Records for tests.

use ach_actors_model::{Name, Timestamp};

use crate::{Action, Agent, AgentRole, Object, ObjectKind, Origin, Outcome, Reason, Record};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The record of a receiver that begins to read alarms, one of many.
pub(crate) fn record(number: u64) -> Record {
    Record {
        at: Timestamp(1_763_798_400_000_000_000 + number * 1_000_000),
        site: name("st-anna"),
        node: name("node-1"),
        who: Agent::new(AgentRole::Receiver, name("desk")),
        from: Origin::Network([10, 0, 0, 7].into(), 40_000),
        action: Action::ReadBegun,
        objects: vec![
            Object::new(ObjectKind::Topic, name("alarms")),
            Object::new(ObjectKind::Subject, name(&format!("patient-{number}"))),
        ],
        outcome: Outcome::Done,
        code: None,
        reason: Reason::default(),
        repeated: None,
        session: Some(number),
        request: Some(1),
        entry: None,
    }
}
