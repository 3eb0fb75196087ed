//! Which certificates are void before their end.
//!
//! Who is revoked, is so with every certificate made for him until then; one made afterwards is good.
//! A certificate tells when it was made: [`CLOCK_MARGIN`] after it becomes valid.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use ach_actors_model::{NS_PER_S, Name, Timestamp};

use crate::authority::CLOCK_MARGIN;
use crate::bundle::{Secrecy, write_file};
use crate::{Identity, PkiError, Role};

/// Largest list that is read: a line has at most 90 bytes, so over ten thousand of them.
const FILE_BYTES_MAX: u64 = 1 << 20;

const REMEDY: &str = "list of revoked certificates; put it back from your backup, or revoke again";

/// When a certificate was made that is valid from then on.
pub fn made_at(valid_from: Timestamp) -> Timestamp {
    let made_s = (valid_from.0 / NS_PER_S).saturating_add(CLOCK_MARGIN.as_secs());
    Timestamp(made_s.saturating_mul(NS_PER_S))
}

/// Who is revoked, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revocations {
    since_s: BTreeMap<(Role, Name), u64>,
}

impl Revocations {
    /// Reads a list; where there is no file, nobody is revoked.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no such list.
    pub fn load(path: &Path) -> Result<Revocations, PkiError> {
        let failed = |source| PkiError::File { verb: "read", path: path.to_owned(), source };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Revocations::default());
            }
            Err(error) => return Err(failed(error)),
            Ok(file) if file.len() > FILE_BYTES_MAX => {
                return Err(PkiError::Content { path: path.to_owned(), wanted: REMEDY });
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Revocations::parse(&text)
            .ok_or_else(|| PkiError::Content { path: path.to_owned(), wanted: REMEDY })
    }

    /// Whether nobody is revoked.
    pub fn is_empty(&self) -> bool {
        self.since_s.is_empty()
    }

    /// Writes the list; a crash leaves the old one or this one.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), PkiError> {
        let mut text = String::new();
        for ((role, name), since_s) in &self.since_s {
            // A text always has room.
            let _ = writeln!(text, "{} {name} {since_s}", role.word());
        }
        write_file(path, &text, Secrecy::Public)
    }

    /// Every certificate of this one that was made until `at` is void.
    pub fn revoke(&mut self, role: Role, name: &Name, at: Timestamp) {
        let since_s = self.since_s.entry((role, name.clone())).or_default();
        *since_s = (*since_s).max(at.0 / NS_PER_S);
    }

    /// When this one was revoked last, if ever: a certificate must be made later than that.
    pub fn revoked_at(&self, role: Role, name: &Name) -> Option<Timestamp> {
        let since_s = self.since_s.get(&(role, name.clone()))?;
        Some(Timestamp(since_s.saturating_mul(NS_PER_S)))
    }

    /// Whether a certificate is void that is valid from then on.
    pub fn is_void(&self, identity: &Identity, valid_from: Timestamp) -> bool {
        let made_s = made_at(valid_from).0 / NS_PER_S;
        let since_s = self.since_s.get(&(identity.role, identity.name.clone()));
        since_s.is_some_and(|since_s| made_s <= *since_s)
    }

    fn parse(text: &str) -> Option<Revocations> {
        let mut list = Revocations::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let (role, name, since_s) = (words.next()?, words.next()?, words.next()?);
            let role = Role::ALL.into_iter().find(|known| known.word() == role)?;
            let since_s = since_s.parse().ok().filter(|_| words.next().is_none())?;
            list.since_s.insert((role, Name::new(name).ok()?), since_s);
        }
        // A list that was cut must not pass for a shorter one.
        (text.is_empty() || text.ends_with('\n')).then_some(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validity::valid_from;
    use crate::{Authority, Bundle};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn is_void(list: &Revocations, bundle: &Bundle) -> bool {
        list.is_void(bundle.identity(), valid_from(bundle.certificate_pem()).unwrap())
    }

    #[test]
    fn who_is_revoked_is_out_with_every_certificate_until_then_and_in_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(&folder.path().join("pki"), &name("st-anna")).unwrap();
        let path = folder.path().join("revoked");
        let (vendor, other) = (name("uwb"), name("rival"));
        let old = authority.issue(Role::Vendor, &vendor).unwrap();
        let others = authority.issue(Role::Vendor, &other).unwrap();
        let namesake = authority.issue(Role::Receiver, &vendor).unwrap();
        let mut list = Revocations::load(&path).unwrap();
        assert!(!is_void(&list, &old));
        let now_s = crate::clock::since_1970().as_secs();
        list.revoke(Role::Vendor, &vendor, Timestamp(now_s * NS_PER_S));
        list.save(&path).unwrap();
        let list = Revocations::load(&path).unwrap();
        assert!(is_void(&list, &old));
        assert!(!is_void(&list, &others) && !is_void(&list, &namesake));
        // In the same second as the revocation.
        let after = list.revoked_at(Role::Vendor, &vendor);
        let new = authority.issue_after(Role::Vendor, &vendor, after).unwrap();
        assert!(!is_void(&list, &new));
        assert_eq!(new.identity(), old.identity());
    }

    #[test]
    fn a_list_that_was_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("revoked");
        for text in ["vendor uwb", "vendor uwb 12", "root uwb 12\n", "vendor u/b 12\n", "a b 1 2\n"]
        {
            fs::write(&path, text).unwrap();
            assert!(Revocations::load(&path).is_err(), "{text}");
        }
        fs::write(&path, "vendor uwb 12\nreceiver a:b 13\n").unwrap();
        let list = Revocations::load(&path).unwrap();
        assert_eq!(list.revoked_at(Role::Receiver, &name("a:b")), Some(Timestamp(13 * NS_PER_S)));
    }
}
