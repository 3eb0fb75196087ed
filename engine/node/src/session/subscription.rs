//! Writes one subscription's stream.
//!
//! An alarm stream that resumes begins with what became durable after its cursor. Then comes what was
//! told and is not on disk yet, then the open alarms, what became durable meanwhile, and the mark: who
//! has read as far has been told of all up to the mark's cursor. Then news as it comes. A subscriber
//! that falls behind is told so and sent the open alarms again; one that takes nothing at all is cut.

use std::rc::Rc;

use ach_actors_model::Lane;
use ach_engine_audit::{Action, Outcome, Record};
use ach_engine_net::{FrameSink, Role};
use ach_engine_wire::{Code, Frame, Gap, Preamble, Subscribe, Topic};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::fault::Fault;
use super::flush::flush;
use super::{End, Session};
use crate::attention::Watcher;
use crate::audit_words;
use crate::fan_out::{REPLAY_CHUNK, SubscriberKey, encoded};
use crate::notes::{SHARD, cursor, position_note};
use crate::recent::NoticeAt;
use crate::sieve::Sieve;
use crate::sink::Sink;

/// Times in a row that a subscriber may fall behind before it has read its open alarms. After that
/// it will never catch up and is cut.
const BEHIND_MAX: u32 = 8;

/// Streams by importance; greater goes first. The control stream carries acks and echoes.
const fn priority(topic: Topic) -> i32 {
    match topic {
        Topic::Alarms => 30,
        Topic::Events => 20,
        Topic::Positions => 10,
    }
}

/// By whose priority a topic is sent.
const fn lane(topic: Topic) -> Lane {
    match topic {
        Topic::Alarms => Lane::Door,
        Topic::Events => Lane::Audit,
        Topic::Positions => Lane::Console,
    }
}

/// A subscription that has begun: its notes gather in the sink from now on.
#[derive(Debug)]
pub(crate) struct Subscription {
    session: Rc<Session>,
    request: Subscribe,
    sieve: Sieve,
    sink: Rc<Sink>,
    key: SubscriberKey,
    ended: watch::Receiver<bool>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let rim = &self.session.rim;
        rim.leave_attention(self.key);
        let mut fan_out = rim.fan_out.borrow_mut();
        fan_out.remove(self.key);
        rim.outlet.want_fixes(fan_out.wants_positions());
        drop(fan_out);
        self.session.forget_subscription(self.request.subscription, &self.sink);
        self.tell(Action::ReadEnded);
    }
}

impl Subscription {
    /// Begins a subscription.
    pub(crate) fn begin(
        session: Rc<Session>,
        request: Subscribe,
        sieve: Sieve,
        sink: Rc<Sink>,
        ended: watch::Receiver<bool>,
    ) -> Subscription {
        let mut fan_out = session.rim.fan_out.borrow_mut();
        let key = match request.topic {
            Topic::Alarms => fan_out.add_alarms(sieve.clone(), sink.clone()),
            Topic::Events => fan_out.add_events(sieve.clone(), sink.clone()),
            Topic::Positions => fan_out.add_positions(sink.clone()),
        };
        session.rim.outlet.want_fixes(fan_out.wants_positions());
        drop(fan_out);
        if request.topic == Topic::Alarms {
            let is_operator = session.identity.role == Role::Operator;
            session.watch_as(request.subscription, key);
            session.rim.attention.borrow_mut().join(
                key,
                Watcher {
                    name: session.identity.name.clone(),
                    is_operator,
                    subscription: request.subscription,
                    begun_at: session.rim.clock.now(),
                    sieve: sieve.clone(),
                    displayed: None,
                    displayed_at: None,
                },
            );
        }
        let begun = Subscription { session, request, sieve, sink, key, ended };
        begun.tell(Action::ReadBegun);
        begun
    }

    /// Records who reads what. An alarm does not wait for it.
    fn tell(&self, action: Action) {
        let audit = &self.session.rim.audit;
        let record = audit.record(&self.session.party, action, Outcome::Done);
        let objects = if action == Action::ReadBegun {
            audit_words::read(&self.request, &self.session.rim.site())
        } else {
            audit_words::topic(self.request.topic).into_iter().collect()
        };
        let request = Some(u64::from(self.request.subscription));
        audit.tell_metered(Record { objects, request, ..record });
    }

    /// Writes the stream until it is ended, the peer wants no more of it, or is gone.
    ///
    /// # Errors
    ///
    /// The peer is gone or does not read.
    pub(crate) async fn write(self) -> Result<End, Fault> {
        match self.write_all().await {
            // As good as an unsubscribe, and no business of the other streams.
            Err(Fault::Stopped) => Ok(End::Stream),
            ended => ended,
        }
    }

    async fn write_all(mut self) -> Result<End, Fault> {
        let stall_max = self.session.rim.limits.subscriber_stall_max;
        let opened = timeout(stall_max, self.session.connection.open_uni()).await;
        let detail = "the subscriber takes no streams";
        let stream = opened.map_err(|_| Fault::peer(Code::TooSlow, detail))??;
        let topic = self.request.topic;
        let subscription = self.request.subscription;
        let preamble = Preamble::Subscription { lane: lane(topic), subscription };
        let mut out = FrameSink::with_preamble(stream, preamble);
        out.set_priority(priority(topic));
        match topic {
            Topic::Alarms => self.begin_alarms(&mut out).await?,
            // Events are not kept: who comes back must know that some may be missing.
            Topic::Events if self.request.resume_after.is_some() => {
                self.gap(&mut out, Code::CursorOutOfRange, None);
            }
            Topic::Events | Topic::Positions => {}
        }
        self.write_out(&mut out).await?;
        let mut ended = self.ended.clone();
        let mut behind = 0;
        loop {
            tokio::select! {
                // The end first: to a busy topic there is always news, and the node would wait for
                // this stream until its patience ends.
                biased;
                // An error means that the session is gone, which ends the stream as well.
                _ = ended.wait_for(|is_ended| *is_ended) => break,
                () = self.sink.ready() => {}
            }
            behind = self.write_news(&mut out, behind).await?;
        }
        // What comes from here on is nobody's: the last words are those before the end.
        self.session.rim.fan_out.borrow_mut().remove(self.key);
        self.write_news(&mut out, behind).await?;
        let finished = timeout(stall_max, out.finish()).await;
        let detail = "the subscriber does not read";
        finished.map_err(|_| Fault::peer(Code::TooSlow, detail))??;
        Ok(End::Stream)
    }

