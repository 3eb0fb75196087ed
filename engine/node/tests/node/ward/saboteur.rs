//! A client whose certificate is good and whose QUIC is not: in the packets that it protects, frames of
//! a test's making take the place of its own.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ach_clients_rust::Bundle;
use bytes::BytesMut;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::crypto::{
    self, CryptoError, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, Session,
};
use quinn::{ConnectError, ConnectionId, Endpoint, Side};
use quinn_proto::TransportError;
use quinn_proto::transport_parameters::TransportParameters;

use super::Ward;
use super::raw::{Greeted, Raw, hello};
use super::tls::{ALPN, client_tls};

/// Frames that wait for a packet. Each takes all of the first one that has room for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Smuggled(Arc<Mutex<VecDeque<Vec<u8>>>>);

impl Smuggled {
    /// Puts frames in the place of what the next packet of enough room would say.
    pub(crate) fn put(&self, frames: Vec<u8>) {
        self.0.lock().unwrap().push_back(frames);
    }

    /// How many wait still.
    pub(crate) fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn replace(&self, payload: &mut [u8]) {
        let mut waiting = self.0.lock().unwrap();
        if waiting.front().is_some_and(|frames| frames.len() <= payload.len()) {
            let frames = waiting.pop_front().unwrap();
            // What is left of the packet is padding, which is zero.
            payload.fill(0);
            payload[..frames.len()].copy_from_slice(&frames);
        }
    }
}

/// A saboteur that is let in and has a control stream.
pub(crate) struct Saboteur {
    pub(crate) raw: Raw,
    pub(crate) smuggled: Smuggled,
}

impl Saboteur {
    /// Comes in as anybody else.
    pub(crate) async fn open(
        ward: &Ward,
        address: std::net::SocketAddr,
        bundle: &Bundle,
    ) -> Saboteur {
        let smuggled = Smuggled::default();
        let tls = QuicClientConfig::try_from(client_tls(&ward.authority, Some(bundle), ALPN));
        let sly = SlyConfig { honest: Arc::new(tls.unwrap()), smuggled: smuggled.clone() };
        let mut endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(sly)));
        let connection = endpoint.connect(address, "localhost").unwrap().await.unwrap();
        let greeted: Greeted = Raw::greet_over(endpoint, connection, hello(Vec::new())).await;
        Saboteur { raw: greeted.welcomed().await, smuggled }
    }
}

/// TLS as it should be, with keys that smuggle.
struct SlyConfig {
    honest: Arc<QuicClientConfig>,
    smuggled: Smuggled,
}

impl crypto::ClientConfig for SlyConfig {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        let honest = self.honest.clone().start_session(version, server_name, params)?;
        let smuggled = self.smuggled.clone();
        Ok(Box::new(SlySession { honest, smuggled, keys_made: 0 }))
    }
}

struct SlySession {
    honest: Box<dyn Session>,
    smuggled: Smuggled,
    keys_made: u32,
}

impl Session for SlySession {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.honest.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.honest.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.honest.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.honest.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.honest.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.honest.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.honest.read_handshake(buf)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.honest.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let mut keys = self.honest.write_handshake(buf)?;
        self.keys_made += 1;
        // The first are the handshake's, the second those of all that follows.
        if self.keys_made == 2 {
            let smuggled = self.smuggled.clone();
            keys.packet.local = Box::new(SlyKey { honest: keys.packet.local, smuggled });
        }
        Some(keys)
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.honest.next_1rtt_keys()
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.honest.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.honest.export_keying_material(output, label, context)
    }
}

struct SlyKey {
    honest: Box<dyn PacketKey>,
    smuggled: Smuggled,
}

impl PacketKey for SlyKey {
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        let end = buf.len() - self.honest.tag_len();
        self.smuggled.replace(&mut buf[header_len..end]);
        self.honest.encrypt(packet, buf, header_len);
    }

    fn decrypt(
        &self,
        packet: u64,
        header: &[u8],
        payload: &mut BytesMut,
    ) -> Result<(), CryptoError> {
        self.honest.decrypt(packet, header, payload)
    }

    fn tag_len(&self) -> usize {
        self.honest.tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.honest.confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.honest.integrity_limit()
    }
}
