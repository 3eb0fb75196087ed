//! How long certificates are good, and whether the keys are where they must be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ach_actors_model::{NS_PER_S, Timestamp};
use ach_engine_net::valid_until;
use ach_engine_node::{Clock, SystemClock};

use super::finding::Finding;

/// Certificates that end sooner are told: a month is what it takes to reach every vendor.
const SOON_DAYS: u64 = 30;

/// The certificates and keys of a node's data directory.
pub(crate) fn of_node(data: &Path) -> Vec<Finding> {
    let now = SystemClock::default().utc();
    let node =
        end("node cert", &data.join("node/cert.pem"), now, "start the node again: it renews it");
    let authority = end(
        "authority",
        &data.join("pki/ca.pem"),
        now,
        "every certificate of the site must be made anew: plan it with all vendors",
    );
    vec![node, authority, journal_key(data)]
}

/// A client's certificate.
pub(crate) fn of_credentials(directory: &Path) -> Finding {
    let now = SystemClock::default().utc();
    end(
        "credentials",
        &directory.join("cert.pem"),
        now,
        "enrol again on the node, and carry it over",
    )
}

fn end(what: &'static str, path: &Path, now: Timestamp, remedy: &str) -> Finding {
    let Ok(pem) = fs::read_to_string(path) else {
        let remedy = "a node makes its own at its first start, `enrol` those of others";
        return Finding::warning(what, "there is none, or it cannot be read", remedy);
    };
    match valid_until(&pem) {
        Some(until) => left(what, until, now, remedy),
        None => Finding::wrong(what, "it is no certificate", "restore it from your backup"),
    }
}

fn left(what: &'static str, until: Timestamp, now: Timestamp, remedy: &str) -> Finding {
    let days = until.since_ns(now) / NS_PER_S / 86_400;
    if until <= now {
        Finding::wrong(what, "it has ended", remedy)
    } else if days < SOON_DAYS {
        Finding::warning(what, format!("it ends in {days} days"), remedy)
    } else {
        Finding::ok(what, format!("good for {days} days"))
    }
}

fn journal_key(data: &Path) -> Finding {
    let what = "journal key";
    match fs::metadata(data.join("journal.key")) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => {
            Finding::wrong(what, "others can read it", "`chmod 600` it, and ask who has read it")
        }
        Ok(_) => Finding::ok(what, "in the data directory; keep a copy away from this machine"),
        Err(_) if !data.join("journal").exists() => Finding::ok(what, "there is no journal yet"),
        Err(_) => Finding::ok(what, "not in the data directory: ACH_JOURNAL_KEY must give it"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn what_ends_soon_or_has_ended_is_told() {
        let day_ns = 86_400 * NS_PER_S;
        let now = Timestamp(1_000 * day_ns);
        let verdict = |days: u64| left("x", Timestamp(days * day_ns), now, "renew").verdict;
        assert_eq!(verdict(999), Verdict::Wrong);
        assert_eq!(verdict(1_000), Verdict::Wrong);
        assert_eq!(verdict(1_029), Verdict::Warning);
        assert_eq!(verdict(1_031), Verdict::Ok);
    }

    #[test]
    fn a_text_that_is_no_certificate_and_a_key_that_others_read_are_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(of_credentials(at).verdict, Verdict::Warning);
        fs::write(at.join("cert.pem"), "no certificate").unwrap();
        assert_eq!(of_credentials(at).verdict, Verdict::Wrong);
        assert_eq!(journal_key(at).verdict, Verdict::Ok);
        fs::write(at.join("journal.key"), "").unwrap();
        fs::set_permissions(at.join("journal.key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(journal_key(at).verdict, Verdict::Wrong);
    }
}
