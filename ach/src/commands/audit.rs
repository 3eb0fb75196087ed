//! `ach audit verify`, `show`, `prove` and `head`: read an audit log, whether or not a node is running.

mod record_object;

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use ach_engine_audit::{
    Damage, Entry, HEAD_BYTES_MAX, Harm, Hash, NotedWrong, ProofPlan, ReadError, Record,
    RecordError, Report, SignedHead, Verifier, VerifyingKey, has_log, verify_consistency,
    verify_inclusion,
};
use ach_engine_journal::FileDisk;
use serde_json::{Value, json};

use super::hex::hex;
use crate::cli::Audit;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// Most records `--last` keeps: they are held in memory until the end of the log is found.
const LAST_MAX: u64 = 100_000;

/// Does what was asked.
pub(crate) fn run(audit: &Audit) -> Result<Outcome, Failure> {
    match audit {
        Audit::Verify { dir, head, key, json } => {
            verify(dir, head.as_deref(), key.as_deref(), *json)
        }
        Audit::Show { dir, from, count, last, json } => match last {
            Some(last) => show_last(dir, *last, *json),
            None => show_from(dir, from.unwrap_or(0), *count, *json),
        },
        Audit::Prove { dir, record, since, json } => match (record, since) {
            (Some(record), None) => prove_record(dir, *record, *json),
            (None, Some(since)) => prove_since(dir, since, *json),
            _ => Err(Failure::misused("name a record, or a head with --since")),
        },
        Audit::Head { dir } => head(dir),
    }
}

/// Reads the log of a data directory.
fn read(
    dir: &Path,
    verifier: &Verifier,
    each: &mut dyn FnMut(&Entry<'_>),
) -> Result<Report, Failure> {
    let folder = DataDirectory::existing(dir)?.audit();
    let no_log = || {
        let folder = folder.display();
        Failure::new(format!("there is no audit log in {folder}; `ach serve` begins one"))
    };
    let disk = FileDisk::existing(&folder).map_err(|_| no_log())?;
    verifier.run(&disk, each).map_err(|error| match error {
        ReadError::NoLog => no_log(),
        error => Failure::from(error),
    })
}

/// The key to check signatures with, or why there is none.
fn public_key(dir: &Path, key: Option<&Path>) -> Result<Result<VerifyingKey, String>, Failure> {
    if let Some(key) = key {
        // A key that was named must be there.
        return Ok(Ok(VerifyingKey::load(key)?));
    }
    let beside = VerifyingKey::path_beside(&DataDirectory::existing(dir)?.audit_key());
    Ok(VerifyingKey::load(&beside).map_err(|error| error.to_string()))
}

/// A head that was noted elsewhere.
fn noted(path: &Path) -> Result<SignedHead, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!(
            "cannot read {shown}: {error}; name a file that `ach audit head` has written"
        ))
    })?;
    if text.len() > HEAD_BYTES_MAX * 2 {
        return Err(Failure::new(format!("{shown} is too long for a head")));
    }
    SignedHead::from_text(&text).map_err(|error| Failure::new(format!("{shown}: {error}")))
}

fn verify(
    dir: &Path,
    head: Option<&Path>,
    key: Option<&Path>,
    is_json: bool,
) -> Result<Outcome, Failure> {
    let key = public_key(dir, key)?;
    let mut verifier = Verifier::new(key.as_ref().ok().copied());
    let noted = head.map(noted).transpose()?;
    if let Some(noted) = noted.clone() {
        verifier = verifier.with_head(noted);
    }
    let report = match gone(dir, noted.as_ref())? {
        Some(report) => report,
        None => read(dir, &verifier, &mut |_| {})?,
    };
    let keyless = key.err();
    if is_json {
        say!("{}", report_object(&report, keyless.as_deref(), head.is_some()));
    } else {
        print_report(&report, keyless.as_deref(), head.is_some());
    }
    Ok(if report.is_sound() { Outcome::Done } else { Outcome::Unsound })
}

/// What is to be said of a log that is not there and must be: its key was published, or a head of it
/// was noted.
fn gone(dir: &Path, noted: Option<&SignedHead>) -> Result<Option<Report>, Failure> {
    let directory = DataDirectory::existing(dir)?;
    let disk = FileDisk::existing(directory.audit()).ok();
    let is_there = disk.map_or(Ok(false), |disk| has_log(&disk))?;
    let size = noted.map_or(0, |noted| noted.head.size);
    let was_begun = VerifyingKey::path_beside(&directory.audit_key()).try_exists()?;
    if is_there || size == 0 && !was_begun {
        return Ok(None);
    }
    let damage = Damage { segment: 1, offset: 0, record: 0, harm: Harm::Missing };
    let noted = noted.map(|_| NotedWrong::Cut { size, found: 0 });
    Ok(Some(Report { damage: Some(damage), noted, ..Report::default() }))
}

