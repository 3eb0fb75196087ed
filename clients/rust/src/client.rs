//! A connection to a node, before it is known what for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ach_actors_model::Name;
use ach_engine_net::{Bundle, Role};
use quinn::Endpoint;

use crate::session::Session;
use crate::spool::{Kept, Spool};
use crate::surroundings::{Machine, Surroundings};
use crate::{ConnectError, Operator, Publisher, PublisherOptions, Subscriber};

/// How long a node may take to answer unless another time is set: one that restarts comes back
/// within, and the next attempt meets it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Where to connect and as whom.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The node's address.
    pub addr: SocketAddr,
    /// The name the node's certificate is checked against, such as `localhost`.
    pub server_name: String,
    /// Certificate and key.
    pub bundle: Bundle,
    /// Name and version of the program, for the node's log.
    pub program: String,
    /// How long a node may take to answer the handshake and the hello.
    pub answer_within: Duration,
    /// Where a vendor keeps what is not on the node's disk over its own restart, if it does.
    pub spool: Option<PathBuf>,
    /// Where its time, its chance and its endpoint come from: [`Machine`] unless it is simulated.
    pub surroundings: Arc<dyn Surroundings>,
}

impl ClientConfig {
    /// A configuration for the program that calls itself "ach client".
    pub fn new(addr: SocketAddr, server_name: &str, bundle: Bundle) -> ClientConfig {
        ClientConfig {
            addr,
            server_name: server_name.to_owned(),
            bundle,
            program: concat!("ach client ", env!("CARGO_PKG_VERSION")).to_owned(),
            answer_within: ANSWER_WITHIN,
            spool: None,
            surroundings: Arc::new(Machine::default()),
        }
    }

    /// Keeps what a vendor publishes in a directory of its own until the node has it on disk, so
    /// that it outlives a restart of the vendor. Written by a thread of its own, so that publishing
    /// waits for no disk: what was published in the last moments before a crash may be missing.
    #[must_use]
    pub fn keeping_in(mut self, directory: impl Into<PathBuf>) -> ClientConfig {
        self.spool = Some(directory.into());
        self
    }
}

/// What is needed to connect again.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) config: ClientConfig,
    pub(crate) endpoint: Endpoint,
}

/// A connection that stands. Make of it what its certificate allows.
#[derive(Debug)]
pub struct Client {
    connector: Connector,
    session: Session,
    kept: Option<(Spool, Kept)>,
}

impl Client {
    /// Connects once, so that a wrong address or certificate is told here and now. What is made of
    /// the client connects again by itself whenever the connection breaks.
    ///
    /// # Errors
    ///
    /// No connection came about, or what was kept from an earlier life cannot be read.
    pub async fn connect(config: ClientConfig) -> Result<Client, ConnectError> {
        let endpoint = config.surroundings.endpoint(config.addr, &config.bundle)?;
        let identity = config.bundle.identity();
        let kept = match &config.spool {
            Some(directory) if identity.role == Role::Vendor => {
                let is_threaded = !config.surroundings.keeps_at_once();
                Some(Spool::open(directory, identity, is_threaded)?)
            }
            _ => None,
        };
        let resume = kept.as_ref().map(|(_, kept)| kept.resume()).unwrap_or_default();
        let connector = Connector { config, endpoint };
        let session = Session::open(&connector, resume).await?;
        Ok(Client { connector, session, kept })
    }

    /// The role in its certificate.
    pub fn role(&self) -> Role {
        self.connector.config.bundle.identity().role
    }

    /// The site it is connected to.
    pub fn site(&self) -> &Name {
        &self.session.welcome.site
    }

    /// The node it is connected to.
    pub fn node(&self) -> &Name {
        &self.session.welcome.node
    }

    /// Publishes pings and reports. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// The node gave no lanes: the certificate is not a vendor's.
    pub fn publisher(self, options: PublisherOptions) -> Result<Publisher, ConnectError> {
        Publisher::start(self.connector, self.session, options, self.kept)
    }

    /// Follows alarms, events and positions. Must be called within a tokio runtime.
    pub fn subscriber(self) -> Subscriber {
        Subscriber::start(self.connector, self.session)
    }

    /// Asks and commands.
    pub fn operator(self) -> Operator {
        Operator::new(self.connector, self.session)
    }
}
