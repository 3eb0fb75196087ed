//! Time and tasks of a simulated process, as the transport wants them.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use quinn::{AsyncTimer, AsyncUdpSocket, Runtime};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};

/// The tasks that the transport of one process runs; they die with it.
#[derive(Debug, Default)]
pub(crate) struct SimRuntime {
    tasks: Mutex<Vec<AbortHandle>>,
}

impl SimRuntime {
    /// Nothing that the transport began goes on.
    pub(crate) fn kill(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }
}

impl Runtime for SimRuntime {
    fn new_timer(&self, at: std::time::Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(SimTimer(Box::pin(sleep_until(Instant::from_std(at)))))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let task = tokio::spawn(future).abort_handle();
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn wrap_udp_socket(&self, _socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(io::Error::other("a simulated process has no socket of the system"))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

struct SimTimer(Pin<Box<Sleep>>);

impl fmt::Debug for SimTimer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimTimer").finish_non_exhaustive()
    }
}

impl AsyncTimer for SimTimer {
    fn reset(mut self: Pin<&mut Self>, at: std::time::Instant) {
        self.0.as_mut().reset(Instant::from_std(at));
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Future::poll(self.0.as_mut(), cx)
    }
}
