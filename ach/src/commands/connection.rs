//! A connection to a node, and the runtime it lives on.

use ach_clients_rust::{Bundle, Client, ClientConfig};
use tokio::runtime::Runtime;

use crate::cli::Connect;
use crate::exit::Failure;

/// One thread is enough for a person's tool.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Connects as whom the credentials say.
pub(crate) async fn connect(connect: &Connect) -> Result<Client, Failure> {
    let bundle = Bundle::load(&connect.credentials)?;
    let config = ClientConfig::new(connect.node, &connect.server_name, bundle);
    Ok(Client::connect(config).await?)
}
