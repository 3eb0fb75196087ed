//! The demo's node: in this process, or as a process of its own that can be killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ach_engine_node::{Arrangement, Ended, Node, Running};
use ach_engine_site::SiteDirectory;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::commands::serve::node_config;
use crate::exit::Failure;

/// A node that does not listen by then will not.
const START_WAIT: Duration = Duration::from_secs(30);
/// A node that has not drained by then will not.
const END_WAIT: Duration = Duration::from_secs(20);
/// Any free port of this machine alone.
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The node.
#[derive(Debug)]
pub(super) struct HostedNode {
    address: SocketAddr,
    site: PathBuf,
    data: PathBuf,
    host: Host,
}

#[derive(Debug)]
enum Host {
    Here(Option<Running>),
    Process(Option<Child>),
}

impl HostedNode {
    /// Starts it on a free port.
    pub(super) fn start(
        directory: &SiteDirectory,
        site: &Path,
        data: &Path,
        is_process: bool,
    ) -> Result<HostedNode, Failure> {
        let (site, data) = (site.to_owned(), data.to_owned());
        if is_process {
            let (child, address) = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(spawn(&site, &data, ANY_PORT))
            })?;
            return Ok(HostedNode { address, site, data, host: Host::Process(Some(child)) });
        }
        let config = node_config(directory, &data, ANY_PORT, &[], Arrangement::Auto)?;
        let running = Node::start(config)?;
        Ok(HostedNode { address: running.address(), site, data, host: Host::Here(Some(running)) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills its process with SIGKILL and starts it again at the same address.
    pub(super) async fn kill_and_restart(&mut self) -> Result<(), Failure> {
        let Host::Process(child) = &mut self.host else { return Ok(()) };
        if let Some(mut child) = child.take() {
            child.kill().await?;
        }
        let (started, _) = spawn(&self.site, &self.data, self.address).await?;
        *child = Some(started);
        Ok(())
    }

    /// Ends it in order.
    pub(super) async fn end(&mut self) -> Result<(), Failure> {
        match &mut self.host {
            Host::Here(running) => {
                let Some(running) = running.take() else { return Ok(()) };
                let ended = tokio::task::spawn_blocking(move || running.drain()).await?;
                match ended {
                    Ended::Drained => Ok(()),
                    Ended::Failed => Err(Failure::new("the node could not end in order")),
                }
            }
            Host::Process(child) => {
                let Some(mut child) = child.take() else { return Ok(()) };
                terminate(&child)?;
                let status =
                    tokio::time::timeout(END_WAIT, child.wait()).await.map_err(|_| {
                        Failure::new(format!("the node did not end within {END_WAIT:?}"))
                    })??;
                if status.success() {
                    return Ok(());
                }
                Err(Failure::new(format!("the node's process ended with {status}")))
            }
        }
    }
}

fn terminate(child: &Child) -> Result<(), Failure> {
    let id =
        child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    match id {
        Some(id) => Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?),
        None => Err(Failure::new("the node's process ended by itself")),
    }
}

/// Starts `ach serve` and waits until it says where it listens. It ends by itself when this process is
/// gone, however that ended, and is in a process group of its own: Ctrl-C is for the demo, which ends
/// its node when everything is stored.
async fn spawn(site: &Path, data: &Path, at: SocketAddr) -> Result<(Child, SocketAddr), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("serve")
        .args(["--json", "--until-stdin-ends"])
        .args(["--listen", &at.to_string()])
        .arg("--site")
        .arg(site)
        .arg("--data")
        .arg(data)
        .env("ACH_LOG", std::env::var("ACH_LOG").unwrap_or_else(|_| "error".to_owned()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().ok_or_else(|| Failure::new("the node has no output"))?;
    let mut lines = BufReader::new(stdout).lines();
    let listening = async {
        while let Some(line) = lines.next_line().await? {
            let said: serde_json::Value = serde_json::from_str(&line)?;
            let address = said.get("node").and_then(serde_json::Value::as_str);
            if let Some(address) = address {
                return Ok::<SocketAddr, Failure>(address.parse()?);
            }
        }
        Err(Failure::new("the node's process ended before it listened; its log is above"))
    };
    let address = tokio::time::timeout(START_WAIT, listening)
        .await
        .map_err(|_| Failure::new(format!("the node did not listen within {START_WAIT:?}")))??;
    Ok((child, address))
}
