//! Where a node keeps what it must not lose.
//!
//! ```text
//! DIR/site        the site's id, one line
//! DIR/pki/        the certificate authority, key readable by the owner alone
//! DIR/node/       the node's own certificate and key
//! DIR/journal/    segments of the journal
//! DIR/journal.key the key-encryption key of the journal
//! ```

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ach_actors_model::Name;
use ach_engine_journal::KekSource;
use ach_engine_net::{Authority, Bundle, Role};

use crate::exit::Failure;

/// Holds the key-encryption key as 64 hexadecimal digits; wins over the file.
const KEY_VARIABLE: &str = "ACH_JOURNAL_KEY";

/// A node's data directory.
#[derive(Debug, Clone)]
pub(crate) struct DataDirectory {
    root: PathBuf,
}

impl DataDirectory {
    /// Opens it for a site; makes it if it is not there. Another site's directory is refused.
    pub(crate) fn for_site(root: &Path, site: &Name) -> Result<DataDirectory, Failure> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(|error| {
            Failure::new(format!("cannot make {}: {error}; choose another --data", root.display()))
        })?;
        let directory = DataDirectory { root: root.to_owned() };
        if directory.site_file().exists() {
            let found = directory.site()?;
            if found != *site {
                return Err(Failure::new(format!(
                    "{} holds the data of site `{found}`, not of `{site}`; give each site its own --data",
                    root.display()
                )));
            }
        } else {
            fs::write(directory.site_file(), format!("{site}\n"))?;
        }
        Ok(directory)
    }

    /// Opens one that a node has used.
    pub(crate) fn existing(root: &Path) -> Result<DataDirectory, Failure> {
        let directory = DataDirectory { root: root.to_owned() };
        if directory.site_file().exists() {
            return Ok(directory);
        }
        Err(Failure::new(format!(
            "{} is no data directory of a node; `ach serve --site DIR --data {}` makes one",
            root.display(),
            root.display()
        )))
    }

    /// The site whose data it holds.
    pub(crate) fn site(&self) -> Result<Name, Failure> {
        let text = fs::read_to_string(self.site_file())?;
        Name::new(text.trim()).map_err(|error| {
            Failure::new(format!("{} is damaged: {error}", self.site_file().display()))
        })
    }

    /// The certificate authority, made at the first call.
    pub(crate) fn authority(&self) -> Result<Authority, Failure> {
        Ok(Authority::open_or_create(&self.root.join("pki"), &self.site()?)?)
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

    /// A certificate for a client.
    pub(crate) fn enrol(&self, role: Role, name: &Name) -> Result<Bundle, Failure> {
        Ok(self.authority()?.issue(role, name)?)
    }

    /// Where the journal's segments are.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
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
