//! The protocol of a walk: what was to answer and did, signed by who walked.

use std::io::Write;
use std::path::Path;

use ach_actors_model::{Name, TagId, Timestamp};
use ach_clients_rust::{AlarmNote, Bundle};
use ach_engine_net::{Identity, verify_signature};
use serde_json::{Value, json};

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
    pub(super) round: &'a Round,
    pub(super) alarms: &'a [AlarmNote],
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
            "answered_count": self.round.answered_count(),
            "thing_count": self.round.things.len(),
            "things": self.round.things.iter().map(thing).collect::<Vec<_>>(),
            "alarms": self.alarms.iter().map(alarm).collect::<Vec<_>>(),
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
    let ended_at = protocol.get("ended_at_ns").and_then(Value::as_u64);
    let ended_at = Timestamp(ended_at.ok_or("it does not say when the walk ended")?);
    let signature = unhex(&text_of("signature")?).ok_or("its signature is no hexadecimal text")?;
    let signed = signed_text(protocol);
    let certificate = text_of("certificate")?;
    let who = verify_signature(authority_pem, &certificate, ended_at, (&signed, &signature))
        .map_err(|error| error.to_string())?;
    if protocol.get("walker").and_then(Value::as_str) != Some(who.uri().as_str()) {
        return Err(format!("it was signed by {who}, who is not who it says walked"));
    }
    Ok((who, protocol.clone()))
}
