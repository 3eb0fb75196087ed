//! `ach serve`: a node on a site directory, until it is told to end.

mod serve_page;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ach_actors_model::Name;
use ach_engine_metrics::Server;
use ach_engine_node::{
    Arrangement, CheckpointPolicy, Ended, HistoryPolicy, Node, NodeConfig, NodeLimits, Running,
};
use ach_engine_site::SiteDirectory;
use serde_json::json;
use tokio::sync::oneshot;

use self::serve_page::ServePage;
use super::{connection::runtime, site, site_apply};
use crate::cli::history::{HistoryPlace, Remember};
use crate::cli::{ArrangementChoice, Measure, Serve};
use crate::data_directory::DataDirectory;
use crate::exit::{Failure, Outcome};
use crate::interruption::Interruption;
use crate::log;

/// What the node's certificate calls it.
pub(crate) const NODE_NAME: &str = "node-1";

/// Runs a node until SIGTERM or Ctrl-C.
pub(crate) fn run(serve: &Serve) -> Result<Outcome, Failure> {
    log::start("info", serve.json);
    take_memory_in_small_pages();
    let directory = site::read(&serve.site)?;
    let mut config = node_config(
        &directory,
        &serve.data,
        serve.listen,
        &serve.hosts,
        arrangement(serve.arrangement),
    )?;
    config.limits.is_residence_measured = serve.measure == Some(Measure::Residence);
    if let Some(bytes) = serve.checkpoint_bytes {
        config.limits.checkpoints.journal_bytes = bytes;
    }
    config.limits.selftest_at = serve.selftest_at;
    remember(serve, &mut config)?;
    config.made_from = site_apply::read_note(&serve.site);
    // Before the node: whoever waits for it is told that it recovers.
    let page = Arc::new(ServePage::new(&config, &serve.data));
    let metrics = serve.metrics.map(|wanted| Server::start(wanted, page.clone())).transpose()?;
    let running = Node::start(config)?;
    page.show(running.page());
    if running.is_site_as_given() {
        site_apply::note_start(&serve.site, &directory, running.site_version());
    }
    let runtime = runtime()?;
    // Whoever reads that it listens may end it at once, and in order.
    let interruption = {
        let _within = runtime.enter();
        Interruption::of_service()?
    };
    announce(serve, &directory, &running, metrics.as_ref().map(Server::address));
    runtime.block_on(until_told(&running, interruption, serve.until_stdin_ends))?;
    match running.drain() {
        Ended::Drained => Ok(Outcome::Served),
        Ended::Failed => Err(Failure::new(
            "the node could not end in order; start it again: it comes back from its journal",
        )),
    }
}

/// Has the system hand out memory in pages of 4 KiB. One of 2 MiB is cleared on first touch, which takes milliseconds
/// on the way of whatever alarm is there.
fn take_memory_in_small_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "alarms may wait for large pages of memory to be cleared");
    }
}

/// What is remembered, and whether the journal may go when nothing needs it any more.
fn remember(serve: &Serve, config: &mut NodeConfig) -> Result<(), Failure> {
    let Remember { history, history_days, archive_days, keep_journal, forget_journal } =
        &serve.remember;
    let limits = &mut config.limits;
    limits.checkpoints.is_journal_kept = match history {
        // Without history the journal is all there is of the past.
        Some(HistoryPlace::Off) => !forget_journal,
        Some(HistoryPlace::At(_)) | None => *keep_journal,
    };
    if let Some(HistoryPlace::At(wanted)) = history {
        DataDirectory::existing(&serve.data)?.keep_history_at(wanted)?;
    }
    if *history != Some(HistoryPlace::Off) {
        let archive_days = archive_days.unwrap_or(*history_days);
        limits.history = Some(HistoryPolicy { keep_days: *history_days, archive_days });
    }
    Ok(())
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
    // Whoever hosts a node for a while reads its journal afterwards.
    let checkpoints = CheckpointPolicy { is_journal_kept: true, ..CheckpointPolicy::default() };
    let site = directory.config(1).map_err(|findings| Failure::new(findings.to_string()))?;
    Ok(NodeConfig {
        bundle: data.node_bundle(&name, hosts)?,
        name,
        site,
        frame: directory.georeference.frame()?,
        made_from: None,
        kek: data.key_source(),
        data: data.root().to_owned(),
        journal: ach_engine_journal::Config::default(),
        listen,
        arrangement,
        limits: NodeLimits { checkpoints, ..NodeLimits::default() },
    })
}