    async fn write_news(&mut self, out: &mut FrameSink, behind: u32) -> Result<u32, Fault> {
        let taken = self.sink.take();
        let behind = if taken.missed == 0 { 0 } else { behind.saturating_add(1) };
        if taken.missed > 0 {
            if behind > BEHIND_MAX {
                return Err(Fault::peer(Code::TooSlow, "the subscriber reads too slowly"));
            }
            self.gap(out, Code::TooSlow, Some(taken.missed));
            if self.request.topic == Topic::Alarms {
                self.session.rim.counters.subscribers_resynchronised.count();
                let lost_after = self.session.rim.fan_out.borrow().lost_after();
                self.open_set(out, lost_after).await?;
            }
        }
        for frame in taken.frames {
            out.push_encoded(&frame);
            if out.is_full() {
                self.flush(out).await?;
            }
        }
        for (number, fix) in taken.fixes.into_iter().enumerate() {
            if number % REPLAY_CHUNK == REPLAY_CHUNK - 1 {
                self.flush(out).await?;
            }
            let note = position_note(&self.session.rim.site(), &fix);
            if self.sieve.passes_position(&note) {
                out.push_encoded(&encoded(&note.into()));
            }
        }
        self.write_out(out).await?;
        Ok(behind)
    }

    async fn begin_alarms(&mut self, out: &mut FrameSink) -> Result<(), Fault> {
        let durable_at = self.session.rim.fan_out.borrow().durable_at();
        let after = match self.request.resume_after {
            Some(resume) => {
                let after = NoticeAt { index: resume.index, ordinal: resume.ordinal };
                if resume.shard != SHARD || self.session.rim.fan_out.borrow().is_gap(after) {
                    self.gap(out, Code::CursorOutOfRange, None);
                }
                after.min(durable_at)
            }
            None => durable_at,
        };
        self.open_set(out, after).await
    }

    /// Writes what was told after a notice: what is on disk, and behind it what is not. It may have
    /// ended an alarm that the subscriber takes for open.
    async fn missed(&mut self, out: &mut FrameSink, mut after: NoticeAt) -> Result<(), Fault> {
        // What is told, or becomes durable, from here on waits in the sink.
        let through = self.session.rim.fan_out.borrow().told_at();
        loop {
            let (frames, last) =
                self.session.rim.fan_out.borrow().missed_chunk(&self.sieve, after, through);
            push_all(out, &frames);
            self.flush(out).await?;
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    /// Writes what was told after a notice, the open alarms, what gathered meanwhile, and the mark.
    /// Nothing is awaited between the last two, so that the mark's cursor stands for all that was told
    /// before it.
    async fn open_set(&mut self, out: &mut FrameSink, mut after: NoticeAt) -> Result<(), Fault> {
        for _ in 0..=BEHIND_MAX {
            self.missed(out, after).await?;
            let open_count = self.write_open(out).await?;
            let taken = self.sink.take();
            if taken.missed == 0 {
                for frame in taken.frames {
                    out.push_encoded(&frame);
                }
                out.push_encoded(&self.session.rim.fan_out.borrow().open_set_end(open_count));
                return Ok(());
            }
            self.gap(out, Code::TooSlow, Some(taken.missed));
            self.session.rim.counters.subscribers_resynchronised.count();
            after = self.session.rim.fan_out.borrow().lost_after();
        }
        Err(Fault::peer(Code::TooSlow, "the subscriber reads too slowly"))
    }

    async fn write_open(&mut self, out: &mut FrameSink) -> Result<usize, Fault> {
        let mut after = None;
        let mut open_count: usize = 0;
        loop {
            let (frames, last) = self.session.rim.fan_out.borrow().open_chunk(&self.sieve, after);
            push_all(out, &frames);
            open_count = open_count.saturating_add(frames.len());
            if last.is_none() {
                return Ok(open_count);
            }
            after = last;
            self.flush(out).await?;
        }
    }

    fn gap(&self, out: &mut FrameSink, code: Code, missed_count: Option<u64>) {
        let durable_at = self.session.rim.fan_out.borrow().durable_at();
        let is_any = durable_at > NoticeAt::default();
        let gap = Gap { code, missed_count, cursor: is_any.then(|| cursor(durable_at)) };
        out.push_encoded(&encoded(&Frame::from(gap)));
    }

    async fn write_out(&self, out: &mut FrameSink) -> Result<(), Fault> {
        flush(out, self.session.rim.limits.subscriber_stall_max).await
    }

    /// Writes a piece of more than a little, then lets everybody else go first: an alarm must not
    /// wait until somebody has heard all that he missed.
    async fn flush(&self, out: &mut FrameSink) -> Result<(), Fault> {
        self.write_out(out).await?;
        yield_now().await;
        Ok(())
    }
}

fn push_all(out: &mut FrameSink, frames: &[Bytes]) {
    for frame in frames {
        out.push_encoded(frame);
    }
}