fn print_report(report: &Report, keyless: Option<&str>, has_noted: bool) {
    say!(
        "{} records under {} heads in {} segments, root {}",
        report.records,
        report.heads,
        report.segments,
        report.root
    );
    if let Some(why) = keyless {
        say!("hashes and links were checked, signatures were not: {why}");
    }
    if report.newer > 0 {
        say!(
            "{} records are of a later version of this program; upgrade to read them",
            report.newer
        );
    }
    if let Some(tail) = report.tail {
        say!(
            "{} bytes in segment {:016x} at byte {} are being written, or were when the node died; \
             nobody was told that they are kept",
            tail.bytes,
            tail.segment,
            tail.offset
        );
    }
    if let Some(damage) = &report.damage {
        say!("WRONG: {damage}; keep a copy of the folder, and find out who did it");
    }
    match &report.noted {
        Some(unmet @ NotedWrong::Unmet { .. }) => say!("not compared: {unmet}"),
        Some(wrong) => say!("WRONG: {wrong}"),
        None => {}
    }
    if report.is_sound() {
        let how = if keyless.is_some() { "sound as far as it was checked" } else { "sound" };
        let noted = if has_noted { ", and it begins as the noted head says" } else { "" };
        say!("{how}{noted}");
    }
}

fn report_object(report: &Report, keyless: Option<&str>, has_noted: bool) -> Value {
    json!({
        "event": "audit_verified",
        "is_sound": report.is_sound(),
        "records": report.records,
        "heads": report.heads,
        "segments": report.segments,
        "root": report.root.to_string(),
        "signed_size": report.head.as_ref().map(|signed| signed.head.size),
        "newer_records": report.newer,
        "had_key": report.had_key,
        "key_problem": keyless,
        "tail_bytes": report.tail.map(|tail| tail.bytes),
        "damage": report.damage.map(|damage| json!({
            "what": damage.harm.to_string(),
            "segment": damage.segment,
            "offset": damage.offset,
            "record": damage.record,
        })),
        "had_noted_head": has_noted,
        "noted_head": report.noted.map(|wrong| wrong.to_string()),
    })
}

fn show_from(dir: &Path, from: u64, count: u64, is_json: bool) -> Result<Outcome, Failure> {
    let until = from.saturating_add(count);
    let report = read(dir, &Verifier::default(), &mut |entry| {
        if (from..until).contains(&entry.index) {
            print(entry.index, entry.leaf, entry.bytes, &entry.record, is_json);
        }
    })?;
    Ok(soundness(&report))
}

/// A record that is kept until the end of the log is found.
type Kept = (u64, Hash, Vec<u8>, Result<Record, RecordError>);

fn show_last(dir: &Path, last: u64, is_json: bool) -> Result<Outcome, Failure> {
    if last > LAST_MAX {
        return Err(Failure::misused(format!(
            "--last takes at most {LAST_MAX}; use --from and --count"
        )));
    }
    let keep = usize::try_from(last).unwrap_or(0);
    let mut kept: VecDeque<Kept> = VecDeque::new();
    let report = read(dir, &Verifier::default(), &mut |entry| {
        kept.push_back((entry.index, entry.leaf, entry.bytes.to_vec(), entry.record.clone()));
        if kept.len() > keep {
            kept.pop_front();
        }
    })?;
    for (index, leaf, bytes, record) in &kept {
        print(*index, *leaf, bytes, record, is_json);
    }
    Ok(soundness(&report))
}

fn print(
    index: u64,
    leaf: Hash,
    bytes: &[u8],
    record: &Result<Record, RecordError>,
    is_json: bool,
) {
    if is_json {
        say!("{}", record_object::record_object(index, leaf, bytes, record));
    } else {
        say!("{}", record_object::record_line(index, record));
    }
}

/// What is shown is intact whatever follows; that something is wrong is said beside it.
fn soundness(report: &Report) -> Outcome {
    match &report.damage {
        None => Outcome::Done,
        Some(damage) => {
            complain!("what follows is wrong: {damage}");
            Outcome::Unsound
        }
    }
}

/// The last signed head of a sound log.
fn last_head(dir: &Path, verifier: &Verifier) -> Result<SignedHead, Failure> {
    let report = read(dir, verifier, &mut |_| {})?;
    let wrong = report.damage.map(|damage| damage.to_string());
    match (wrong.or(report.noted.map(|wrong| wrong.to_string())), report.head) {
        (Some(wrong), _) => Err(Failure::new(format!(
            "the audit log is wrong, so nothing of it can be proved: {wrong}"
        ))),
        (None, Some(head)) => Ok(head),
        (None, None) => Err(Failure::new("the audit log has no head yet; try again in a second")),
    }
}

