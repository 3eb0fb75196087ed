//! What was known of a door when it was forced, or when somebody was one too many, in words.

use ach_actors_model::{DoorEvidence, LockMark, PassMark};
use serde_json::{Value, json};

use crate::moment::{iso, local};

/// What could have been leave and was not, and whose badge was granted it last, if that is known: `granted 12:00:01, valid until 12:00:06; nobody asked to leave; locked since 11:58`.
pub(super) fn leave_words(known: &DoorEvidence, granted_to: Option<&str>) -> String {
    let pass = |pass: Option<PassMark>, done: &str, never: &str| match pass {
        Some(PassMark { at, until }) => {
            format!("{done} {}, valid until {}", local(at), local(until))
        }
        None => never.to_owned(),
    };
    let lock = match known.lock {
        None => "its lock has never said anything".to_owned(),
        Some(LockMark { at, is_drawn_back: true }) => format!("lock drawn back {}", local(at)),
        Some(LockMark { at, is_drawn_back: false }) => format!("locked {}", local(at)),
    };
    let granted = match granted_to {
        Some(holder) => format!("granted last to {holder}"),
        None => "granted last".to_owned(),
    };
    [
        pass(known.granted, &granted, "no grant is known"),
        pass(known.requested, "asked to leave last", "nobody is known to have asked to leave"),
        lock,
    ]
    .join("; ")
}

/// Who was near, by their ids.
pub(super) fn near_words(near: &[String], is_late: bool) -> String {
    match near {
        [] if is_late => "not known, it was told late".to_owned(),
        [] => "nobody".to_owned(),
        near => near.join(", "),
    }
}

/// The same for programs; `near` are the ids of who was near, `granted_to` is that of whose badge it was.
pub(super) fn object(known: &DoorEvidence, near: &[String], granted_to: Option<&str>) -> Value {
    let pass = |pass: PassMark| json!({ "at": iso(pass.at), "until": iso(pass.until) });
    let lock = |lock: LockMark| json!({ "at": iso(lock.at), "is_drawn_back": lock.is_drawn_back });
    json!({
        "granted": known.granted.map(pass),
        "requested": known.requested.map(pass),
        "lock": known.lock.map(lock),
        "near": near,
        "granted_to": granted_to,
    })
}

#[cfg(test)]
mod tests {
    use ach_actors_model::Timestamp;

    use super::*;

    #[test]
    fn who_was_near_a_door_that_is_told_of_late_is_not_known() {
        let two = ["patient-8".to_owned(), "nurse-1".to_owned()];
        assert_eq!(near_words(&two, false), "patient-8, nurse-1");
        assert_eq!(near_words(&[], false), "nobody");
        assert_eq!(near_words(&[], true), "not known, it was told late");
    }

    #[test]
    fn what_was_no_leave_is_told_in_words() {
        let at = |second: u64| Timestamp((1_795_392_000 + second) * 1_000_000_000);
        let nothing = DoorEvidence::default();
        let expected = "no grant is known; nobody is known to have asked to leave; its lock has \
                        never said anything";
        assert_eq!(leave_words(&nothing, None), expected);
        let known = DoorEvidence {
            granted: Some(PassMark { at: at(1), until: at(6) }),
            requested: None,
            lock: Some(LockMark { at: at(7), is_drawn_back: false }),
            near: Vec::new(),
            granted_to: None,
        };
        let words = leave_words(&known, None);
        let (granted, valid) = (local(at(1)), local(at(6)));
        assert!(words.starts_with(&format!("granted last {granted}, valid until {valid}; ")));
        assert!(words.ends_with(&format!("; locked {}", local(at(7)))), "{words}");
        let of_nurse = leave_words(&known, Some("nurse-7"));
        assert!(
            of_nurse.starts_with(&format!("granted last to nurse-7 {granted}, ")),
            "{of_nurse}"
        );
        let object = object(&known, &["patient-8".to_owned()], Some("nurse-7"));
        assert_eq!(object["granted_to"], "nurse-7", "{object}");
        assert_eq!(object["near"][0], "patient-8", "{object}");
        assert_eq!(object["lock"]["is_drawn_back"], false, "{object}");
    }
}
