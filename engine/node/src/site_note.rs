//! Which site a start puts in force: the one it is given, or the one that was put in force meanwhile.
//!
//! The site a node is given at its start lies in a directory; another version may have come over a
//! connection since. A start must not put the older one back without a word. So each start notes which
//! site it was given and which version that made; a given site that is still the noted one gives way
//! to a later version of the journal's, and one that was edited while the journal's was changed as
//! well does so too, loudly.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ach_actors_model::SiteConfig;
use ach_engine_wire::{SiteDigest, encode_site};

/// Where a start notes what it was given: one line, the digest and the version.
const FILE: &str = "site.started";

/// What a start puts in force.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The next version, if another one than the journal's is to be in force.
    pub change: Option<SiteConfig>,
    /// Whether what is in force then is what was given.
    pub is_as_given: bool,
}

impl Chosen {
    /// The digest of what is in force then.
    pub(crate) fn digest(&self, recovered: Option<&SiteConfig>) -> Option<SiteDigest> {
        self.change.as_ref().or(recovered).and_then(digest)
    }
}

/// Chooses, and notes what was given. That it cannot be noted keeps no node from its work.
pub(crate) fn choose(folder: &Path, given: SiteConfig, in_force: Option<&SiteConfig>) -> Chosen {
    let noted = read(folder);
    let given_digest = digest(&given);
    let (chosen, version) = decide(given, in_force, noted, given_digest);
    if let (Some(digest), Some(version)) = (given_digest, version)
        && noted != Some((digest, version))
        && let Err(error) = write(folder, digest, version)
    {
        tracing::warn!(%error, "could not note which site was given; the next start puts it back");
    }
    chosen
}

/// As [`choose`] for a node that has no folder, so that what it is given is what it gets.
pub(crate) fn choose_unnoted(given: SiteConfig, in_force: Option<&SiteConfig>) -> Chosen {
    let given_digest = digest(&given);
    decide(given, in_force, None, given_digest).0
}

/// What is in force after the start, and the version to be noted, if the given one is it.
fn decide(
    given: SiteConfig,
    in_force: Option<&SiteConfig>,
    noted: Option<(SiteDigest, u32)>,
    given_digest: Option<SiteDigest>,
) -> (Chosen, Option<u32>) {
    let Some(in_force) = in_force else {
        let change = Some(SiteConfig { version: 1, ..given });
        return (Chosen { change, is_as_given: true }, Some(1));
    };
    let same = SiteConfig { version: in_force.version, ..given };
    if same == *in_force {
        return (Chosen { change: None, is_as_given: true }, Some(in_force.version));
    }
    if let Some((digest, version)) = noted
        && in_force.version > version
    {
        if given_digest == Some(digest) {
            tracing::info!(
                version = in_force.version,
                "a later version of the site stays in force than the one that was given"
            );
        } else {
            tracing::error!(
                version = in_force.version,
                "the given site was edited, and another version was put in force meanwhile: that one \
                 stays; take it over and apply the given one"
            );
        }
        return (Chosen { change: None, is_as_given: false }, None);
    }
    let version = in_force.version.saturating_add(1);
    let change = Some(SiteConfig { version, ..same });
    (Chosen { change, is_as_given: true }, Some(version))
}

fn digest(site: &SiteConfig) -> Option<SiteDigest> {
    encode_site(site).ok().map(|bytes| SiteDigest::of(&bytes))
}

fn read(folder: &Path) -> Option<(SiteDigest, u32)> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    let (digest, version) = text.trim().split_once(' ')?;
    Some((SiteDigest::parse(digest)?, version.parse().ok()?))
}

/// Beside, synced, then renamed: the old line or the new one, and no half of it.
fn write(folder: &Path, digest: SiteDigest, version: u32) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = folder.join("site.started.new");
    let mut file = fs::File::create(&new)?;
    writeln!(file, "{digest} {version}")?;
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE))?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_values::empty_site;

    fn site(version: u32, largest_gap_ns: u64) -> SiteConfig {
        SiteConfig { version, largest_gap_ns, ..empty_site("st-anna") }
    }

    /// A start that is given a site while another is in force: what comes of it, in words.
    fn start(folder: &Path, given_gap_ns: u64, in_force: Option<(u32, u64)>) -> String {
        let in_force = in_force.map(|(version, gap_ns)| site(version, gap_ns));
        let chosen = choose(folder, site(0, given_gap_ns), in_force.as_ref());
        let change =
            chosen.change.map_or("stays".to_owned(), |it| format!("version {}", it.version));
        format!("{change}{}", if chosen.is_as_given { "" } else { ", not as given" })
    }

    #[test]
    fn a_given_site_comes_into_force_until_a_later_one_was_put_in_force_over_a_connection() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 1, Some((1, 1))), "stays");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2", "the directory was edited");
        // Version 3 comes over a connection, and the directory is still the old one.
        assert_eq!(start(at, 2, Some((3, 9))), "stays, not as given");
        assert_eq!(start(at, 2, Some((3, 9))), "stays, not as given", "and at the next start");
        assert_eq!(start(at, 5, Some((3, 9))), "stays, not as given", "edited on both sides");
        assert_eq!(start(at, 9, Some((3, 9))), "stays", "the directory was taken over");
        assert_eq!(start(at, 5, Some((3, 9))), "version 4", "and edited from there");
    }

    /// What was noted and did not reach the disk is put in force again.
    #[test]
    fn a_start_that_was_killed_before_its_site_was_durable_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 1, None), "version 1");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2");
        assert_eq!(start(at, 2, Some((1, 1))), "version 2");
    }

    #[test]
    fn a_note_that_is_not_there_or_damaged_leaves_the_word_to_the_given_site() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        assert_eq!(start(at, 2, Some((3, 9))), "version 4");
        fs::write(at.join(FILE), "nonsense").unwrap();
        assert_eq!(start(at, 2, Some((3, 9))), "version 4");
        assert_eq!(start(at, 2, Some((4, 2))), "stays");
    }
}
