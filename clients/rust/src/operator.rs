//! Asks a node and commands it.

use std::time::Duration;

use ach_actors_model::{AlarmWish, Name};
use ach_engine_wire::{
    Attention, AttentionQuery, BandOrder, Code, Cursor, Doors, DoorsQuery, Frame, FrameMarks,
    LeaveOrder, LeaveQuery, PartBytes, QuietOrder, QuietQuery, Receipt, SelftestOrder,
    SelftestReport, SiteDigest, SiteOffer, SitePart, SiteQuery, SiteVerdict, Status, StatusQuery,
    Thing, UnregisteredQuery, UnregisteredTag, WireCommand, WireDoorWish, WireEmergencyWish,
    WireLeave, WireQuiet, Wish,
};
use thiserror::Error;
use tokio::time::timeout;

use crate::ConnectError;
use crate::client::Connector;
use crate::session::{Session, cause, next_frame, push, unexpected};

/// How long an answer may take: a command is answered once it is on disk.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// As long for a site: a node gives as long to send it, and then judges it.
const OFFER_DEADLINE: Duration = Duration::from_secs(90);

/// As long for a self-test: a node gives it 10 s and its end 2 s.
const SELFTEST_DEADLINE: Duration = Duration::from_secs(20);

/// Attempts on a fresh connection when one breaks under a question.
const ATTEMPTS_MAX: usize = 2;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// No connection came about, or it broke twice.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The node did not answer.
    #[error("the node did not answer in {within:?}: it is busy, or too old for the question")]
    NoAnswer {
        /// How long it was waited.
        within: Duration,
    },
    /// The node refused the command.
    #[error("the node refused: {code}: {detail}")]
    Refused {
        /// Why.
        code: Code,
        /// In its words.
        detail: String,
    },
}

