//! `ach site apply`: puts a site directory in force on a running node.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ach_clients_rust::{Code, FrameMarks, Operator, SiteDigest, SiteVerdict, SiteWish};
use ach_engine_site::SiteDirectory;
use ach_engine_wire::encode_site;
use serde_json::json;

use super::connection::{OPERATORS, connect, runtime};
use super::site;
use crate::cli::{Apply, Connect};
use crate::exit::{Failure, Outcome};

/// Which version a directory was made from, in the directory: a line with the version and its digest.
const IN_FORCE_FILE: &str = ".in-force";

/// Locked while a directory is applied, in the directory.
const LOCK_FILE: &str = ".lock";

/// Applies a directory, or tells whether it would be taken.
pub(crate) fn run(apply: &Apply) -> Result<Outcome, Failure> {
    let _lock = lock(&apply.dir)?;
    let directory = site::read(&apply.dir)?;
    let how = How {
        dir: &apply.dir,
        to: &apply.connect,
        from: apply.from,
        is_dry_run: apply.dry_run,
        may_strand: apply.strand,
    };
    runtime()?.block_on(async {
        let mut operator = connect(&apply.connect, OPERATORS).await?.operator();
        let verdict = offer(&mut operator, &directory, &how).await?;
        operator.close().await;
        Ok(tell(&verdict, &how))
    })
}

/// How a directory is to be applied.
#[derive(Debug)]
pub(super) struct How<'a> {
    pub dir: &'a Path,
    pub to: &'a Connect,
    pub from: Option<u32>,
    pub is_dry_run: bool,
    pub may_strand: bool,
}

/// Why there is no verdict on an offer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The offer was not sent.
    Unsent(Failure),
    /// It was, and what became of it is not known.
    Unknown(Failure),
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Failure {
        match unanswered {
            Unanswered::Unsent(why) | Unanswered::Unknown(why) => why,
        }
    }
}

/// Keeps others from applying, or editing by a command, the same directory until the file is closed. A
/// directory that nobody may write to is not locked: no command edits it.
pub(super) fn lock(dir: &Path) -> Result<Option<fs::File>, Failure> {
    let path = dir.join(LOCK_FILE);
    let file = match fs::File::create(&path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(Failure::new(format!("cannot lock {}: {error}", path.display()))),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::new(format!(
            "{} is being applied by another command; try again when that has ended",
            dir.display()
        ))),
        Err(fs::TryLockError::Error(error)) => {
            Err(Failure::new(format!("cannot lock {}: {error}", path.display())))
        }
    }
}

/// Offers a directory and notes in it what is in force, if it is.
pub(super) async fn offer(
    operator: &mut Operator,
    directory: &SiteDirectory,
    how: &How<'_>,
) -> Result<SiteVerdict, Unanswered> {
    let (wish, bytes) = prepare(operator, directory, how).await.map_err(Unanswered::Unsent)?;
    let digest = SiteDigest::of(&bytes);
    let verdict = operator
        .offer_site(&wish, &bytes)
        .await
        .map_err(|error| Unanswered::Unknown(error.into()))?;
    if verdict.code == Code::Done && verdict.digest == Some(digest) {
        note(how.dir, verdict.version, digest);
    }
    Ok(verdict)
}

/// What is to be offered, and how.
async fn prepare(
    operator: &mut Operator,
    directory: &SiteDirectory,
    how: &How<'_>,
) -> Result<(SiteWish, Vec<u8>), Failure> {
    let config = directory.config(1).map_err(|findings| Failure::new(findings.to_string()))?;
    let bytes = encode_site(&config)?;
    let digest = SiteDigest::of(&bytes);
    let noted = read_note(how.dir).filter(|_| how.from.is_none());
    let (base_version, base_digest) = match (how.from, noted) {
        (Some(version), _) => (version, None),
        (None, Some((version, digest))) => (version, Some(digest)),
        (None, None) => {
            let in_force = operator.site_in_force().await?;
            if in_force.digest != Some(digest) {
                return Err(Failure::new(format!(
                    "{} does not say which version of the site it was made from; in force is version \
                     {1}. If it was made from that, try again with --from {1}",
                    how.dir.display(),
                    in_force.version
                )));
            }
            (in_force.version, in_force.digest)
        }
    };
    let frame = directory.georeference.frame()?.as_ref().and_then(FrameMarks::of);
    let wish = SiteWish {
        base_version,
        base_digest,
        frame,
        is_dry_run: how.is_dry_run,
        may_strand: how.may_strand,
    };
    Ok((wish, bytes))
}

