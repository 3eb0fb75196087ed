//! `ach support-bundle`: what support needs to know, and nobody's name.
//!
//! Nothing is copied from a file or a log. Every part is made of counts and of words this program has
//! itself, so that a name cannot slip in: not of a person, a tag, a place, the site or the machine.

mod packing;
mod site_counts;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use ach_engine_audit::{ReadError, Verifier, VerifyingKey};
use ach_engine_journal::{FileDisk, Reader};
use ach_engine_site::SiteDirectory;
use serde_json::{Value, json};

use self::packing::Packing;
use super::doctor;
use crate::cli::SupportBundle;
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};

/// How long a node may take to answer for its metrics.
const METRICS_WITHIN: Duration = Duration::from_secs(5);
/// Most bytes of metrics that are taken; a node's are 20 KiB.
const METRICS_BYTES_MAX: u64 = 1024 * 1024;

const READ_ME: &str = "\
What support needs to know about a node of HMS-ACH, made by `ach support-bundle`.

versions.json   this program and the system it runs on
doctor.jsonl    what `ach doctor` finds on this machine
journal.json    whether the journal is sound, and how large it is
audit.json      whether the audit log is sound, and how large it is
data.json       sizes of the files in the data directory, by their ending
site.json       how many of everything the site has, if it was given
metrics.txt     the node's numbers, if it was running and asked

There are no logs, no positions, no keys, and no names of people, tags, places, the site or the machine.
";

/// Writes it.
pub(crate) fn run(wish: &SupportBundle) -> Result<Outcome, Failure> {
    let directory = DataDirectory::existing(&wish.data)?;
    let mut packing = Packing::default();
    packing.add("README.txt", READ_ME.to_owned());
    packing.add("versions.json", pretty(&versions()));
    let findings = doctor::examine(Some(&wish.data), &[])?;
    let lines = findings.iter().map(|finding| format!("{}\n", finding.object()));
    packing.add("doctor.jsonl", lines.collect());
    packing.add("journal.json", pretty(&journal(&directory)));
    packing.add("audit.json", pretty(&audit(&directory)));
    packing.add("data.json", pretty(&sizes(&wish.data)));
    if let Some(site) = &wish.site {
        packing.add("site.json", pretty(&site_counts(site)));
    }
    if let Some(address) = wish.metrics {
        // A node that does not answer is what support is asked about.
        let text = metrics(address).unwrap_or_else(|why| {
            complain!("{why}; the bundle is made without them");
            "no metrics: the node did not answer\n".to_owned()
        });
        packing.add("metrics.txt", text);
    }
    write(&wish.out, &packing)?;
    say!("{} written; look into it before you send it:", wish.out.display());
    say!("  tar -xzOf {} | less", wish.out.display());
    Ok(Outcome::Done)
}

/// A new file that its owner alone can read; what is there is never replaced.
fn write(out: &Path, packing: &Packing) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write {}: {error}; choose another --out", out.display()))
    };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(out).map_err(failed)?;
    let bytes = packing.bytes().map_err(failed)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn versions() -> Value {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory_kib: Option<u64> = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse().ok());
    json!({
        "ach": env!("CARGO_PKG_VERSION"),
        "is_debug_build": cfg!(debug_assertions),
        "logic_version": ach_engine_shard::LOGIC_VERSION,
        "entry_format_version": ach_engine_wire::ENTRY_FORMAT_VERSION,
        "system": std::env::consts::OS,
        "kernel": kernel.trim(),
        "architecture": std::env::consts::ARCH,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "memory_kib": memory_kib,
    })
}

