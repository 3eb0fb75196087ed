//! Who did it, and from where.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ach_actors_model::Name;

use crate::word::words;

words! {
    /// As what somebody acted.
    AgentRole: u8 {
        /// Not known: no certificate of this site was shown.
        Unknown = 0, "unknown";
        /// A node, by itself.
        Node = 1, "node";
        /// A vendor.
        Vendor = 2, "vendor";
        /// A receiver.
        Receiver = 3, "receiver";
        /// An operator.
        Operator = 4, "operator";
        /// Who has the machine and its data directory. The name is the user's number: `uid:1000`.
        Administrator = 5, "administrator";
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agent {
    /// As what.
    pub role: AgentRole,
    /// The id in the certificate, never a person's name; none for who is not known.
    pub name: Option<Name>,
}

impl Agent {
    /// Somebody known.
    pub fn new(role: AgentRole, name: Name) -> Agent {
        Agent { role, name: Some(name) }
    }

    /// Somebody who showed no certificate.
    pub const fn unknown() -> Agent {
        Agent { role: AgentRole::Unknown, name: None }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} {name}", self.role.word()),
            None => f.write_str(self.role.word()),
        }
    }
}

/// From where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// On the machine itself.
    Machine,
    /// Over the network: address and port.
    Network(IpAddr, u16),
    /// From several places; said of several acts at once.
    Several,
}

impl Origin {
    /// Over the network.
    pub fn address(address: SocketAddr) -> Origin {
        Origin::Network(address.ip().to_canonical(), address.port())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Machine => f.write_str("machine"),
            Origin::Network(ip, port) => fmt::Display::fmt(&SocketAddr::new(*ip, *port), f),
            Origin::Several => f.write_str("several"),
        }
    }
}
