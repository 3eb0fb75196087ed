//! A network in memory: packets that are late, overtake each other, are bent, lost or cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::chance::Chance;

/// Where the node listens.
pub(crate) const NODE_PORT: u16 = 7_400;

/// Packets that may wait for one socket: what a real one holds.
const INBOX_MAX: usize = 4_096;

/// How the network is, from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weather {
    /// Packets lost, of a thousand.
    pub lost_permille: u64,
    /// Packets with a bit that is wrong.
    pub bent_permille: u64,
    /// Added to the way of every packet, in milliseconds.
    pub delay_ms: u64,
    /// Up to so much more, each packet for itself: they overtake each other.
    pub jitter_ms: u64,
}

impl Weather {
    /// A hospital's network on a good day.
    pub(crate) const FAIR: Weather =
        Weather { lost_permille: 0, bent_permille: 0, delay_ms: 1, jitter_ms: 0 };
}

/// A packet on its way.
#[derive(Debug)]
pub(crate) struct Packet {
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Inbox {
    packets: BTreeMap<(Instant, u64), Packet>,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct State {
    seed: u64,
    weather: Weather,
    /// Who hears nothing of whom.
    cut: BTreeSet<(IpAddr, IpAddr)>,
    inboxes: BTreeMap<SocketAddr, Inbox>,
    /// Each way has chance of its own, so that who speaks first changes nothing for the others.
    ways: BTreeMap<(IpAddr, IpAddr), (Chance, u64)>,
    next_port: u16,
    /// Packets that were lost, for whatever reason.
    lost: u64,
}

/// The network. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Network(Arc<Mutex<State>>);

/// The address of a machine.
pub(crate) fn machine(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
}

impl Network {
    /// A network of a seed.
    pub(crate) fn new(seed: u64) -> Network {
        Network(Arc::new(Mutex::new(State {
            seed,
            weather: Weather::FAIR,
            cut: BTreeSet::new(),
            inboxes: BTreeMap::new(),
            ways: BTreeMap::new(),
            next_port: 40_000,
            lost: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a socket; without a port on the next free one.
    pub(crate) fn bind(&self, at: IpAddr, port: Option<u16>) -> SocketAddr {
        let mut state = self.state();
        let port = port.unwrap_or_else(|| {
            state.next_port = state.next_port.wrapping_add(1).max(1_024);
            state.next_port
        });
        let address = SocketAddr::new(at, port);
        state.inboxes.insert(address, Inbox::default());
        address
    }

    /// Closes a socket: what is on its way to it is nobody's.
    pub(crate) fn unbind(&self, address: SocketAddr) {
        self.state().inboxes.remove(&address);
    }

    /// From now on the network is like this.
    pub(crate) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// Cuts or mends one direction between two machines.
    pub(crate) fn set_cut(&self, from: IpAddr, to: IpAddr, is_cut: bool) {
        let mut state = self.state();
        if is_cut {
            state.cut.insert((from, to));
        } else {
            state.cut.remove(&(from, to));
        }
    }

    /// Everything is whole again.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.weather = Weather::FAIR;
        state.cut.clear();
    }

    /// Packets that were lost so far.
    pub(crate) fn lost_count(&self) -> u64 {
        self.state().lost
    }

    /// Sends a packet, which may not arrive.
    pub(crate) fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = Instant::now();
        let mut state = self.state();
        let State { seed, weather, cut, inboxes, ways, lost, .. } = &mut *state;
        let way = (from.ip(), to.ip());
        let (chance, number) =
            ways.entry(way).or_insert_with(|| (Chance::of(*seed, way_number(way)), 0));
        *number = number.saturating_add(1);
        let is_lost = chance.happens(weather.lost_permille);
        let is_bent = chance.happens(weather.bent_permille);
        let delay_ms = weather.delay_ms.saturating_add(chance.between(0, weather.jitter_ms));
        let bent_at = chance.next();
        let inbox = inboxes.get_mut(&to).filter(|inbox| inbox.packets.len() < INBOX_MAX);
        let Some(inbox) = inbox.filter(|_| !is_lost && !cut.contains(&way)) else {
            *lost = lost.saturating_add(1);
            return;
        };
        let mut bytes = bytes.to_vec();
        let length = u64::try_from(bytes.len()).unwrap_or(1).max(1);
        let place = usize::try_from(bent_at % length).unwrap_or(0);
        if let Some(byte) = bytes.get_mut(place).filter(|_| is_bent) {
            *byte ^= 0x10;
        }
        let key = (now + Duration::from_millis(delay_ms), *number);
        inbox.packets.insert(key, Packet { from, bytes });
        if let Some(waker) = inbox.waker.take() {
            waker.wake();
        }
    }

    /// The next packet that has arrived, or when the next one will. `None` and `None` once the
    /// socket is closed or nothing is on its way; the waker is kept.
    pub(crate) fn receive(
        &self,
        address: SocketAddr,
        waker: &Waker,
    ) -> (Option<Packet>, Option<Instant>) {
        let now = Instant::now();
        let mut state = self.state();
        let Some(inbox) = state.inboxes.get_mut(&address) else { return (None, None) };
        match inbox.packets.first_key_value().map(|(key, _)| key.0) {
            Some(at) if at <= now => (inbox.packets.pop_first().map(|(_, packet)| packet), None),
            at => {
                inbox.waker = Some(waker.clone());
                (None, at)
            }
        }
    }
}

fn way_number((from, to): (IpAddr, IpAddr)) -> u64 {
    let last = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u64::from(ip.to_bits()),
        IpAddr::V6(_) => 0,
    };
    last(from).wrapping_mul(65_537).wrapping_add(last(to))
}