fn arrangement(choice: ArrangementChoice) -> Arrangement {
    match choice {
        ArrangementChoice::Auto => Arrangement::Auto,
        ArrangementChoice::One => Arrangement::OneThread,
        ArrangementChoice::Two => Arrangement::TwoThread,
    }
}

fn announce(
    serve: &Serve,
    directory: &SiteDirectory,
    running: &Running,
    metrics: Option<SocketAddr>,
) {
    let address = running.address();
    let data = serve.data.display();
    let health = running.health();
    let stopped = health.stopped.map(|why| why.to_string());
    let audit_trouble = health.audit_trouble.map(|why| why.to_string());
    let history_trouble = health.history_trouble.map(|why| why.to_string());
    let journal_troubles: Vec<String> =
        health.journal_troubles.iter().map(ToString::to_string).collect();
    if serve.json {
        say!(
            "{}",
            json!({
                "event": "listening",
                "site": directory.id.as_str(),
                "node": address.to_string(),
                "data": data.to_string(),
                "metrics": metrics.map(|address| address.to_string()),
                "is_storing": stopped.is_none(),
                "storing_stopped": stopped,
                "audit_trouble": audit_trouble,
                "site_version": running.site_version(),
                "is_site_as_given": running.is_site_as_given(),
                "history_trouble": history_trouble,
                "journal_troubles": journal_troubles,
            })
        );
        return;
    }
    say!("{} ({})", directory.name, directory.id);
    say!("listening  quic {address}    data {data}");
    if let Some(address) = metrics {
        say!("metrics    http://{address}/metrics    also /healthz and /readyz");
    }
    if !running.is_site_as_given() {
        let (version, site) = (running.site_version(), serve.site.display());
        say!("SITE       version {version} was applied over a connection and stays in force");
        say!("           {site} is another one: see docs/guides/operator.md");
    }
    if let Some(why) = stopped {
        say!("NOT STORING: {why}");
        say!("alarms are raised all the same, as provisional; nothing is acknowledged as durable");
    }
    for why in journal_troubles {
        say!("JOURNAL TROUBLE: {why}");
    }
    if let Some(why) = audit_trouble {
        say!("AUDIT TROUBLE: {why}");
        say!("alarms are raised all the same; what is done now may not be recorded");
    }
    if let Some(why) = history_trouble {
        say!("HISTORY TROUBLE: {why}");
        say!("alarms are raised all the same; what history misses it reads from the journal later");
    }
    say!("give people certificates, then let them connect:");
    for feed in &directory.feeds {
        say!("  ach vendor enrol {0} --data {data} --out {0}-credentials", feed.id);
    }
    say!("  ach operator enrol desk --data {data} --out desk-credentials");
    say!("  ach tail alarms --node {address} --credentials desk-credentials");
    say!("Ctrl-C or SIGTERM ends it in order");
}

/// Returns at SIGTERM, at Ctrl-C, with its parent if it was asked to, or when the node ends by itself.
async fn until_told(
    running: &Running,
    mut interruption: Interruption,
    until_stdin_ends: bool,
) -> Result<(), Failure> {
    let parent_is_gone = async {
        if until_stdin_ends {
            stdin_end().await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interruption.told() => Ok(()),
        () = parent_is_gone => Ok(()),
        () = running.over() => Err(Failure::new(
            "the node failed; the log above says why. Start it again: it comes back from its journal",
        )),
    }
}

/// Returns when stdin ends. It is read by a thread of its own, which the process does not wait for:
/// a read of stdin cannot be taken back.
async fn stdin_end() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        // A stdin that cannot be read has ended as well.
        drop(std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
        // Nobody waits if the node has ended otherwise.
        let _ = ended.send(());
    });
    // The sender is dropped only with the thread.
    drop(end.await);
}
