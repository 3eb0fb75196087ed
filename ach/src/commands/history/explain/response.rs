//! What an alarm did at once, in words: whom it was handed to, and which doors it asked to lock.

use ach_actors_model::{AlarmNotice, AlarmResponse, Name};
use ach_engine_store::NameKind;
use serde_json::{Value, json};

use super::super::source::Source;
use crate::exit::Failure;
use crate::moment::{iso, local};

/// The doors, by their ids.
pub(super) fn doors(source: &Source, notice: &AlarmNotice) -> Result<Vec<String>, Failure> {
    let doors = notice.response.as_deref().map(|known| known.doors.as_slice()).unwrap_or_default();
    doors.iter().map(|door| source.name(NameKind::Door, door.0)).collect()
}

/// The same in lines, each with its word.
pub(super) fn lines(known: &AlarmResponse, doors: &[String]) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if !doors.is_empty() {
        let until = local(known.until);
        lines.push(("locks", format!("{}, until {until} at the latest", doors.join(", "))));
    }
    if !known.tell.is_empty() {
        let tell: Vec<&str> = known.tell.iter().map(Name::as_str).collect();
        lines.push(("handed to", tell.join(", ")));
    }
    lines
}

/// The same for programs.
pub(super) fn object(known: &AlarmResponse, doors: &[String]) -> Value {
    let tell: Vec<&str> = known.tell.iter().map(Name::as_str).collect();
    let until = (!doors.is_empty()).then(|| iso(known.until));
    json!({ "tell": tell, "doors": doors, "until": until })
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{DoorRef, Timestamp};

    use super::*;

    #[test]
    fn what_an_alarm_did_is_told_in_words() {
        let tell = vec![Name::new("gate").unwrap(), Name::new("camera-4").unwrap()];
        let until = Timestamp(1_795_392_600 * 1_000_000_000);
        let known = AlarmResponse { tell, doors: vec![DoorRef(3)], until };
        let doors = ["ward-door".to_owned()];
        let expected = [
            ("locks", format!("ward-door, until {} at the latest", local(until))),
            ("handed to", "gate, camera-4".to_owned()),
        ];
        assert_eq!(lines(&known, &doors), expected);
        assert_eq!(object(&known, &doors)["doors"][0], "ward-door");
        let quiet = AlarmResponse { doors: Vec::new(), ..known };
        assert_eq!(lines(&quiet, &[]), expected[1..]);
        assert_eq!(object(&quiet, &[])["until"], Value::Null);
    }
}