/// The journal's soundness in numbers; reasons could hold paths, which can hold names.
fn journal(directory: &DataDirectory) -> Value {
    let disk = match FileDisk::existing(directory.journal()) {
        Ok(disk) => disk,
        Err(error) => return json!({ "unreadable": error.kind().to_string() }),
    };
    let kek = directory.key_source().load();
    match Reader::new(disk).verify(kek.as_ref().ok()) {
        Ok(report) => json!({
            "is_sound": report.damage.is_none(),
            "had_key": report.had_key,
            "was_closed": report.was_closed,
            "segments": report.segments.len(),
            "groups": report.groups,
            "records": report.records,
            "last_lsn": report.last_lsn.0,
            "notes": report.notes.len(),
            "torn_tail_bytes": report.tail.map(|tail| tail.torn_bytes),
            "damage": report.damage.map(|damage| json!({
                "what": damage.harm.to_string(),
                "segment": damage.segment,
                "offset": damage.offset,
                "lsn": damage.lsn.0,
            })),
        }),
        Err(_) => json!({ "unreadable": "the journal could not be read" }),
    }
}

/// The audit log's soundness in numbers.
fn audit(directory: &DataDirectory) -> Value {
    let disk = match FileDisk::existing(directory.audit()) {
        Ok(disk) => disk,
        Err(error) => return json!({ "unreadable": error.kind().to_string() }),
    };
    let key = VerifyingKey::load(&VerifyingKey::path_beside(&directory.audit_key())).ok();
    match Verifier::new(key).run(&disk, &mut |_| {}) {
        Ok(report) => json!({
            "is_sound": report.is_sound(),
            "had_key": report.had_key,
            "segments": report.segments,
            "records": report.records,
            "heads": report.heads,
            "newer_records": report.newer,
            "torn_tail_bytes": report.tail.map(|tail| tail.bytes),
            "damage": report.damage.map(|damage| json!({
                "what": damage.harm.to_string(),
                "segment": damage.segment,
                "offset": damage.offset,
                "record": damage.record,
            })),
        }),
        Err(ReadError::NoLog) => json!({ "unreadable": "there is no audit log" }),
        Err(_) => json!({ "unreadable": "the audit log could not be read" }),
    }
}

/// How many files the data directory has, and how large they are, by ending. Files with other endings
/// than ours are counted together: their names are somebody else's.
fn sizes(data: &Path) -> Value {
    const ENDINGS: &[&str] = &["seg", "aud", "in", "refused", "spare", "mark", "key", "pub", "pem"];
    let mut folders = vec![(data.to_owned(), 0)];
    let mut sizes = std::collections::BTreeMap::new();
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(file) = entry.metadata() else { continue };
            let path = entry.path();
            if file.is_dir() && depth < 4 {
                folders.push((path, depth + 1));
                continue;
            }
            let ending = path.extension().or(path.file_name()).and_then(|it| it.to_str());
            let word = ENDINGS.iter().find(|known| Some(**known) == ending).unwrap_or(&"other");
            let (count, bytes) = sizes.entry(*word).or_insert((0_u64, 0_u64));
            *count += 1;
            *bytes = bytes.saturating_add(file.len());
        }
    }
    let told = |(ending, (count, bytes)): (&str, (u64, u64))| {
        (ending.to_owned(), json!({ "files": count, "bytes": bytes }))
    };
    Value::Object(sizes.into_iter().map(told).collect())
}

fn site_counts(site: &Path) -> Value {
    match SiteDirectory::read(site) {
        Ok(reading) => site_counts::of(&reading.directory, reading.warnings.iter().count()),
        // What is wrong is told with names; how much is wrong is not.
        Err(findings) => json!({ "findings": findings.iter().count() }),
    }
}

/// The page of a running node, whose labels are words out of fixed lists.
fn metrics(address: SocketAddr) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::new(format!(
            "no metrics from {address}: {why}; give the address that `ach serve --metrics` printed, \
             or leave --metrics out"
        ))
    };
    let read = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, METRICS_WITHIN)?;
        stream.set_read_timeout(Some(METRICS_WITHIN))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(METRICS_BYTES_MAX).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = read().map_err(|error| failed(error.to_string()))?;
    let answer = String::from_utf8(answer).map_err(|_| failed("it is no text".to_owned()))?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return Err(failed("it is no answer".to_owned()));
    };
    // Anything else that listens there may say anything.
    let is_ours = head.starts_with("HTTP/1.1 200") && body.contains("\nach_build_version{");
    if is_ours { Ok(body.to_owned()) } else { Err(failed("no node of ours answers".to_owned())) }
}