fn head(dir: &Path) -> Result<Outcome, Failure> {
    let key = public_key(dir, None)?.ok();
    let signed = last_head(dir, &Verifier::new(key))?;
    say!("{}", signed.to_string().trim_end());
    Ok(Outcome::Done)
}

fn prove_record(dir: &Path, record: u64, is_json: bool) -> Result<Outcome, Failure> {
    let key = public_key(dir, None)?.ok();
    let signed = last_head(dir, &Verifier::new(key))?;
    let (size, root) = (signed.head.size, signed.head.root);
    let Some(mut plan) = ProofPlan::inclusion(record, size) else {
        return Err(Failure::new(format!(
            "there is no record {record} under the last head: it stands for {size}, counted from 0; \
             a record is under a head within a second"
        )));
    };
    let mut found: Option<(Hash, Vec<u8>)> = None;
    read(dir, &Verifier::default(), &mut |entry| {
        if entry.index < size {
            plan.take(entry.index, entry.leaf);
        }
        if entry.index == record {
            found = Some((entry.leaf, entry.bytes.to_vec()));
        }
    })?;
    let (Some(path), Some((leaf, bytes))) = (plan.finish(), found) else {
        return Err(Failure::new("the audit log changed while it was read; try again"));
    };
    let holds = verify_inclusion(record, size, &leaf, &path, &root);
    let proof = Proof { kind: "inclusion", of: record, bytes, leaf, path, signed, holds };
    Ok(proof.print(is_json))
}

fn prove_since(dir: &Path, since: &Path, is_json: bool) -> Result<Outcome, Failure> {
    let key = public_key(dir, None)?.ok();
    let noted = noted(since)?;
    let signed = last_head(dir, &Verifier::new(key).with_head(noted.clone()))?;
    let (size, root) = (signed.head.size, signed.head.root);
    let (first, first_root) = (noted.head.size, noted.head.root);
    let mut plan = ProofPlan::consistency(first, size).ok_or_else(|| {
        Failure::new(format!("the noted head stands for {first} records, the last one for {size}"))
    })?;
    read(dir, &Verifier::default(), &mut |entry| {
        if entry.index < size {
            plan.take(entry.index, entry.leaf);
        }
    })?;
    let Some(path) = plan.finish() else {
        return Err(Failure::new("the audit log changed while it was read; try again"));
    };
    let holds = verify_consistency((first, &first_root), (size, &root), &path);
    let bytes = Vec::new();
    let proof =
        Proof { kind: "consistency", of: first, bytes, leaf: first_root, path, signed, holds };
    Ok(proof.print(is_json))
}

/// A proof, made and checked.
struct Proof {
    kind: &'static str,
    /// The record, or the size of the earlier tree.
    of: u64,
    bytes: Vec<u8>,
    /// The leaf, or the root of the earlier tree.
    leaf: Hash,
    path: Vec<Hash>,
    signed: SignedHead,
    holds: bool,
}

impl Proof {
    fn print(&self, is_json: bool) -> Outcome {
        let size = self.signed.head.size;
        let is_inclusion = self.kind == "inclusion";
        if is_json {
            let path: Vec<String> = self.path.iter().map(Hash::to_string).collect();
            let mut object = json!({
                "event": "proof",
                "kind": self.kind,
                "size": size,
                "root": self.signed.head.root.to_string(),
                "path": path,
                "holds": self.holds,
                "head": self.signed.to_string(),
            });
            if let Some(fields) = object.as_object_mut() {
                if is_inclusion {
                    fields.insert("record".to_owned(), json!(self.of));
                    fields.insert("leaf".to_owned(), json!(self.leaf.to_string()));
                    let bytes = hex(&self.bytes);
                    fields.insert("bytes".to_owned(), json!(bytes));
                } else {
                    fields.insert("first".to_owned(), json!(self.of));
                    fields.insert("first_root".to_owned(), json!(self.leaf.to_string()));
                }
            }
            say!("{object}");
        } else {
            let what = if is_inclusion {
                format!("record {} is in the log", self.of)
            } else {
                format!("the log of {} records is the beginning of the log", self.of)
            };
            let verdict = if self.holds { "proved" } else { "NOT PROVED" };
            say!("{verdict}: {what} of {size} records with root {}", self.signed.head.root);
            for hash in &self.path {
                say!("  {hash}");
            }
        }
        if self.holds { Outcome::Done } else { Outcome::Unsound }
    }
}
