//! First packets of a QUIC connection, made by hand: whoever sees a first packet can make more of them
//! (RFC 9001, 5.2).

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::{ClientConnection, DirectionalKeys, Keys, Suite, Version};
use rustls::{ClientConfig, Side};
use rustls_pki_types::ServerName;

/// A first packet fills at least so much of a datagram (RFC 9000, 14.1).
pub(crate) const DATAGRAM_BYTES: usize = 1_200;

const TAG_BYTES: usize = 16;
const NUMBER_BYTES: usize = 4;

/// A number of QUIC (RFC 9000, 16), in eight bytes if it does not fit in fewer.
pub(crate) fn varint(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    match value {
        0..0x40 => bytes[7..].to_vec(),
        0x40..0x4000 => vec![0x40 | bytes[6], bytes[7]],
        0x4000..0x4000_0000 => vec![0x80 | bytes[4], bytes[5], bytes[6], bytes[7]],
        _ => [&[0xc0 | bytes[0]], &bytes[1..]].concat(),
    }
}

/// A CRYPTO frame (RFC 9000, 19.6) that says it has `length` bytes.
pub(crate) fn crypto_frame(offset: u64, length: u64, bytes: &[u8]) -> Vec<u8> {
    [&[0x06], varint(offset).as_slice(), &varint(length), bytes].concat()
}

/// A client's first words in TLS, with these transport parameters.
pub(crate) fn client_hello(tls: ClientConfig, parameters: Vec<u8>) -> Vec<u8> {
    let server = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(tls), Version::V1, server, parameters).unwrap();
    let mut bytes = Vec::new();
    let _ = client.write_hs(&mut bytes);
    bytes
}

fn suite() -> Suite {
    TLS13_AES_128_GCM_SHA256.tls13().unwrap().quic_suite().unwrap()
}

/// A first packet.
pub(crate) struct Initial<'a> {
    /// The connection id that the keys are made of: the first that the client chose for the node.
    pub(crate) first_id: &'a [u8],
    /// Whom it is for.
    pub(crate) to: &'a [u8],
    /// Whom it is from.
    pub(crate) from: &'a [u8],
    /// Its number.
    pub(crate) number: u32,
    /// Frames.
    pub(crate) frames: &'a [u8],
}

impl Initial<'_> {
    /// As a datagram of a client, padded.
    pub(crate) fn of_client(&self) -> Vec<u8> {
        self.sealed(Side::Client)
    }

    /// As a datagram of a node, padded.
    pub(crate) fn of_node(&self) -> Vec<u8> {
        self.sealed(Side::Server)
    }

    fn sealed(&self, side: Side) -> Vec<u8> {
        let keys: DirectionalKeys =
            Keys::initial(Version::V1, suite().suite, suite().quic, self.first_id, side).local;
        let id = |id: &[u8]| [&[u8::try_from(id.len()).unwrap()], id].concat();
        // Long header, first packet, number of four bytes; version 1; ids; no token.
        let mut packet = vec![0xc3, 0, 0, 0, 1];
        packet.extend([id(self.to), id(self.from), vec![0]].concat());
        let fixed_bytes = packet.len() + 2 + NUMBER_BYTES + TAG_BYTES;
        let room_bytes = (DATAGRAM_BYTES - fixed_bytes).max(self.frames.len());
        let rest_bytes = u16::try_from(NUMBER_BYTES + room_bytes + TAG_BYTES).unwrap();
        packet.extend((0x4000 | rest_bytes).to_be_bytes());
        let number_at = packet.len();
        packet.extend(self.number.to_be_bytes());
        let mut payload = self.frames.to_vec();
        payload.resize(room_bytes, 0);
        let tag =
            keys.packet.encrypt_in_place(u64::from(self.number), &packet, &mut payload).unwrap();
        packet.extend(payload);
        packet.extend(tag.as_ref());
        let sample_at = number_at + NUMBER_BYTES;
        let sample: Vec<u8> = packet[sample_at..sample_at + keys.header.sample_len()].to_vec();
        let (first, rest) = packet.split_at_mut(1);
        let number = &mut rest[number_at - 1..number_at - 1 + NUMBER_BYTES];
        keys.header.encrypt_in_place(&sample, &mut first[0], number).unwrap();
        packet
    }
}
