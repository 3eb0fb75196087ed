//! Every limit of a node that an operator or a test may set, with its reason.

use std::time::Duration;

/// Limits of a node. The defaults fit a hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLimits {
    /// Connections at once. Feeds, gateways, consoles of one site: a few dozen; each idle one costs
    /// some 100 KiB, so a thousand are 100 MiB.
    pub connections_max: usize,
    /// Connections at once of one identity: a console or two per receiver, a reconnect that crosses
    /// its predecessor.
    pub connections_per_identity_max: usize,
    /// How long a hello may take after the handshake.
    pub hello_within: Duration,
    /// How long a subscriber may take nothing at all before it is cut.
    pub subscriber_stall_max: Duration,
    /// Bytes that may wait for one subscription.
    pub sink_bytes_max: usize,
    /// Sequence numbers a vendor may be ahead of what was decided on the ping lane: at half a
    /// million pings a second 130 ms.
    pub ping_window: u32,
    /// The same on the duress and door lanes.
    pub report_window: u32,
    /// How long a drain may take until what is left is cut.
    pub drain_within: Duration,
}

impl Default for NodeLimits {
    fn default() -> NodeLimits {
        NodeLimits {
            connections_max: 1_024,
            connections_per_identity_max: 16,
            hello_within: Duration::from_secs(5),
            subscriber_stall_max: Duration::from_secs(5),
            sink_bytes_max: crate::sink::SINK_BYTES_MAX,
            ping_window: 65_536,
            report_window: 4_096,
            drain_within: Duration::from_secs(10),
        }
    }
}
