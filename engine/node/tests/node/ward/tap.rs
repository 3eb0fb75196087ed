//! A wire between one client and the node on which packets are lost, doubled, overtaken, bent and cut,
//! and into which somebody who sees it speaks. All of it by a seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::initial::Initial;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_536;

/// What becomes of how many packets of a thousand, either way.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wear {
    /// Are not delivered.
    pub(crate) lost: u32,
    /// Are delivered twice.
    pub(crate) doubled: u32,
    /// Are delivered after the one that follows.
    pub(crate) overtaken: u32,
    /// Have one bit flipped.
    pub(crate) bent: u32,
    /// Lose their end.
    pub(crate) cut: u32,
    /// Are followed by words of somebody else in their sender's name.
    pub(crate) forged: u32,
}

/// A worn wire. It ends with its owner.
pub(crate) struct Tap {
    /// Where a client finds the node.
    pub(crate) address: SocketAddr,
    wire: Arc<Wire>,
    carrier: JoinHandle<()>,
}

/// What the carrier shares with the test.
#[derive(Debug)]
struct Wire {
    node: SocketAddr,
    wear: Wear,
    is_worn: AtomicBool,
    done: AtomicU64,
}

impl Tap {
    /// A wire to `node` that is sound until [`Tap::wear_out`].
    pub(crate) async fn new(node: SocketAddr, wear: Wear, seed: u64) -> Tap {
        println!("the wire's seed is {seed}");
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let (is_worn, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let wire = Arc::new(Wire { node, wear, is_worn, done });
        let carrier = tokio::spawn(carry(wire.clone(), front, back, seed));
        Tap { address, wire, carrier }
    }

    /// From now on packets suffer.
    pub(crate) fn wear_out(&self) {
        self.wire.is_worn.store(true, Ordering::Relaxed);
    }

    /// From now on they do not.
    pub(crate) fn mend(&self) {
        self.wire.is_worn.store(false, Ordering::Relaxed);
    }

    /// What was done to packets so far.
    pub(crate) fn done(&self) -> u64 {
        self.wire.done.load(Ordering::Relaxed)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

async fn carry(wire: Arc<Wire>, front: UdpSocket, back: UdpSocket, seed: u64) {
    let (mut up, mut down) = (vec![0; DATAGRAM_BYTES_MAX], vec![0; DATAGRAM_BYTES_MAX]);
    let mut upward = Way::new(wire.clone(), seed, true);
    let mut downward = Way::new(wire.clone(), !seed, false);
    let mut client = None;
    loop {
        // What cannot be sent is lost, as on any wire.
        tokio::select! {
            received = front.recv_from(&mut up) => {
                let Ok((bytes, from)) = received else { continue };
                client = Some(from);
                for packet in upward.carried(&up[..bytes]) {
                    let _ = back.send_to(&packet, wire.node).await;
                }
            }
            received = back.recv_from(&mut down) => {
                let (Ok((bytes, _)), Some(client)) = (received, client) else { continue };
                for packet in downward.carried(&down[..bytes]) {
                    let _ = front.send_to(&packet, client).await;
                }
            }
        }
    }
}

/// One direction.
struct Way {
    wire: Arc<Wire>,
    chance: ChaCha8Rng,
    is_up: bool,
    held: Option<Vec<u8>>,
    first: Option<Vec<u8>>,
}

impl Way {
    fn new(wire: Arc<Wire>, seed: u64, is_up: bool) -> Way {
        let chance = ChaCha8Rng::seed_from_u64(seed);
        Way { wire, chance, is_up, held: None, first: None }
    }

    fn happens(&mut self, of_a_thousand: u32) -> bool {
        let happens = self.chance.random_range(0..1_000) < of_a_thousand;
        self.wire.done.fetch_add(u64::from(happens), Ordering::Relaxed);
        happens
    }

    /// What comes out when a packet goes in.
    fn carried(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        self.first.get_or_insert_with(|| packet.to_vec());
        let mut out = Vec::new();
        if !self.wire.is_worn.load(Ordering::Relaxed) {
            out.push(packet.to_vec());
            out.extend(self.held.take());
            return out;
        }
        let wear = self.wire.wear;
        let mut packet = packet.to_vec();
        if self.happens(wear.forged) {
            out.extend(self.forged(&packet));
        }
        if self.happens(wear.doubled) {
            out.push(packet.clone());
        }
        if self.happens(wear.bent) {
            let at = self.chance.random_range(0..packet.len());
            packet[at] ^= 1 << self.chance.random_range(0..8);
        }
        if self.happens(wear.cut) {
            packet.truncate(self.chance.random_range(0..packet.len()));
        }
        if self.happens(wear.lost) {
            return out;
        }
        if self.held.is_none() && self.happens(wear.overtaken) {
            self.held = Some(packet);
        } else {
            out.push(packet);
            out.extend(self.held.take());
        }
        out
    }

    /// Words of somebody who sees the packet and has no key of the connection.
    fn forged(&mut self, seen: &[u8]) -> Vec<Vec<u8>> {
        // As the true one to its end, then noise: its last 16 bytes may be taken for a reset.
        let mut as_seen = seen.to_vec();
        let keep = seen.len().min(9);
        self.chance.fill_bytes(&mut as_seen[keep..]);
        // A reset for nobody's connection.
        let mut reset = vec![0; 43];
        self.chance.fill_bytes(&mut reset);
        reset[0] = 0x40 | (reset[0] & 0x3f);
        let mut forged = vec![as_seen, reset];
        forged.extend(self.close_of(seen));
        forged
    }

    /// A close under the keys that everybody knows who saw the client's first packet.
    fn close_of(&mut self, seen: &[u8]) -> Option<Vec<u8>> {
        let first = self.first.as_ref()?;
        let length = usize::from(*first.get(5)?);
        let first_id = first.get(6..6 + length)?;
        // Whom packets go to is written after the first byte of a short header.
        let to = seen.get(1..9)?;
        let frames = [0x1c, 0, 0, 0];
        let number = self.chance.random_range(10..1_000);
        let close = Initial { first_id, to, from: first_id, number, frames: &frames };
        Some(if self.is_up { close.of_client() } else { close.of_node() })
    }
}
