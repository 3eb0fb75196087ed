//! Who a peer is: what its certificate says in its one URI,
//! `ach://<site>/<role>/<name>`, with `:` in names written `%3A`.
//!
//! With one colon, not a URN of many: the library with which clients in Python check names of hosts
//! fails on any certificate that has such a URN in it.

use std::fmt;

use ach_actors_model::{NS_PER_S, Name, NameError, Timestamp};
use thiserror::Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What every identity begins with.
const SCHEME: &str = "ach://";

/// What a peer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Serves.
    Node,
    /// Publishes pings and reports of its feed.
    Vendor,
    /// Subscribes.
    Receiver,
    /// Subscribes and commands.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Node, Role::Vendor, Role::Receiver, Role::Operator];

    /// Its word in the certificate.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Node => "node",
            Role::Vendor => "vendor",
            Role::Receiver => "receiver",
            Role::Operator => "operator",
        }
    }
}

/// Who a peer is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The site whose authority vouches for it.
    pub site: Name,
    /// What it may do.
    pub role: Role,
    /// Its name; a vendor's is the id of its feed.
    pub name: Name,
}

/// The first and the last moment at which a certificate is good.
pub(crate) fn certificate_validity(der: &[u8]) -> Result<(Timestamp, Timestamp), IdentityError> {
    let (_, certificate) =
        X509Certificate::from_der(der).map_err(|_| IdentityError::Certificate)?;
    let at = |since_1970_s: i64| {
        Timestamp(u64::try_from(since_1970_s).unwrap_or(0).saturating_mul(NS_PER_S))
    };
    let validity = certificate.validity();
    Ok((at(validity.not_before.timestamp()), at(validity.not_after.timestamp())))
}

/// Why a certificate names no one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// It is no certificate.
    #[error("the peer's certificate cannot be read")]
    Certificate,
    /// It names nothing, or more than one.
    #[error("a certificate must have exactly one name of the form ach://site/role/name")]
    Uri,
    /// It names a role that does not exist.
    #[error("a certificate has the role {role:?}, known are node, vendor, receiver, operator")]
    Role {
        /// What it says.
        role: String,
    },
    /// A name in it is no name.
    #[error("a name in a certificate cannot be used: {0}")]
    Name(#[from] NameError),
    /// A client's certificate names hosts.
    #[error("a certificate of a {role} must not name hosts", role = role.word())]
    Hosts {
        /// Its role.
        role: Role,
    },
    /// A certificate of an authority was shown.
    #[error("a certificate of an authority cannot be used to connect")]
    Authority,
}

impl Identity {
    /// Reads the identity out of a certificate. The chain must have been verified before.
    ///
    /// # Errors
    ///
    /// Anything but exactly one well-formed identity.
    pub fn from_certificate(der: &[u8]) -> Result<Identity, IdentityError> {
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| IdentityError::Certificate)?;
        if !rest.is_empty() {
            return Err(IdentityError::Certificate);
        }
        if certificate.is_ca() {
            return Err(IdentityError::Authority);
        }
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| IdentityError::Certificate)?
            .ok_or(IdentityError::Uri)?;
        let mut uri = None;
        let mut has_others = false;
        for name in &names.value.general_names {
            match name {
                GeneralName::URI(_) if uri.is_some() => return Err(IdentityError::Uri),
                GeneralName::URI(text) => uri = Some(*text),
                _ => has_others = true,
            }
        }
        let identity = Identity::from_uri(uri.ok_or(IdentityError::Uri)?)?;
        if has_others && identity.role != Role::Node {
            return Err(IdentityError::Hosts { role: identity.role });
        }
        Ok(identity)
    }

    /// Reads the URI.
    ///
    /// # Errors
    ///
    /// Any other form.
    pub fn from_uri(uri: &str) -> Result<Identity, IdentityError> {
        let path = uri.strip_prefix(SCHEME).filter(|path| !path.contains(':'));
        let mut parts = path.ok_or(IdentityError::Uri)?.split('/');
        let mut part = || parts.next().ok_or(IdentityError::Uri);
        let (site, role, name) = (part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(IdentityError::Uri);
        }
        let role = Role::ALL
            .into_iter()
            .find(|known| known.word() == role)
            .ok_or_else(|| IdentityError::Role { role: role.chars().take(32).collect() })?;
        let name_of = |text: &str| Name::new(&text.replace("%3A", ":"));
        Ok(Identity { site: name_of(site)?, role, name: name_of(name)? })
    }

    /// The URI.
    pub fn uri(&self) -> String {
        let escape = |name: &Name| name.as_str().replace(':', "%3A");
        format!("{SCHEME}{}/{}/{}", escape(&self.site), self.role.word(), escape(&self.name))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.role.word(), self.name, self.site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn an_identity_survives_its_uri() {
        for role in Role::ALL {
            for text in ["a", "st-anna", "a:vendor:b", "x.y_z-1"] {
                let identity = Identity { site: name(text), role, name: name("b:c") };
                assert_eq!(identity.uri().matches(':').count(), 1, "clients in Python need it");
                assert_eq!(Identity::from_uri(&identity.uri()), Ok(identity));
            }
        }
    }

    #[track_caller]
    fn check_refused(uri: &str, expected: &IdentityError) {
        assert_eq!(Identity::from_uri(uri).as_ref(), Err(expected), "{uri}");
    }

    #[test]
    fn any_other_form_is_refused() {
        check_refused("", &IdentityError::Uri);
        check_refused("ach://site/vendor", &IdentityError::Uri);
        check_refused("ach://site/vendor/a/b", &IdentityError::Uri);
        check_refused("ach://site/vendor/a:b", &IdentityError::Uri);
        check_refused("urn:ach:site:vendor:a", &IdentityError::Uri);
        check_refused("https://site/vendor/a", &IdentityError::Uri);
        check_refused("ach://site/root/a", &IdentityError::Role { role: "root".to_owned() });
        check_refused("ach://site/Vendor/a", &IdentityError::Role { role: "Vendor".to_owned() });
        check_refused("ach:///vendor/a", &IdentityError::Name(NameError::Empty));
        check_refused(
            "ach://site/vendor/a b",
            &IdentityError::Name(NameError::Character { character: ' ' }),
        );
    }
}
