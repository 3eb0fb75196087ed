//! The protocol of a walk: what was to answer and did, signed by who walked.

use std::io::Write;
use std::path::Path;

use ach_actors_model::{Name, TagId, Timestamp};
use ach_clients_rust::{AlarmNote, Bundle};
use ach_engine_net::{Identity, Role, verify_signature};
use serde_json::{Value, json};

use super::alarms::Alarms;
use super::choice::Choice;
use super::round::{Round, Thing};
use crate::commands::hex::{hex, unhex};
use crate::exit::Failure;
use crate::moment::iso;
use crate::notes::{snake, thing_object};
use crate::whole_file::WholeFile;

/// What is signed begins with it, so that no other signature of the same key can be taken for one of a protocol.
const SIGNED_HEAD: &str = "ach walk-test 1\n";
/// The version of the format.
const VERSION: u64 = 1;
/// Largest protocol that is read: some 20,000 things, 200 bytes each.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What is known of the node and its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Where {
    pub(super) node: Name,
    pub(super) site: Name,
    /// The version of the site in force when the walk began.
    pub(super) site_version: u32,
    /// The version in force when it ended, if the node could still be asked.
    pub(super) site_version_at_end: Option<u32>,
    /// The digest of the first, if the node knows it.
    pub(super) site_digest: Option<String>,
}

/// A walk that is over.
#[derive(Debug)]
pub(super) struct Walked<'a> {
    pub(super) place: Where,
    pub(super) walker: &'a Identity,
    pub(super) tag: TagId,
    pub(super) begun_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) choice: &'a Choice,
    pub(super) round: &'a Round,
    pub(super) alarms: &'a Alarms,
    /// Events were missed meanwhile: what did not answer may have.
    pub(super) has_gaps: bool,
}

impl Walked<'_> {
    /// As JSON.
    pub(super) fn object(&self) -> Value {
        json!({
            "format": "ach walk-test",
            "version": VERSION,
            "site": self.place.site.as_str(),
            "site_version": self.place.site_version,
            "site_version_at_end": self.place.site_version_at_end,
            "site_digest": self.place.site_digest,
            "node": self.place.node.as_str(),
            "walker": self.walker.uri(),
            "tag": self.tag.to_string(),
            "begun_at": iso(self.begun_at),
            "begun_at_ns": self.begun_at.0,
            "ended_at": iso(self.ended_at),
            "ended_at_ns": self.ended_at.0,
            "has_gaps": self.has_gaps,
            "chosen_by": self.choice.by.word(),
            "doors_left_out": self.choice.doors_left_out.iter().map(Name::as_str).collect::<Vec<_>>(),
            "answered_count": self.round.answered_count(),
            "thing_count": self.round.things.len(),
            "things": self.round.things.iter().map(thing).collect::<Vec<_>>(),
            "alarms": self.alarms.listed.iter().map(alarm).collect::<Vec<_>>(),
            "alarms_left_out": self.alarms.left_out,
        })
    }
}

fn thing(thing: &Thing) -> Value {
    let seen: serde_json::Map<String, Value> = thing
        .parts()
        .into_iter()
        .map(|(word, at)| (format!("{word}_at"), json!(at.map(iso))))
        .collect();
    json!({
        "kind": thing.kind(),
        "id": thing.id.as_str(),
        "is_answered": thing.is_answered(),
        "seen": seen,
    })
}

fn alarm(note: &AlarmNote) -> Value {
    json!({
        "id": note.id.to_string(),
        "kind": snake(note.kind),
        "rule": note.rule.as_ref().map(Name::as_str),
        "place": thing_object(&note.place),
        "raised_at": iso(note.changed_at),
    })
}

/// What is signed of a protocol: its JSON without spaces, names in the order of their bytes.
fn signed_text(protocol: &Value) -> Vec<u8> {
    format!("{SIGNED_HEAD}{protocol}").into_bytes()
}

/// Tries the key before anybody walks for nothing. What it signs here can be taken for no protocol.
///
/// # Errors
///
/// The key does not sign.
pub(super) fn try_key(walker: &Bundle) -> Result<(), Failure> {
    walker.sign(b"ach walk-test, a trial\n")?;
    Ok(())
}

