//! What `ach serve --metrics` tells beside the node's own numbers: version, process, disk, certificates.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ach_actors_model::Timestamp;
use ach_engine_metrics::{Amount, Exposition, Kind, Page, own_process};
use ach_engine_net::valid_until;
use ach_engine_node::{NodeConfig, NodePage};

/// The page; empty of the node's numbers until the node has recovered.
#[derive(Debug)]
pub(crate) struct ServePage {
    node: OnceLock<NodePage>,
    data: PathBuf,
    certificates: [(&'static str, Option<Timestamp>); 2],
}

impl ServePage {
    /// A page for a node that is about to start.
    pub(crate) fn new(config: &NodeConfig, data: &Path) -> ServePage {
        let bundle = &config.bundle;
        let certificates = [
            ("node", valid_until(bundle.certificate_pem())),
            ("authority", valid_until(bundle.authority_pem())),
        ];
        ServePage { node: OnceLock::new(), data: data.to_owned(), certificates }
    }

    /// The node has started.
    pub(crate) fn show(&self, node: NodePage) {
        // There is one node a process.
        drop(self.node.set(node));
    }

    fn node(&self) -> Result<&NodePage, String> {
        self.node.get().ok_or_else(|| "the node recovers from its journal".to_owned())
    }
}

impl Page for ServePage {
    fn write(&self, page: &mut Exposition) {
        page.family(Kind::Gauge, "ach_build_version", "1 for the version that runs.")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], Amount::Count(1));
        page.gauge(
            "ach_is_recovered",
            "1 once the node has replayed its journal, 0 until then.",
            Amount::Count(u64::from(self.node.get().is_some())),
        );
        own_process().write(page);
        if let Ok(disk) = rustix::fs::statvfs(&self.data) {
            page.gauge(
                "ach_data_free_bytes",
                "Room left where the data directory lies, for whoever runs the node.",
                Amount::Count(disk.f_bavail.saturating_mul(disk.f_frsize)),
            );
        }
        let mut family = page.family(
            Kind::Gauge,
            "ach_certificate_end_timestamp_seconds",
            "When a certificate ends, in seconds since 1970; a start renews the node's.",
        );
        for (name, until) in &self.certificates {
            if let Some(until) = until {
                family.sample(&[("certificate", name)], Amount::Ns(until.0));
            }
        }
        if let Ok(node) = self.node() {
            node.write(page);
        }
    }

    fn health(&self) -> Result<(), String> {
        // A node that recovers is at work, however long that takes.
        self.node().map_or(Ok(()), Page::health)
    }

    fn readiness(&self) -> Result<(), String> {
        self.node()?.readiness()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_recovers_is_healthy_and_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let certificates =
            [("node", Some(Timestamp(2_000_000_000_000_000_000))), ("authority", None)];
        let page =
            ServePage { node: OnceLock::new(), data: folder.path().to_owned(), certificates };
        assert_eq!(page.health(), Ok(()));
        assert_eq!(page.readiness(), Err("the node recovers from its journal".to_owned()));
        let mut exposition = Exposition::default();
        page.write(&mut exposition);
        let text = exposition.into_text();
        assert!(text.contains("\nach_is_recovered 0\n"), "{text}");
        let end = "\nach_certificate_end_timestamp_seconds{certificate=\"node\"} 2000000000\n";
        assert!(text.contains(end), "{text}");
        assert!(!text.contains("certificate=\"authority\"") && !text.contains("ach_is_storing"));
    }
}
