//! Where a node keeps what it must not lose.
//!
//! ```text
//! DIR/site        the site's id, one line
//! DIR/pki/        the certificate authority, key readable by the owner alone
//! DIR/pki/issued/ the last certificate of each client, without its key
//! DIR/revoked     whose certificates are void
//! DIR/site.started which site the last start was given
//! DIR/node/       the node's own certificate and key
//! DIR/journal/    segments of the journal
//! DIR/history/    history, derived from the journal
//! DIR/archive/    what the journal has given up
//! DIR/holds       legal holds, if there are any
//! DIR/people/     what is known about persons, each under a key of its own
//! DIR/journal.key the key-encryption key of the journal
//! DIR/audit/      segments of the audit log
//! DIR/audit.key   the key that signs its heads
//! DIR/audit.pub   the public half of that key
//! ```

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, Timestamp};
use ach_engine_journal::KekSource;
use ach_engine_net::{Authority, Bundle, Revocations, Role};
use ach_engine_node::REVOKED_FILE;
use ach_engine_store::{People, Subjects};

use crate::exit::Failure;

/// Holds the key-encryption key as 64 hexadecimal digits; wins over the file.
const KEY_VARIABLE: &str = "ACH_JOURNAL_KEY";

/// What the secret under which keys of persons are wrapped is for.
const PEOPLE_PURPOSE: &str = "people";

/// A node's data directory.
#[derive(Debug, Clone)]
pub(crate) struct DataDirectory {
    root: PathBuf,
}

