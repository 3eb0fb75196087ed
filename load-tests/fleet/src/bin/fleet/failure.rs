//! Why a load test could not be made. Not what it found.

use std::fmt;

/// A text for whoever started the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// Says what was tried and what to do.
    pub(crate) fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

macro_rules! from {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::new(error.to_string())
            }
        }
    )*};
}

from!(
    std::io::Error,
    std::net::AddrParseError,
    serde_json::Error,
    ach_clients_rust::ConnectError,
    ach_clients_rust::OperatorError,
    ach_clients_rust::PublishError,
    ach_clients_rust::SubscriberError,
    ach_engine_net::PkiError,
    ach_engine_node::StartError,
    ach_engine_site::Findings,
    ach_engine_site::WriteError,
    crate::scenario::ScenarioError,
    crate::sender::SendError,
    rustix::io::Errno,
);
