//! A node with a good vendor, to see that nobody else ever disturbs it.

use std::net::SocketAddr;

use ach_clients_rust::{Bundle, Publisher, PublisherOptions};
use ach_engine_net::Role;
use ach_engine_node::{Counter, Counters, NodeLimits, Running};

use super::raw::Raw;
use super::{Ward, in_time, ping};

pub(crate) struct Scene {
    pub(crate) ward: Ward,
    pub(crate) node: Running,
    pub(crate) good: Publisher,
}

impl Scene {
    pub(crate) async fn new() -> Scene {
        Scene::with(NodeLimits::default()).await
    }

    pub(crate) async fn with(limits: NodeLimits) -> Scene {
        let ward = Ward { limits, ..Ward::new() };
        let node = ward.start();
        let client = ward.client_at_last(node.address(), Role::Vendor, "rival").await;
        let good = client.publisher(PublisherOptions::default()).unwrap();
        Scene { ward, node, good }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.node.address()
    }

    pub(crate) fn vendor(&self) -> Bundle {
        self.ward.bundle(Role::Vendor, "uwb")
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::open(self.address(), &self.vendor()).await
    }

    /// The good vendor still publishes and hears that it is on disk, on its first connection.
    pub(crate) async fn check_undisturbed(&self) {
        let ticket = self.good.publish(ping(100, 1_000, 1_000)).await.unwrap();
        let durable = self.good.wait_durable(ticket);
        in_time("the good vendor, who was disturbed", durable).await.unwrap();
        assert_eq!(self.good.progress().borrow().ping.resent_count, 0);
        assert_eq!(self.node.counters().sessions_panicked.get(), 0);
    }

    /// Somebody else's fault was counted, and disturbed nobody. What the good vendor hears here the
    /// node says after it has counted.
    pub(crate) async fn check_counted(&self, counter: impl Fn(&Counters) -> &Counter) {
        self.check_undisturbed().await;
        assert!(counter(self.node.counters()).get() > 0);
    }
}
