//! Every limit of the transport, with its reason. Nothing is left to a default that has none.

use std::sync::Arc;
use std::time::Duration;

use quinn::{AckFrequencyConfig, IdleTimeout, TransportConfig, VarInt};

/// The protocol's name in the TLS handshake.
pub const ALPN: &[u8] = b"ach/1";

/// Handshakes that may be under way at once: at 5 ms of CPU each that is 5 s of work for one core.
pub const PENDING_HANDSHAKES_MAX: usize = 1_024;

/// From this many handshakes under way on, a client must first prove its address (Retry).
pub const RETRY_ABOVE: usize = 256;

/// A handshake that takes longer is given up: three round trips of a bad link and lost packets.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Early bytes kept for one handshake that is not accepted yet; a hello is under 2 KiB.
const INCOMING_BUFFER_BYTES: u64 = 16 * 1024;

/// The same for all of them.
const INCOMING_BUFFER_TOTAL_BYTES: u64 = 8 * 1024 * 1024;

/// Bidirectional streams a client may have open: the control stream.
const CLIENT_BIDI_STREAMS_MAX: u32 = 1;

/// Unidirectional streams a client may have open: three lanes, and three more while it goes over to
/// a new epoch.
const CLIENT_UNI_STREAMS_MAX: u32 = 6;

/// Unidirectional streams a node may have open: the subscriptions, twice while some are replaced.
const NODE_UNI_STREAMS_MAX: u32 = 32;

/// What a node takes unread on one stream: 1,000 pings. A vendor that sends more than a node can take
/// fills the node's socket with as much, and what an alarm waits for is behind it, whoever sent that:
/// these are some 40 packets, a quarter of a millisecond. Over 20 ms of distance it is enough for 2.4 MB/s,
/// which are 50,000 pings; over 1 ms, as within a hospital, for a million.
const NODE_STREAM_WINDOW_BYTES: u32 = 48 * 1024;

/// What a node takes unread on a connection: all its streams, so that a full ping lane never holds
/// up duress.
const NODE_WINDOW_BYTES: u32 =
    NODE_STREAM_WINDOW_BYTES * (CLIENT_UNI_STREAMS_MAX + CLIENT_BIDI_STREAMS_MAX);

/// What a client takes unread on one stream: 1,000 alarm notes.
const CLIENT_STREAM_WINDOW_BYTES: u32 = 512 * 1024;

/// What a client takes unread on a connection: all its streams, so that positions that nobody reads
/// never hold up alarms.
const CLIENT_WINDOW_BYTES: u32 =
    CLIENT_STREAM_WINDOW_BYTES * (NODE_UNI_STREAMS_MAX + CLIENT_BIDI_STREAMS_MAX);

/// What may be sent and not acknowledged on a connection; more waits in `write`.
const SEND_WINDOW_BYTES: u64 = 8 * 1024 * 1024;

/// A connection on which nothing comes for this long is dead: short enough to notice a vendor that
/// vanished before its feed's silence alarm, long enough for a Wi-Fi hand-over.
pub const IDLE_TIMEOUT_MS: u32 = 10_000;

/// A client that has nothing to say says so this often: three may be lost.
const KEEP_ALIVE: Duration = Duration::from_millis(2_500);

/// What every path must carry (RFC 9000, 14.1); discovery goes on from there.
const INITIAL_MTU: u16 = 1_200;

/// Handshake bytes kept out of order: two certificates of 1 KiB with room.
const CRYPTO_BUFFER_BYTES: usize = 16 * 1024;

/// How long a Retry token is good: one round trip with room.
const RETRY_TOKEN_LIFETIME: Duration = Duration::from_secs(15);

/// Round trip assumed before one was measured: a hospital's network, not the world. A first packet
/// that is lost, as when a node restarts, is sent again after three of these.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// Packets of a client that a node may leave without an acknowledgement. A vendor's reports come one
/// by one, a packet each: an answer to every other one costs a node more than the reports. Less than
/// the first congestion window holds, so that the start does not wait for the delay.
const CLIENT_PACKETS_UNACKNOWLEDGED: u32 = 9;

/// How long a node may wait with an acknowledgement: what a press waits at most for when a lost
/// packet has closed the congestion window.
const CLIENT_ACK_DELAY: Duration = Duration::from_millis(5);

fn both_sides(uni_streams: u32, bidi_streams: u32) -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_uni_streams(VarInt::from_u32(uni_streams))
        .max_concurrent_bidi_streams(VarInt::from_u32(bidi_streams))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))))
        .send_window(SEND_WINDOW_BYTES)
        .initial_mtu(INITIAL_MTU)
        .min_mtu(INITIAL_MTU)
        .initial_rtt(INITIAL_RTT)
        .crypto_buffer_size(CRYPTO_BUFFER_BYTES)
        .allow_spin(false)
        // Nothing is sent as a datagram: what may be lost is conflated instead.
        .datagram_receive_buffer_size(None)
        .datagram_send_buffer_size(0);
    config
}

/// The transport of a node.
pub(crate) fn node_transport() -> Arc<TransportConfig> {
    let mut config = both_sides(CLIENT_UNI_STREAMS_MAX, CLIENT_BIDI_STREAMS_MAX);
    config
        .stream_receive_window(VarInt::from_u32(NODE_STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(NODE_WINDOW_BYTES))
        .keep_alive_interval(None);
    Arc::new(config)
}

/// The transport of a client.
pub(crate) fn client_transport() -> Arc<TransportConfig> {
    // Asked of the node by draft-ietf-quic-ack-frequency, which both sides know.
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(CLIENT_PACKETS_UNACKNOWLEDGED))
        .max_ack_delay(Some(CLIENT_ACK_DELAY));
    let mut config = both_sides(NODE_UNI_STREAMS_MAX, 0);
    config
        .stream_receive_window(VarInt::from_u32(CLIENT_STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CLIENT_WINDOW_BYTES))
        .ack_frequency_config(Some(acks))
        .keep_alive_interval(Some(KEEP_ALIVE));
    Arc::new(config)
}

/// The handshake limits of a node.
pub(crate) fn limit_handshakes(config: &mut quinn::ServerConfig) {
    config
        .max_incoming(PENDING_HANDSHAKES_MAX)
        .incoming_buffer_size(INCOMING_BUFFER_BYTES)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL_BYTES)
        .retry_token_lifetime(RETRY_TOKEN_LIFETIME)
        .migration(true);
    // No token to skip the proof of address with on a later connection.
    let mut tokens = quinn::ValidationTokenConfig::default();
    tokens.sent(0);
    config.validation_token_config(tokens);
}
