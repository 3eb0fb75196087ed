//! `ach serve`: a node on a site directory, until it is told to end.

use std::net::SocketAddr;
use std::path::Path;

use ach_actors_model::Name;
use ach_engine_node::{Arrangement, Ended, Node, NodeConfig, NodeLimits, Running};
use ach_engine_site::SiteDirectory;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{connection::runtime, site};
use crate::cli::{ArrangementChoice, Serve};
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::log;

/// What the node's certificate calls it.
const NODE_NAME: &str = "node-1";

/// Runs a node until SIGTERM or Ctrl-C.
pub(crate) fn run(serve: &Serve) -> Result<Outcome, Failure> {
    log::start("info", serve.json);
    let directory = site::read(&serve.site)?;
    let config = node_config(
        &directory,
        &serve.data,
        serve.listen,
        &serve.hosts,
        arrangement(serve.arrangement),
    )?;
    let running = Node::start(config)?;
    announce(serve, &directory, &running);
    runtime()?.block_on(until_told(&running))?;
    match running.drain() {
        Ended::Drained => Ok(Outcome::Done),
        Ended::Failed => Err(Failure::new(
            "the node could not end in order; start it again: it comes back from its journal",
        )),
    }
}

/// What a node needs to know to serve a site directory.
pub(crate) fn node_config(
    directory: &SiteDirectory,
    data: &Path,
    listen: SocketAddr,
    hosts: &[String],
    arrangement: Arrangement,
) -> Result<NodeConfig, Failure> {
    let data = DataDirectory::for_site(data, &directory.id)?;
    let name = Name::new(NODE_NAME)?;
    let site = directory.config(1).map_err(|findings| Failure::new(findings.to_string()))?;
    Ok(NodeConfig {
        bundle: data.node_bundle(&name, hosts)?,
        name,
        site,
        frame: directory.georeference.frame()?,
        kek: data.key_source(),
        data: data.root().to_owned(),
        journal: ach_engine_journal::Config::default(),
        listen,
        arrangement,
        limits: NodeLimits::default(),
    })
}

fn arrangement(choice: ArrangementChoice) -> Arrangement {
    match choice {
        ArrangementChoice::Auto => Arrangement::Auto,
        ArrangementChoice::One => Arrangement::OneThread,
        ArrangementChoice::Two => Arrangement::TwoThread,
    }
}

fn announce(serve: &Serve, directory: &SiteDirectory, running: &Running) {
    let address = running.address();
    let data = serve.data.display();
    if serve.json {
        anstream::println!(
            "{}",
            json!({
                "event": "listening",
                "site": directory.id.as_str(),
                "node": address.to_string(),
                "data": data.to_string(),
            })
        );
        return;
    }
    anstream::println!("{} ({})", directory.name, directory.id);
    anstream::println!("listening  quic {address}    data {data}");
    anstream::println!("give people certificates, then let them connect:");
    for feed in &directory.feeds {
        anstream::println!("  ach vendor enrol {0} --data {data} --out {0}-credentials", feed.id);
    }
    anstream::println!("  ach operator enrol desk --data {data} --out desk-credentials");
    anstream::println!("  ach tail alarms --node {address} --credentials desk-credentials");
    anstream::println!("Ctrl-C or SIGTERM ends it in order");
}

/// Returns at SIGTERM, at Ctrl-C, or when the node ends by itself.
async fn until_told(running: &Running) -> Result<(), Failure> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        () = running.over() => Err(Failure::new(
            "the node failed; the log above says why. Start it again: it comes back from its journal",
        )),
    }
}