/// Signs it and writes it down.
///
/// # Errors
///
/// The key does not sign, or the file cannot be written.
pub(super) fn write(file: WholeFile, protocol: &Value, walker: &Bundle) -> Result<(), Failure> {
    let mut file = file;
    let signature = walker.sign(&signed_text(protocol))?;
    let whole = json!({
        "protocol": protocol,
        "signature": hex(&signature),
        "certificate": walker.certificate_pem(),
    });
    writeln!(file, "{}", serde_json::to_string_pretty(&whole)?)?;
    file.finish()
}

/// What is wrong with a file, or who signed which protocol.
pub(super) type Verified = Result<(Identity, Value), String>;

/// Reads a file and looks whether it is as it was signed.
///
/// # Errors
///
/// A file cannot be read.
pub(super) fn verify(file: &Path, authority: &Path) -> Result<Verified, Failure> {
    let read = |path: &Path| -> Result<String, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("could not read {}: {error}", path.display()))
        };
        if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
            return Err(Failure::new(format!("{} is too long for a protocol", path.display())));
        }
        std::fs::read_to_string(path).map_err(failed)
    };
    Ok(verify_text(&read(file)?, &read(authority)?))
}

fn verify_text(text: &str, authority_pem: &str) -> Verified {
    let whole: Value =
        serde_json::from_str(text).map_err(|error| format!("it is no protocol: {error}"))?;
    let field = |name: &str| whole.get(name).ok_or_else(|| format!("it has no `{name}`"));
    let text_of = |name: &str| {
        field(name)?.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is no text"))
    };
    let protocol = field("protocol")?;
    if protocol.get("format").and_then(Value::as_str) != Some("ach walk-test")
        || protocol.get("version").and_then(Value::as_u64) != Some(VERSION)
    {
        return Err(format!("it is no protocol of version {VERSION}; use a newer program"));
    }
    let signature = unhex(&text_of("signature")?).ok_or("its signature is no hexadecimal text")?;
    let certificate = text_of("certificate")?;
    // A name that stands there twice, or beside what is signed, would be read by somebody else and by no signature.
    let as_written = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())?;
    if text.trim_end() != as_written || whole.as_object().map(serde_json::Map::len) != Some(3) {
        return Err(
            "it is not as a walk writes it: something was added, or it was written anew".into()
        );
    }
    let ended_at = moment(protocol, "ended_at")?;
    let who = verify_signature(
        authority_pem,
        &certificate,
        ended_at,
        (&signed_text(protocol), &signature),
    )
    .map_err(|error| error.to_string())?;
    if who.role != Role::Operator {
        return Err(format!("it was signed by {who}, and operators alone walk"));
    }
    let says = |name: &str| protocol.get(name).and_then(Value::as_str);
    if says("walker") != Some(who.uri().as_str()) || says("site") != Some(who.site.as_str()) {
        return Err(format!("it was signed by {who}, who is not who it says walked"));
    }
    if moment(protocol, "begun_at")? > ended_at || !counts_right(protocol) {
        return Err("it contradicts itself: its times or its counts".into());
    }
    Ok((who, protocol.clone()))
}

/// A moment that stands there twice, in words and as a number, and is the same.
fn moment(protocol: &Value, name: &str) -> Result<Timestamp, String> {
    let at = protocol.get(format!("{name}_ns")).and_then(Value::as_u64).map(Timestamp);
    let at = at.ok_or_else(|| format!("it has no `{name}_ns`"))?;
    if protocol.get(name).and_then(Value::as_str) != Some(iso(at).as_str()) {
        return Err(format!("`{name}` is not when `{name}_ns` says"));
    }
    Ok(at)
}

/// Whether as many answered as it says, and each only where all of it was seen. Not all of which everything was seen
/// has answered: a tag may have gone through when the door was long closed.
fn counts_right(protocol: &Value) -> bool {
    let Some(things) = protocol.get("things").and_then(Value::as_array) else { return false };
    let is_seen = |thing: &Value| {
        let seen = thing.get("seen").and_then(Value::as_object);
        seen.is_some_and(|seen| !seen.is_empty() && seen.values().all(Value::is_string))
    };
    let is_answered = |thing: &Value| thing.get("is_answered").and_then(Value::as_bool);
    let is_right = |thing: &Value| match is_answered(thing) {
        Some(is_answered) => !is_answered || is_seen(thing),
        None => false,
    };
    let count = |name: &str| protocol.get(name).and_then(Value::as_u64);
    let len = |count: usize| u64::try_from(count).ok();
    things.iter().all(is_right)
        && count("thing_count") == len(things.len())
        && count("answered_count")
            == len(things.iter().filter(|thing| is_answered(thing) == Some(true)).count())
}

