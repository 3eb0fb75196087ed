//! A socket of the simulated network, as the transport wants one.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::network::Network;

/// A socket. It is closed when it is dropped.
pub(crate) struct SimSocket {
    network: Network,
    address: SocketAddr,
    sleep: Mutex<Option<Pin<Box<Sleep>>>>,
}

impl SimSocket {
    /// A socket that was bound to an address.
    pub(crate) fn new(network: Network, address: SocketAddr) -> Arc<SimSocket> {
        Arc::new(SimSocket { network, address, sleep: Mutex::default() })
    }

    /// Has the task woken when the next packet arrives. Ready if that is now.
    fn poll_arrival(&self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let mut sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}

impl fmt::Debug for SimSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimSocket").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.network.unbind(self.address);
    }
}

impl AsyncUdpSocket for SimSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable {})
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.network.send(self.address, transmit.destination, transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let (packet, next_at) = self.network.receive(self.address, cx.waker());
            let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else {
                return Poll::Ready(Ok(0));
            };
            if let Some(packet) = packet {
                let length = packet.bytes.len().min(buffer.len());
                for (to, from) in buffer.iter_mut().zip(&packet.bytes) {
                    *to = *from;
                }
                *meta = RecvMeta::default();
                (meta.addr, meta.len, meta.stride) = (packet.from, length, length);
                return Poll::Ready(Ok(1));
            }
            let Some(at) = next_at else { return Poll::Pending };
            if self.poll_arrival(at, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// The simulated network takes every packet; what it does with it is another matter.
#[derive(Debug)]
struct AlwaysWritable {}

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