/// How a version of the site is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteWish {
    /// The version it was made from.
    pub base_version: u32,
    /// The digest of that version, if it is known.
    pub base_digest: Option<SiteDigest>,
    /// How its frame lies on the globe, if the site says so.
    pub frame: Option<FrameMarks>,
    /// Whether it is only to be judged.
    pub is_dry_run: bool,
    /// Whether it may end open alarms and cut feeds that are connected.
    pub may_strand: bool,
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

    /// Does something with an alarm; gives where that stands in the order. What is so already is done.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused: the alarm is over, or must be acknowledged first,
    /// or may not be shelved.
    pub async fn act(&mut self, wish: AlarmWish) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::Act(wish.into())).await
    }

    /// Mutes a place or rule, takes it out of service, or ends that; gives where that stands in the order.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused: [`Code::NeedsSecondPerson`] until another
    /// operator has asked to mute the same.
    pub async fn quiet(&mut self, order: QuietOrder) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::Quiet(order)).await
    }

    /// Moves a door, gives it back, lets people out by it or ends that; gives where that stands in the order.
    /// Without a key it gets one of its own, so that it is done once also where a connection breaks.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused.
    pub async fn move_door(
        &mut self,
        mut wish: WireDoorWish,
    ) -> Result<Option<Cursor>, OperatorError> {
        wish.key = wish.key.or_else(|| Some(self.key()));
        self.command(Wish::MoveDoor(wish)).await
    }

    /// Declares or ends a lockdown or an evacuation; gives where that stands in the order. A wish with a key
    /// is done once, however often it is sent.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused.
    pub async fn declare(
        &mut self,
        mut wish: WireEmergencyWish,
    ) -> Result<Option<Cursor>, OperatorError> {
        wish.key = wish.key.or_else(|| Some(self.key()));
        self.command(Wish::Declare(wish)).await
    }

    /// How doors stand, by name, and what is declared.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn doors(&mut self) -> Result<Doors, OperatorError> {
        let query = self.number();
        let parts = self.ask_all(&[DoorsQuery { query }.into()], ANSWER_DEADLINE, "doors").await?;
        let mut whole = Doors { query, doors: Vec::new(), emergencies: Vec::new(), is_last: true };
        for part in parts {
            let Frame::Doors(part) = part else { continue };
            whole.doors.extend(part.doors);
            whole.emergencies.extend(part.emergencies);
        }
        Ok(whole)
    }

    /// Gives a subject leave, or ends it; gives where that stands in the order.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused: for no time or for over 24 h, without a reason, of
    /// somebody whom the site does not have.
    pub async fn leave(&mut self, order: LeaveOrder) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::Leave(order)).await
    }

    /// Says that a band may be off for a time, or is on; gives where that stands in the order.
    ///
    /// # Errors
    ///
    /// No connection, no answer, or the node refused: for no time or for over an hour, without a reason, of a
    /// tag that is not on that subject.
    pub async fn band(&mut self, order: BandOrder) -> Result<Option<Cursor>, OperatorError> {
        self.command(Wish::Band(order)).await
    }

    /// Who has leave, by subject.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn leaves(&mut self) -> Result<Vec<WireLeave>, OperatorError> {
        let question = LeaveQuery { query: self.number() }.into();
        let parts = self.ask_all(&[question], ANSWER_DEADLINE, "who has leave").await?;
        let leaves = parts.into_iter().flat_map(|part| match part {
            Frame::Leaves(part) => part.leaves,
            _ => Vec::new(),
        });
        Ok(leaves.collect())
    }

    /// Which version of the site is in force.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn site_in_force(&mut self) -> Result<SiteVerdict, OperatorError> {
        let command = self.number();
        let question = SiteQuery { command }.into();
        match self.ask(question, "a verdict on the site").await? {
            Frame::SiteVerdict(verdict) => Ok(verdict),
            other => Err(unexpected(other, "a verdict on the site").into()),
        }
    }

    /// Offers a version of the site, as `encode_site` wrote it, and waits until it is in force and
    /// durable, or refused: the verdict says which, with the reasons. An offer whose answer was lost
    /// may be made again.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn offer_site(
        &mut self,
        wish: &SiteWish,
        site: &[u8],
    ) -> Result<SiteVerdict, OperatorError> {
        let command = self.number();
        let offer = SiteOffer {
            command,
            base_version: wish.base_version,
            base_digest: wish.base_digest,
            frame: wish.frame.clone(),
            total_bytes: u32::try_from(site.len()).unwrap_or(u32::MAX),
            digest: SiteDigest::of(site),
            is_dry_run: wish.is_dry_run,
            may_strand: wish.may_strand,
        };
        let mut frames = vec![Frame::SiteOffer(offer)];
        let parts = PartBytes::cut(site).map(|bytes| SitePart { command, bytes }.into());
        frames.extend(parts);
        let mut answers = self.ask_all(&frames, OFFER_DEADLINE, "a verdict on the site").await?;
        match answers.pop() {
            Some(Frame::SiteVerdict(verdict)) => Ok(verdict),
            _ => Err(OperatorError::NoAnswer { within: OFFER_DEADLINE }),
        }
    }

    /// Tags that vendors named and the site does not have, by feed, those last named first.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn unregistered_tags(&mut self) -> Result<Vec<UnregisteredTag>, OperatorError> {
        let question = UnregisteredQuery { query: self.number() }.into();
        let wanted = "unregistered tags";
        let parts = self.ask_all(&[question], ANSWER_DEADLINE, wanted).await?;
        let tags = parts.into_iter().flat_map(|part| match part {
            Frame::Unregistered(part) => part.tags,
            _ => Vec::new(),
        });
        Ok(tags.collect())
    }

    /// Who follows alarms, how far they were displayed, and how many nobody has displayed.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn attention(&mut self) -> Result<Attention, OperatorError> {
        let question = AttentionQuery { query: self.number() }.into();
        let parts = self.ask_all(&[question], ANSWER_DEADLINE, "attention").await?;
        let mut whole: Option<Attention> = None;
        for part in parts {
            let Frame::Attention(mut part) = part else { continue };
            if let Some(before) = whole {
                part.receivers.splice(0..0, before.receivers);
            }
            whole = Some(part);
        }
        whole.ok_or(OperatorError::NoAnswer { within: ANSWER_DEADLINE })
    }

    /// What is shelved, muted and out of service, by whom and until when, and what waits for a second person.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn quiet_things(&mut self) -> Result<Vec<WireQuiet>, OperatorError> {
        let question = QuietQuery { query: self.number() }.into();
        let parts = self.ask_all(&[question], ANSWER_DEADLINE, "what is quiet").await?;
        let things = parts.into_iter().flat_map(|part| match part {
            Frame::QuietList(part) => part.things,
            _ => Vec::new(),
        });
        Ok(things.collect())
    }

    /// Sends a test alarm on its way, and tells how far it came once it is ended.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn selftest(&mut self) -> Result<SelftestReport, OperatorError> {
        self.selftest_without(Vec::new()).await
    }

    /// As [`selftest`](Self::selftest), and says of these receivers that they are gone for good: the node
    /// misses them no more, until they display a test alarm.
    ///
    /// # Errors
    ///
    /// No connection or no answer.
    pub async fn selftest_without(
        &mut self,
        dropped: Vec<Name>,
    ) -> Result<SelftestReport, OperatorError> {
        let question = SelftestOrder { command: self.number(), dropped }.into();
        let wanted = "a report of the self-test";
        match self.ask_all(&[question], SELFTEST_DEADLINE, wanted).await?.pop() {
            Some(Frame::SelftestReport(report)) => Ok(report),
            _ => Err(OperatorError::NoAnswer { within: SELFTEST_DEADLINE }),
        }
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

    /// What makes a wish the same one on another connection.
    fn key(&self) -> u128 {
        let surroundings = &self.connector.config.surroundings;
        u128::from(surroundings.chance()) << 64 | u128::from(surroundings.chance())
    }

    fn number(&mut self) -> u64 {
        self.next_number = self.next_number.wrapping_add(1);
        self.next_number
    }

    async fn ask(&mut self, frame: Frame, wanted: &'static str) -> Result<Frame, OperatorError> {
        let mut answers = self.ask_all(&[frame], ANSWER_DEADLINE, wanted).await?;
        answers.pop().ok_or(OperatorError::NoAnswer { within: ANSWER_DEADLINE })
    }

    /// Asks, and once more on a new connection when the old one turns out to be broken. A command
    /// may then be done twice, which is as good as once but for a comment, which then stands twice; a self-test is
    /// done once, for the node knows its number. Gives all parts of the answer, one at least.
    async fn ask_all(
        &mut self,
        frames: &[Frame],
        within: Duration,
        wanted: &'static str,
    ) -> Result<Vec<Frame>, OperatorError> {
        let mut last = None;
        for _ in 0..ATTEMPTS_MAX {
            let mut session = match self.session.take() {
                Some(session) => session,
                None => Session::open(&self.connector, Vec::new()).await?,
            };
            match timeout(within, exchange(&mut session, frames, wanted)).await {
                Ok(Ok(answers)) => {
                    self.session = Some(session);
                    return Ok(answers);
                }
                Ok(Err(error)) => match cause(&session.connection, error) {
                    error if error.may_retry() => last = Some(error.into()),
                    error => return Err(error.into()),
                },
                Err(_) => last = Some(OperatorError::NoAnswer { within }),
            }
        }
        Err(last.unwrap_or(OperatorError::NoAnswer { within }))
    }
}

