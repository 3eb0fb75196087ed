//! Who tells a command that runs for long to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// The signals that end a command in order: Ctrl-C, SIGTERM and, where it was asked for, the end of
/// the terminal. From when it is made on they no longer end the process by themselves.
#[derive(Debug)]
pub(crate) struct Interruption {
    ctrl_c: Signal,
    term: Signal,
    hang_up: Option<Signal>,
}

impl Interruption {
    /// For a service: the end of a terminal is left as it is, so that `nohup` means what it says.
    pub(crate) fn of_service() -> Result<Interruption, Failure> {
        Ok(Interruption {
            ctrl_c: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hang_up: None,
        })
    }

    /// For what a person watches: it ends with the terminal, and tidies up.
    pub(crate) fn of_visit() -> Result<Interruption, Failure> {
        let hang_up = Some(signal(SignalKind::hangup())?);
        Ok(Interruption { hang_up, ..Interruption::of_service()? })
    }

    /// Returns at the next of them.
    pub(crate) async fn told(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.term.recv() => {}
            _ = hung_up => {}
        }
    }
}
