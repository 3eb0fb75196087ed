//! Every limit of a node that an operator or a test may set, with its reason.

use std::time::Duration;

use ach_engine_net::FRAME_DEADLINE;
use ach_engine_net::transport::PENDING_HANDSHAKES_MAX;

use crate::history_state::HistoryPolicy;
use crate::scribe::CheckpointPolicy;
use crate::selftest::schedule::DayMinute;

/// Limits of a node. The defaults fit a hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLimits {
    /// Connections at once. Feeds, gateways, consoles of one site: a few dozen; each idle one costs
    /// some 100 KiB, so a thousand are 100 MiB.
    pub connections_max: usize,
    /// Connections at once of one identity: a console or two per receiver, a reconnect that crosses
    /// its predecessor.
    pub connections_per_identity_max: usize,
    /// Handshakes under way at once, beside the connections. A flood of them keeps nobody from a
    /// seat; at 0.3 ms each they are a third of a second of one core.
    pub handshakes_max: usize,
    /// How long a hello may take after the handshake.
    pub hello_within: Duration,
    /// How long a frame may take from its first byte to its last.
    pub frame_within: Duration,
    /// How long a subscriber may take nothing at all before it is cut.
    pub subscriber_stall_max: Duration,
    /// Bytes that may wait for one subscription.
    pub sink_bytes_max: usize,
    /// Sequence numbers a vendor may be ahead of what was decided on the ping lane: at half a
    /// million pings a second 130 ms.
    pub ping_window: u32,
    /// Batches of pings that may wait for the shard, and 4,096 pings at most; what comes more waits in
    /// its session and is conflated there.
    pub ping_batches_max: usize,
    /// Pings of one vendor within a quarter of a second from which on its session takes eight times as
    /// many in a turn: 100,000 a second, of which a core of a small machine carries ten times as many. Below
    /// an alarm leaves sooner, above more is decided on; 0 is always above.
    pub long_turn_pings: usize,
    /// The same on the duress and door lanes.
    pub report_window: u32,
    /// How long a drain may take until what is left is cut.
    pub drain_within: Duration,
    /// Whether the processor time from frames to alarms is measured, when sessions and shard share a
    /// thread: a system call more at each wake-up.
    pub is_residence_measured: bool,
    /// When checkpoints are made.
    pub checkpoints: CheckpointPolicy,
    /// Bytes of a segment of the audit log, reserved when it is made: some 16,000 records in 4 MiB.
    pub audit_segment_bytes: u64,
    /// What is remembered; `None` remembers nothing beyond the journal. Off unless asked for: a node that
    /// is hosted for a while has nothing to remember.
    pub history: Option<HistoryPolicy>,
    /// At which minute of the site's local day a test alarm is sent on its way; `None` for never.
    pub selftest_at: Option<DayMinute>,
    /// How long a test alarm may take until it is stored and displayed: a screen shows an alarm, and says
    /// so, within two seconds. A client waits for 20 s.
    pub selftest_within: Duration,
}

impl Default for NodeLimits {
    fn default() -> NodeLimits {
        NodeLimits {
            connections_max: 1_024,
            connections_per_identity_max: 16,
            handshakes_max: PENDING_HANDSHAKES_MAX,
            hello_within: Duration::from_secs(5),
            frame_within: FRAME_DEADLINE,
            subscriber_stall_max: Duration::from_secs(5),
            sink_bytes_max: crate::sink::SINK_BYTES_MAX,
            ping_window: 65_536,
            ping_batches_max: crate::lanes::PING_BATCHES_MAX,
            long_turn_pings: 25_600,
            report_window: 4_096,
            drain_within: Duration::from_secs(10),
            is_residence_measured: false,
            checkpoints: CheckpointPolicy::default(),
            audit_segment_bytes: ach_engine_audit::Config::default().segment_bytes,
            history: None,
            selftest_at: None,
            selftest_within: Duration::from_secs(10),
        }
    }
}