async fn exchange(
    session: &mut Session,
    frames: &[Frame],
    wanted: &'static str,
) -> Result<Vec<Frame>, ConnectError> {
    for frame in frames {
        if session.sink.is_full() {
            session.sink.flush().await?;
        }
        push(&mut session.sink, frame)?;
    }
    session.sink.flush().await?;
    let mut answers = Vec::new();
    loop {
        let Some(frame) = next_frame(&mut session.source).await? else {
            return Err(ConnectError::Protocol { found: "an end", wanted });
        };
        let is_last = match (frames.first(), &frame) {
            (_, Frame::Heartbeat(_)) => continue,
            (_, Frame::CertificateEnds(certificate)) => {
                tracing::warn!(ends_at = certificate.ends_at.0, "this certificate ends soon");
                continue;
            }
            (Some(question), answer) => match answers_to(question, answer) {
                Answers::Nothing => return Err(unexpected(frame, wanted)),
                // Of a question whose asker waits no longer.
                Answers::Another => continue,
                Answers::Part { is_last } => is_last,
            },
            (None, _) => return Err(unexpected(frame, wanted)),
        };
        // A node that never ends its answer is given up with the time for it.
        answers.push(frame);
        if is_last {
            return Ok(answers);
        }
    }
}

/// What a frame is to a question.
enum Answers {
    Nothing,
    Another,
    Part { is_last: bool },
}

fn answers_to(question: &Frame, answer: &Frame) -> Answers {
    let (asked, told, is_last) = match (question, answer) {
        (Frame::StatusQuery(asked), Frame::Status(told)) => (asked.query, told.query, true),
        (Frame::Command(asked), Frame::Receipt(told)) => (asked.command, told.command, true),
        (Frame::SiteQuery(asked), Frame::SiteVerdict(told)) => (asked.command, told.command, true),
        (Frame::SiteOffer(asked), Frame::SiteVerdict(told)) => (asked.command, told.command, true),
        (Frame::SelftestOrder(asked), Frame::SelftestReport(told)) => {
            (asked.command, told.command, true)
        }
        (Frame::UnregisteredQuery(asked), Frame::Unregistered(told)) => {
            (asked.query, told.query, told.is_last)
        }
        (Frame::DoorsQuery(asked), Frame::Doors(told)) => (asked.query, told.query, told.is_last),
        (Frame::LeaveQuery(asked), Frame::Leaves(told)) => (asked.query, told.query, told.is_last),
        (Frame::AttentionQuery(asked), Frame::Attention(told)) => {
            (asked.query, told.query, told.is_last)
        }
        (Frame::QuietQuery(asked), Frame::QuietList(told)) => {
            (asked.query, told.query, told.is_last)
        }
        _ => return Answers::Nothing,
    };
    if asked == told { Answers::Part { is_last } } else { Answers::Another }
}