#[cfg(test)]
mod tests {
    use ach_engine_net::Authority;

    use super::*;

    const ENDED_AT: Timestamp = Timestamp(1_800_000_600_000_000_000);

    fn name(id: &str) -> Name {
        Name::new(id).expect("a short plain id")
    }

    fn protocol(walker: &str) -> Value {
        let begun_at = Timestamp(ENDED_AT.0 - 60_000_000_000);
        json!({
            "format": "ach walk-test",
            "version": VERSION,
            "site": "st-anna",
            "walker": walker,
            "begun_at": iso(begun_at),
            "begun_at_ns": begun_at.0,
            "ended_at": iso(ENDED_AT),
            "ended_at_ns": ENDED_AT.0,
            "answered_count": 1,
            "thing_count": 3,
            "things": [
                { "is_answered": true, "seen": { "entered_at": "x", "left_at": "y" } },
                { "is_answered": false, "seen": { "entered_at": "x", "left_at": null } },
                { "is_answered": false, "seen": { "opened_at": "x", "passed_at": "z", "closed_at": "y" } },
            ],
        })
    }

    fn signed(protocol: &Value, by: &Bundle) -> String {
        let signature = hex(&by.sign(&signed_text(protocol)).expect("a signature"));
        let certificate = by.certificate_pem();
        let whole =
            json!({ "protocol": protocol, "signature": signature, "certificate": certificate });
        serde_json::to_string_pretty(&whole).expect("JSON")
    }

    /// Each row: what its signer himself changed before he signed it, and what is said of it.
    #[test]
    fn who_signs_a_contradiction_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path(), &name("st-anna")).expect("keys");
        let pem = std::fs::read_to_string(folder.path().join("ca.pem")).expect("the authority");
        let desk = authority.issue(Role::Operator, &name("desk")).expect("a certificate");
        let walker = "ach://st-anna/operator/desk";
        let good = protocol(walker);
        assert_eq!(verify_text(&signed(&good, &desk), &pem).err(), None);
        let later = json!(iso(Timestamp(ENDED_AT.0 + 86_400_000_000_000)));
        for (field, value, why) in [
            ("ended_at", later.clone(), "`ended_at` is not when"),
            ("begun_at", later, "`begun_at` is not when"),
            ("begun_at_ns", json!(null), "it has no `begun_at_ns`"),
            ("answered_count", json!(2), "contradicts itself"),
            ("thing_count", json!(40), "contradicts itself"),
            ("things", json!([]), "contradicts itself"),
            (
                "things",
                json!([
                    { "is_answered": false, "seen": { "entered_at": "x", "left_at": "y" } },
                    { "is_answered": true, "seen": { "entered_at": "x", "left_at": null } },
                    { "is_answered": false, "seen": {} },
                ]),
                "contradicts itself",
            ),
            ("site", json!("st-berta"), "not who it says walked"),
            ("walker", json!("ach://st-anna/operator/other"), "not who it says walked"),
        ] {
            let mut changed = good.clone();
            changed[field] = value;
            let said = verify_text(&signed(&changed, &desk), &pem).expect_err(field);
            assert!(said.contains(why), "{field}: {said}");
        }
        let doors = authority.issue(Role::Vendor, &name("doors")).expect("a certificate");
        let said = verify_text(&signed(&protocol("ach://st-anna/vendor/doors"), &doors), &pem);
        assert!(said.expect_err("a vendor").contains("operators alone walk"));
    }

    /// Each row: what somebody without the key put into the file.
    #[test]
    fn what_was_added_to_a_file_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open_or_create(folder.path(), &name("st-anna")).expect("keys");
        let pem = std::fs::read_to_string(folder.path().join("ca.pem")).expect("the authority");
        let desk = authority.issue(Role::Operator, &name("desk")).expect("a certificate");
        let text = signed(&protocol("ach://st-anna/operator/desk"), &desk);
        for (before, added) in [
            ("    \"begun_at\":", "    \"answered_count\": 2,\n"),
            ("  \"signature\":", "  \"remark\": \"door-west repaired\",\n"),
            ("  \"signature\":", " "),
        ] {
            let changed = text.replacen(before, &format!("{added}{before}"), 1);
            assert_ne!(changed, text);
            let said = verify_text(&changed, &pem).expect_err(added);
            assert!(said.contains("not as a walk writes it"), "{added}: {said}");
        }
    }
}