/// Says what became of it.
pub(super) fn tell(verdict: &SiteVerdict, how: &How<'_>) -> Outcome {
    let is_done = verdict.code == Code::Done;
    let detail = verdict.detail.to_string();
    if how.to.json {
        let reasons: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
        say!(
            "{}",
            json!({
                "event": "site_verdict",
                "is_done": is_done,
                "is_dry_run": how.is_dry_run,
                "code": verdict.code.value(),
                "detail": detail,
                "version": verdict.version,
                "reasons": reasons,
                "reason_count": verdict.reason_count,
                "index": verdict.cursor.map(|cursor| cursor.index),
            })
        );
    } else if is_done {
        let entry = verdict
            .cursor
            .map_or_else(String::new, |at| format!(", durable as entry {}", at.index));
        let comma = if detail.is_empty() { "" } else { ": " };
        say!("version {} is in force{entry}{comma}{detail}", verdict.version);
    } else {
        say!("refused: {}: {detail}; in force is version {}", verdict.code, verdict.version);
        for reason in &verdict.reasons {
            say!("  {reason}");
        }
        let told = u32::try_from(verdict.reasons.len()).unwrap_or(u32::MAX);
        if verdict.reason_count > told {
            say!("  and {} more", verdict.reason_count.saturating_sub(told));
        }
        // A node that does not store says itself what of it is in force until its next start.
        let unchanged = if verdict.code == Code::NotNow { "" } else { "Nothing was changed. " };
        say!("{unchanged}docs/errors/codes.md says what to do.");
    }
    if is_done { Outcome::Done } else { Outcome::Unsound }
}

/// Which version a directory was made from, if it says so.
pub(super) fn read_note(dir: &Path) -> Option<(u32, SiteDigest)> {
    let text = fs::read_to_string(dir.join(IN_FORCE_FILE)).ok()?;
    let (version, digest) = text.trim().strip_prefix("version ")?.split_once(' ')?;
    Some((version.parse().ok()?, SiteDigest::parse(digest)?))
}

/// Notes which version a directory is. One that cannot be written to is asked about the next time.
fn note(dir: &Path, version: u32, digest: SiteDigest) {
    if read_note(dir) == Some((version, digest)) {
        return;
    }
    if let Err(error) = fs::write(dir.join(IN_FORCE_FILE), format!("version {version} {digest}\n"))
    {
        complain!(
            "cannot note in {} which version it is now: {error}; the next time say --from {version}",
            dir.display()
        );
    }
}

/// Notes that a directory a node was started with is what is in force. A directory that nobody may
/// write to stays as it is.
pub(super) fn note_start(dir: &Path, directory: &SiteDirectory, version: u32) {
    let Ok(config) = directory.config(1) else { return };
    let Ok(bytes) = encode_site(&config) else { return };
    let digest = SiteDigest::of(&bytes);
    if read_note(dir) != Some((version, digest)) {
        // See above: nobody has to be told.
        let _ = fs::write(dir.join(IN_FORCE_FILE), format!("version {version} {digest}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_which_version_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_note(folder.path()), None);
        note(folder.path(), 7, SiteDigest(0xAB));
        assert_eq!(read_note(folder.path()), Some((7, SiteDigest(0xAB))));
        for text in ["", "version x", "version 7", "version 7 ab", "7 00"] {
            fs::write(folder.path().join(IN_FORCE_FILE), text).unwrap();
            assert_eq!(read_note(folder.path()), None, "{text}");
        }
    }
}
