//! Asks a node and commands it.

use std::time::Duration;

use ach_engine_wire::{
    Code, Cursor, Frame, Receipt, Status, StatusQuery, Thing, WireCommand, Wish,
};
use thiserror::Error;
use tokio::time::timeout;

use crate::ConnectError;
use crate::client::Connector;
use crate::session::{Session, cause, next_frame, push, unexpected};

/// How long an answer may take: a command is answered once it is on disk.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// Attempts on a fresh connection when one breaks under a question.
const ATTEMPTS_MAX: usize = 2;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// No connection came about, or it broke twice.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The node did not answer.
    #[error("the node did not answer in {ANSWER_DEADLINE:?}, ask for its status")]
    NoAnswer,
    /// The node refused the command.
    #[error("the node refused: {code}: {detail}")]
    Refused {
        /// Why.
        code: Code,
        /// In its words.
        detail: String,
    },
}

/// Asks and commands, one thing at a time.
#[derive(Debug)]
pub struct Operator {
    connector: Connector,
    session: Option<Session>,
    next_number: u64,
}

impl Operator {
    pub(crate) fn new(connector: Connector, session: Session) -> Operator {
        // Numbers of one operator must not meet those of an earlier run, whose answers the node
        // may still remember.
        let next_number = connector.config.surroundings.chance() >> 1;
        Operator { connector, session: Some(session), next_number }
    }

    /// The node's counters.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn status(&mut self) -> Result<Status, OperatorError> {
        let query = self.number();
        let frame = self.ask(StatusQuery { query }.into(), "a status").await?;
        match frame {
            Frame::Status(status) => Ok(status),
            other => Err(unexpected(other, "a status").into()),
        }
    }

    /// Lets a quarantined actor work again; gives where that stands in the order.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused.
    pub async fn release(&mut self, thing: Thing) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::ReleaseActor(thing)).await
    }

    /// Quarantines an actor by hand; gives where that stands in the order.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused.
    pub async fn quarantine(&mut self, thing: Thing) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::QuarantineActor(thing)).await
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    async fn command(&mut self, wish: Wish) -> Result<Option<Cursor>, OperatorError> {
        let command = self.number();
        match self.ask(WireCommand { command, wish }.into(), "a receipt").await? {
            Frame::Receipt(Receipt { code: Code::Done, cursor, .. }) => Ok(cursor),
            Frame::Receipt(receipt) => Err(OperatorError::Refused {
                code: receipt.code,
                detail: receipt.detail.to_string(),
            }),
            other => Err(unexpected(other, "a receipt").into()),
        }
    }

    fn number(&mut self) -> u64 {
        self.next_number = self.next_number.wrapping_add(1);
        self.next_number
    }

    /// Asks, and once more on a new connection when the old one turns out to be broken. A command
    /// may then be done twice, which is as good as once: each says how something is to be.
    async fn ask(&mut self, frame: Frame, wanted: &'static str) -> Result<Frame, OperatorError> {
        let mut last = None;
        for _ in 0..ATTEMPTS_MAX {
            let mut session = match self.session.take() {
                Some(session) => session,
                None => Session::open(&self.connector, Vec::new()).await?,
            };
            match timeout(ANSWER_DEADLINE, exchange(&mut session, &frame, wanted)).await {
                Ok(Ok(answer)) => {
                    self.session = Some(session);
                    return Ok(answer);
                }
                Ok(Err(error)) => match cause(&session.connection, error) {
                    error if error.may_retry() => last = Some(error.into()),
                    error => return Err(error.into()),
                },
                Err(_) => last = Some(OperatorError::NoAnswer),
            }
        }
        Err(last.unwrap_or(OperatorError::NoAnswer))
    }
}

async fn exchange(
    session: &mut Session,
    question: &Frame,
    wanted: &'static str,
) -> Result<Frame, ConnectError> {
    push(&mut session.sink, question)?;
    session.sink.flush().await?;
    loop {
        let Some(frame) = next_frame(&mut session.source).await? else {
            return Err(ConnectError::Protocol { found: "an end", wanted });
        };
        let is_answer = match (question, &frame) {
            (Frame::StatusQuery(asked), Frame::Status(status)) => asked.query == status.query,
            (Frame::Command(asked), Frame::Receipt(receipt)) => asked.command == receipt.command,
            (_, Frame::Heartbeat(_)) => false,
            _ => return Err(unexpected(frame, wanted)),
        };
        if is_answer {
            return Ok(frame);
        }
    }
}
