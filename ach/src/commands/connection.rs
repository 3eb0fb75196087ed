//! A connection to a node, and the runtime it lives on.

use std::path::Path;

use ach_clients_rust::{Bundle, Client, ClientConfig, Role};
use tokio::runtime::Runtime;

use crate::cli::Connect;
use crate::exit::Failure;

/// Who may look at what happens.
pub(crate) const VIEWERS: &[Role] = &[Role::Operator, Role::Receiver];
/// Who may ask a node how it is, and command it.
pub(crate) const OPERATORS: &[Role] = &[Role::Operator];
/// Who may publish.
pub(crate) const VENDORS: &[Role] = &[Role::Vendor];

/// One thread is enough for a person's tool.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Connects as whom the credentials say.
pub(crate) async fn connect(connect: &Connect, wanted: &[Role]) -> Result<Client, Failure> {
    let bundle = credentials(&connect.credentials, wanted)?;
    let config = ClientConfig::new(connect.node, &connect.server_name, bundle);
    Ok(Client::connect(config).await?)
}

/// Reads credentials, which must be of one of the roles. This is asked before the node is: whoever
/// connects as a vendor takes the place of the vendor's connection, and its feed stops.
pub(crate) fn credentials(directory: &Path, wanted: &[Role]) -> Result<Bundle, Failure> {
    let bundle = Bundle::load(directory)?;
    let role = bundle.identity().role;
    if wanted.contains(&role) {
        return Ok(bundle);
    }
    let words: Vec<String> = wanted.iter().map(|role| format!("a {}'s", role.word())).collect();
    let example = wanted.first().map_or("operator", |role| role.word());
    Err(Failure::new(format!(
        "{} holds the credentials of {}; this takes {} (`ach {example} enrol NAME --data DIR --out \
         DIR` on the node)",
        directory.display(),
        bundle.identity(),
        words.join(" or ").replace("a operator", "an operator")
    )))
}
