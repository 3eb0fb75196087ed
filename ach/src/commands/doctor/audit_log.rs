//! The audit log of a data directory: whether it is sound, and can be signed on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ach_engine_audit::{ReadError, Verifier, VerifyingKey, has_log};
use ach_engine_journal::FileDisk;

use super::finding::Finding;

const WHAT: &str = "audit log";

/// Reads all of it.
pub(crate) fn finding(data: &Path) -> Finding {
    let public = data.join("audit.pub");
    let disk = FileDisk::existing(data.join("audit")).ok();
    let is_there = disk.as_ref().is_some_and(|disk| has_log(disk).unwrap_or(true));
    match (disk, public.exists()) {
        (Some(disk), _) if is_there => key(data).unwrap_or_else(|| read(&disk, &public)),
        (_, false) => Finding::ok(WHAT, "there is none yet"),
        (_, true) => Finding::wrong(
            WHAT,
            "there was one, and it is gone",
            "find out who did it, and put its folder back from your backup",
        ),
    }
}

/// What is wrong with the key, if anything.
fn key(data: &Path) -> Option<Finding> {
    let remedy = "put it back from your backup: without it nothing is recorded";
    match fs::metadata(data.join("audit.key")) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Some(Finding::wrong(
            WHAT,
            "others can read its key",
            "`chmod 600` it, and ask who has read it",
        )),
        Ok(_) => None,
        Err(_) => Some(Finding::wrong(WHAT, "its key is not there", remedy)),
    }
}

fn read(disk: &FileDisk, public: &Path) -> Finding {
    let key = VerifyingKey::load(public).ok();
    let how =
        if key.is_some() { "sound" } else { "sound but for signatures, which were not checked" };
    match Verifier::new(key).run(disk, &mut |_| {}) {
        Ok(report) => match report.damage {
            None => Finding::ok(WHAT, format!("{} records, {how}", report.records)),
            Some(damage) => Finding::wrong(
                WHAT,
                damage.to_string(),
                "keep a copy of its folder, and find out who did it: `ach audit verify`",
            ),
        },
        Err(ReadError::Disk { verb, source, .. }) => Finding::wrong(
            WHAT,
            format!("could not {verb} it: {}", source.kind()),
            "run as the user who owns the directory",
        ),
        Err(ReadError::NewerFormat { .. }) => {
            Finding::warning(WHAT, "a newer build wrote it", "ask that build")
        }
        Err(ReadError::Busy | ReadError::NoLog) => {
            Finding::warning(WHAT, "it changed while it was read", "ask again in a moment")
        }
    }
}

#[cfg(test)]
mod tests {
    use ach_actors_model::{Name, Timestamp};
    use ach_engine_audit::{Config, Log, LogName, SigningKey};

    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_sound_an_edited_and_a_gone_log_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        assert_eq!(finding(data).seen, "there is none yet");
        let key = SigningKey::load_or_create(&data.join("audit.key"), false).unwrap();
        let disk = FileDisk::create(data.join("audit")).unwrap();
        let name = |text: &str| Name::new(text).unwrap();
        let log_name = LogName::new(&name("site"), &name("node-1"));
        let config = Config { segment_bytes: 0 };
        let (log, _) = Log::open(disk, config, key.clone(), log_name, Timestamp(1)).unwrap();
        key.publish(&data.join("audit.key")).unwrap();
        log.close(Timestamp(2)).unwrap();
        assert_eq!(finding(data), Finding::ok(WHAT, "0 records, sound"));
        fs::set_permissions(data.join("audit.key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(finding(data).seen, "others can read its key");
        fs::set_permissions(data.join("audit.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let segment = data.join("audit/0000000000000001.aud");
        let mut bytes = fs::read(&segment).unwrap();
        bytes[4_200] ^= 1;
        fs::write(&segment, &bytes).unwrap();
        assert_eq!(finding(data).verdict, Verdict::Wrong);
        fs::remove_dir_all(data.join("audit")).unwrap();
        assert_eq!(finding(data).seen, "there was one, and it is gone");
    }
}