impl DataDirectory {
    /// Opens it for a site; makes it if it is not there. Another site's directory is refused, and one
    /// whose journal has lost its key.
    pub(crate) fn for_site(root: &Path, site: &Name) -> Result<DataDirectory, Failure> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(|error| {
            Failure::new(format!("cannot make {}: {error}; choose another --data", root.display()))
        })?;
        let directory = DataDirectory { root: root.to_owned() };
        directory.claim(site)?;
        let found = directory.site()?;
        if found != *site {
            return Err(Failure::new(format!(
                "{} holds the data of site `{found}`, not of `{site}`; give each site its own --data",
                root.display()
            )));
        }
        directory.must_have_key()?;
        Ok(directory)
    }

    /// Opens one that a node has used.
    pub(crate) fn existing(root: &Path) -> Result<DataDirectory, Failure> {
        let directory = DataDirectory { root: root.to_owned() };
        match fs::metadata(directory.site_file()) {
            Ok(_) => Ok(directory),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Err(Failure::new(format!(
                    "{} is no data directory of a node; `ach serve --site DIR --data {}` makes one",
                    root.display(),
                    root.display()
                )))
            }
            Err(error) => Err(directory.not_possible("read", &error)),
        }
    }

    /// What another user writes here the node could neither read nor go on with.
    pub(crate) fn must_be_ours(&self) -> Result<(), Failure> {
        let owner = fs::metadata(&self.root)?.uid();
        if owner == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} belongs to another user; run as the user who owns it, as in `sudo -u ach ...`",
            self.root.display()
        )))
    }

    /// The site whose data it holds.
    pub(crate) fn site(&self) -> Result<Name, Failure> {
        let text = fs::read_to_string(self.site_file())
            .map_err(|error| self.not_possible("read", &error))?;
        Name::new(text.trim()).map_err(|error| {
            Failure::new(format!(
                "{} is damaged: {error}; write the id of the site into it, as in its site.toml",
                self.site_file().display()
            ))
        })
    }

    /// Writes whose data it holds, unless that is written. The whole id or no file: it gets its name
    /// when it is complete, so that a kill leaves no half of it, and never replaces another.
    fn claim(&self, site: &Name) -> Result<(), Failure> {
        let failed = |error: std::io::Error| self.not_possible("write", &error);
        if self.site_file().exists() {
            return Ok(());
        }
        let new = self.root.join(format!("site.{}.new", std::process::id()));
        let mut file = fs::File::create(&new).map_err(failed)?;
        file.write_all(format!("{site}\n").as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        let linked = fs::hard_link(&new, self.site_file());
        fs::remove_file(&new).map_err(failed)?;
        match linked {
            // Another start was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked.map_err(failed),
        }
    }

    /// A node makes the journal's key with its journal. Where the journal is and the key is not, a new
    /// one would open nothing and stand in the place of the one that is to be put back.
    fn must_have_key(&self) -> Result<(), Failure> {
        let KekSource::File(key) = self.key_source() else { return Ok(()) };
        if key.exists() || !self.has_journal()? {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} is missing, and without it nobody can read the journal in {}; put it back from your \
             backup or give it in {KEY_VARIABLE}; to begin without the journal choose another --data",
            key.display(),
            self.journal().display()
        )))
    }

    /// Whether there is a journal, be it of one segment.
    pub(crate) fn has_journal(&self) -> Result<bool, Failure> {
        let entries = match fs::read_dir(self.journal()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                let folder = self.journal();
                return Err(Failure::new(format!("cannot read {}: {error}", folder.display())));
            }
        };
        for entry in entries {
            if Path::new(&entry?.file_name()).extension().is_some_and(|it| it == "seg") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn not_possible(&self, verb: &str, error: &std::io::Error) -> Failure {
        let file = self.site_file();
        let remedy = match error.kind() {
            ErrorKind::PermissionDenied => "run as the user who owns the directory",
            ErrorKind::StorageFull => "make room, or choose another --data",
            _ => "check the directory",
        };
        Failure::new(format!("cannot {verb} {}: {error}; {remedy}", file.display()))
    }

    /// The certificate authority, made at the first call. Where a node has its certificate from one
    /// that is gone, a new one would turn every client away that was enrolled with it.
    pub(crate) fn authority(&self) -> Result<Authority, Failure> {
        let (folder, node) = (self.root.join("pki"), self.root.join("node"));
        let is_empty = fs::read_dir(&folder).map_or(true, |mut files| files.next().is_none());
        if is_empty && node.exists() {
            return Err(Failure::new(format!(
                "the authority in {} is missing, and nobody who was enrolled with it could come in; \
                 put it back from your backup, or remove {} to begin with a new one and enrol \
                 everybody again",
                folder.display(),
                node.display()
            )));
        }
        Ok(Authority::open_or_create(&folder, &self.site()?)?)
    }

    /// The node's own certificate for these host names, made anew at each start: names may change,
    /// and the authority is here. Its key stays, so that after a crash the node can tell its clients
    /// at once that their connections are gone; without it they would wait for their idle time-out.
    pub(crate) fn node_bundle(&self, node: &Name, hosts: &[String]) -> Result<Bundle, Failure> {
        let authority = self.authority()?;
        let kept = self.root.join("node");
        // A key that is not there or cannot be read, as after a crash while it was written, is
        // replaced: nobody but the node itself relies on it.
        if let Ok(earlier) = Bundle::load(&kept)
            && let Ok(renewed) = authority.renew_node(&earlier, node, hosts)
        {
            return Ok(renewed);
        }
        let bundle = authority.issue_node(node, hosts)?;
        bundle.save(&kept)?;
        Ok(bundle)
    }

    /// A certificate for a client, made later than those that were revoked.
    pub(crate) fn enrol(&self, role: Role, name: &Name) -> Result<Bundle, Failure> {
        let after = self.revocations()?.revoked_at(role, name);
        Ok(self.authority()?.issue_after(role, name, after)?)
    }

    /// Whose certificates are void.
    pub(crate) fn revocations(&self) -> Result<Revocations, Failure> {
        Ok(Revocations::load(&self.revoked_file())?)
    }

    /// Makes all certificates of a client void that were made until `at`. One command at a time.
    pub(crate) fn revoke(&self, role: Role, name: &Name, at: Timestamp) -> Result<(), Failure> {
        let lock = fs::File::create(self.root.join("revoked.lock"))
            .map_err(|error| self.not_possible("write", &error))?;
        lock.lock().map_err(|error| self.not_possible("lock", &error))?;
        let mut list = self.revocations()?;
        list.revoke(role, name, at);
        Ok(list.save(&self.revoked_file())?)
    }

    fn revoked_file(&self) -> PathBuf {
        self.root.join(REVOKED_FILE)
    }

    /// Keeps a certificate, to tell later who has one and until when.
    pub(crate) fn keep_issued(&self, bundle: &Bundle) -> Result<(), Failure> {
        let folder = self.issued();
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot write into {}: {error}", folder.display()))
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        let identity = bundle.identity();
        let file = folder.join(issued_file(identity.role, &identity.name));
        fs::write(file, bundle.certificate_pem()).map_err(failed)
    }

    /// The last certificates of all clients of a role that were kept, by name, as PEM.
    pub(crate) fn issued_to(&self, role: Role) -> Result<Vec<(Name, String)>, Failure> {
        let entries = match fs::read_dir(self.issued()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut issued = Vec::new();
        for entry in entries {
            let file = entry?.file_name().to_string_lossy().into_owned();
            let name = file.strip_prefix(&format!("{}-", role.word()));
            let name = name.and_then(|rest| rest.strip_suffix(".pem"));
            if let Some(name) = name.and_then(|name| Name::new(name).ok()) {
                issued.push((name, fs::read_to_string(self.issued().join(&file))?));
            }
        }
        issued.sort();
        Ok(issued)
    }

    fn issued(&self) -> PathBuf {
        self.root.join("pki").join("issued")
    }

    /// Where the journal's segments are.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Where the audit log's segments are.
    pub(crate) fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// The key that signs the heads of the audit log.
    pub(crate) fn audit_key(&self) -> PathBuf {
        self.root.join("audit.key")
    }

    /// Where history is kept, or a link to it, if a node or `ach history build` has made it.
    pub(crate) fn history(&self) -> PathBuf {
        self.root.join("history")
    }

    /// Where the archives of the journal are kept.
    pub(crate) fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// The file of legal holds.
    pub(crate) fn holds(&self) -> PathBuf {
        self.root.join("holds")
    }

    /// What is known about persons, with the keys.
    pub(crate) fn people(&self) -> Result<People, Failure> {
        let secret = self.key_source().load()?.secret_for(PEOPLE_PURPOSE)?;
        Ok(People::open(&self.people_folder(), &secret)?)
    }

    /// As [`DataDirectory::people`], to give whose key is damaged a new one.
    pub(crate) fn people_to_replace(&self) -> Result<People, Failure> {
        let secret = self.key_source().load()?.secret_for(PEOPLE_PURPOSE)?;
        Ok(People::open_to_replace(&self.people_folder(), &secret)?)
    }

    /// Who is known and who was erased, which needs no secret.
    pub(crate) fn subjects(&self) -> Subjects {
        Subjects::of(&self.people_folder())
    }

    fn people_folder(&self) -> PathBuf {
        self.root.join("people")
    }

    /// Has history lie in a folder of another directory, on another disk perhaps: a link says where. A
    /// folder of its own can be moved aside when it is damaged; where a disk is mounted cannot.
    pub(crate) fn keep_history_at(&self, parent: &Path) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot keep history in {}: {error}", parent.display()))
        };
        let link = self.history();
        let parent_there = parent.canonicalize();
        if parent_there.is_ok_and(|parent| link.canonicalize().is_ok_and(|found| found == parent)) {
            // Made by an earlier version, for which it was the directory itself.
            return Ok(());
        }
        let wanted = parent.join("history");
        if link.is_symlink() && !link.exists() {
            // Whether its disk is away, or it was set aside before a crash, is told where it is opened.
            return must_lead_to(&link, &[parent.to_owned(), wanted]);
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&wanted).map_err(failed)?;
        let wanted = wanted.canonicalize().map_err(failed)?;
        match link.canonicalize() {
            Ok(found) if found == wanted => Ok(()),
            Ok(found) => Err(Failure::new(format!(
                "history lies in {}; move it to {} and remove what is left, or leave --history out",
                found.display(),
                wanted.display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                std::os::unix::fs::symlink(&wanted, &link).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Where the key-encryption key of the journal comes from: the environment if it has one, else a
    /// file beside the journal. Without the key the journal cannot be read by anybody.
    pub(crate) fn key_source(&self) -> KekSource {
        if std::env::var_os(KEY_VARIABLE).is_some() {
            KekSource::Environment(KEY_VARIABLE.to_owned())
        } else {
            KekSource::File(self.root.join("journal.key"))
        }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn site_file(&self) -> PathBuf {
        self.root.join("site")
    }
}

/// Refuses to pass over where history is wanted, when the link of before leads elsewhere and to nothing.
fn must_lead_to(link: &Path, wanted: &[PathBuf]) -> Result<(), Failure> {
    let found = fs::read_link(link)
        .map(|target| link.parent().unwrap_or(Path::new("")).join(target))
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", link.display())))?;
    // What is not there has no one path: a part of it may be there and a link.
    let forms = |path: &Path| {
        let there = path.ancestors().find_map(|part| {
            let rest = path.strip_prefix(part).ok()?;
            Some(part.canonicalize().ok()?.join(rest))
        });
        [Some(path.to_owned()), std::path::absolute(path).ok(), there].into_iter().flatten()
    };
    let is_it = wanted
        .iter()
        .any(|wanted| forms(wanted).any(|wanted| forms(&found).any(|found| found == wanted)));
    if is_it {
        return Ok(());
    }
    let wanted = wanted.last().map(|wanted| wanted.display().to_string()).unwrap_or_default();
    let (link, found) = (link.display(), found.display());
    Err(Failure::new(format!(
        "history lies in {found}, which is not there, and is to lie in {wanted}; mount the disk and move it, or \
         remove the link {link} to begin a new history"
    )))
}

fn issued_file(role: Role, name: &Name) -> String {
    format!("{}-{name}.pem", role.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[track_caller]
    fn check_refused<T>(result: Result<T, Failure>, part: &str) {
        let text = result.err().expect("a refusal").to_string();
        assert!(text.contains(part), "{text}");
    }

    #[test]
    fn a_directory_belongs_to_one_site() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("deep/data");
        assert!(DataDirectory::for_site(&root, &name("st-anna")).is_ok());
        assert!(DataDirectory::for_site(&root, &name("st-anna")).is_ok());
        check_refused(
            DataDirectory::for_site(&root, &name("st-mark")),
            "of site `st-anna`, not of",
        );
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left, ["site"], "nothing is left lying about");
    }

    #[test]
    fn what_no_node_has_used_is_no_data_directory() {
        let folder = tempfile::tempdir().unwrap();
        check_refused(DataDirectory::existing(folder.path()), "`ach serve --site DIR --data");
        check_refused(DataDirectory::existing(&folder.path().join("none")), "no data directory");
        fs::write(folder.path().join("site"), "").unwrap();
        check_refused(DataDirectory::existing(folder.path()).unwrap().site(), "is damaged");
    }

    /// Or everybody who was enrolled would be turned away without a word.
    #[test]
    fn a_lost_authority_is_told_and_no_other_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::for_site(folder.path(), &name("st-anna")).unwrap();
        directory.node_bundle(&name("node-1"), &[]).unwrap();
        assert!(directory.authority().is_ok());
        fs::remove_dir_all(folder.path().join("pki")).unwrap();
        check_refused(directory.authority(), "put it back from your backup");
        check_refused(directory.enrol(Role::Vendor, &name("uwb")), "enrol everybody again");
        assert!(!folder.path().join("pki").exists());
        fs::remove_dir_all(folder.path().join("node")).unwrap();
        assert!(directory.authority().is_ok());
    }

    /// Its disk has died, and another one is named: the old link must not win in silence.
    #[test]
    fn history_whose_disk_is_away_is_not_looked_for_where_nobody_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory =
            DataDirectory::for_site(&folder.path().join("data"), &name("st-anna")).unwrap();
        let (old, other) = (folder.path().join("old"), folder.path().join("other"));
        fs::create_dir(&old).unwrap();
        directory.keep_history_at(&old).unwrap();
        fs::remove_dir_all(&old).unwrap();
        let link = directory.history();
        assert!(link.is_symlink() && !link.exists());
        assert!(directory.keep_history_at(&old).is_ok(), "whether it is mounted is told later");
        let advice = format!("remove the link {}", link.display());
        check_refused(directory.keep_history_at(&other), &advice);
        assert!(!other.exists(), "nothing is begun there");
        fs::remove_file(&link).unwrap();
        directory.keep_history_at(&other).unwrap();
        assert_eq!(link.canonicalize().unwrap(), other.canonicalize().unwrap().join("history"));
    }

    /// A fresh key in the place of a lost one would be taken for it.
    #[test]
    fn a_journal_without_its_key_is_refused_and_no_key_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::for_site(folder.path(), &name("st-anna")).unwrap();
        fs::create_dir(directory.journal()).unwrap();
        fs::write(directory.journal().join("lock"), "").unwrap();
        assert!(DataDirectory::for_site(folder.path(), &name("st-anna")).is_ok(), "no segment yet");
        fs::write(directory.journal().join("0000000000000001.seg"), "").unwrap();
        check_refused(DataDirectory::for_site(folder.path(), &name("st-anna")), "from your backup");
        assert!(!folder.path().join("journal.key").exists());
        fs::write(folder.path().join("journal.key"), "").unwrap();
        assert!(DataDirectory::for_site(folder.path(), &name("st-anna")).is_ok());
    }
}
