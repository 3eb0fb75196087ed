//! Who takes part in the demo: a vendor for each feed, a receiver, an operator. Each has a
//! certificate of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ach_actors_model::{Name, SiteConfig, TagId};
use ach_clients_rust::{Client, ClientConfig, Publisher, PublisherOptions, Subscriber};
use ach_engine_net::{Bundle, Role};
use ach_engine_site::SiteDirectory;

use crate::data_directory::DataDirectory;
use crate::exit::Failure;

/// The node's certificate always bears this name.
const SERVER_NAME: &str = "localhost";

/// The certificates.
#[derive(Debug)]
pub(super) struct Cast {
    vendors: Vec<(Name, Bundle)>,
    receiver: Bundle,
    /// Where the operator's credentials are, for a second terminal.
    pub(super) operator: PathBuf,
}

impl Cast {
    /// Enrols everybody with the node's authority.
    pub(super) fn enrol(
        node: &DataDirectory,
        data: &Path,
        site: &SiteDirectory,
    ) -> Result<Cast, Failure> {
        let vendors = site
            .feeds
            .iter()
            .map(|feed| Ok((feed.id.clone(), node.enrol(Role::Vendor, &feed.id)?)))
            .collect::<Result<_, Failure>>()?;
        let operator = data.join("operator");
        node.enrol(Role::Operator, &Name::new("desk")?)?.save(&operator)?;
        let receiver = node.enrol(Role::Receiver, &Name::new("console")?)?;
        Ok(Cast { vendors, receiver, operator })
    }

    /// Connects the receiver.
    pub(super) async fn subscriber(&self, node: SocketAddr) -> Result<Subscriber, Failure> {
        let config = ClientConfig::new(node, SERVER_NAME, self.receiver.clone());
        Ok(Client::connect(config).await?.subscriber())
    }

    /// Connects the vendors and makes their tags known.
    pub(super) async fn publishers(
        &self,
        node: SocketAddr,
        site: &SiteConfig,
    ) -> Result<BTreeMap<String, Publisher>, Failure> {
        let mut publishers = BTreeMap::new();
        for (source, (id, bundle)) in (0_u32..).zip(&self.vendors) {
            let config = ClientConfig::new(node, SERVER_NAME, bundle.clone());
            let client = Client::connect(config).await?;
            // What is shown is judged against all that was sent.
            let options = PublisherOptions::default().keeping_every_position();
            let publisher = client.publisher(options)?;
            let tags: Vec<TagId> =
                site.tags.iter().filter(|tag| tag.source == source).map(|tag| tag.id).collect();
            let refused = publisher.intern_tags(&tags).await?;
            if let Some((tag, code)) = refused.first() {
                return Err(Failure::new(format!("the node refused tag {tag}: {code}")));
            }
            publishers.insert(id.to_string(), publisher);
        }
        Ok(publishers)
    }
}
