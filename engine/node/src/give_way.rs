//! How a task that has more to do lets everybody else go first.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Runtime};

/// Turns of connections and of the socket after which the sessions, and with them the shard, have theirs. Each
/// takes up to 128 packets: with tokio's own 61, what was received a while ago would wait for milliseconds
/// while more is being received. Four are the socket, a vendor, a receiver, and one more.
const CONNECTION_TURNS: u32 = 4;

/// Rounds that who works on lets go first after an alarm: 256 receivers have it then, and who is served
/// later is served all the same.
const ROUNDS_MAX: u32 = 64;

/// What drives the rim's thread.
pub(crate) fn rim_runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().event_interval(CONNECTION_TURNS).build()
}

/// How often a session lets everybody else go first when an alarm was put into so many streams, each of
/// a connection of its own: until all of these had their turn to send it.
pub(crate) fn rounds_for(streams: u64) -> u32 {
    let rounds = streams.div_ceil(CONNECTION_TURNS.into());
    u32::try_from(rounds).unwrap_or(ROUNDS_MAX).min(ROUNDS_MAX)
}

/// Wakes the task that is being polled again, but only after every other task that is ready and the
/// sockets have had their turn.
///
/// Waking oneself does not do that: a task of a `LocalSet` would be polled dozens of times before
/// the connections' own tasks, which live outside of it, can send what was decided meanwhile.
pub(crate) fn give_way(cx: &mut Context<'_>) {
    let yielding = pin!(tokio::task::yield_now());
    // Pending the first time it is asked: that hands the waker over to the runtime.
    let _ = yielding.poll(cx);
}

/// Lets those tasks of the same `LocalSet` go first that are ready by now, whom this task has woken among
/// them, and nobody else: neither sockets nor connections come between.
pub(crate) async fn step_behind() {
    let mut is_behind = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_behind, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A task inside of the local set that gives way, and one outside that was woken later: the one
    /// outside goes first.
    #[actix::test]
    async fn who_gives_way_goes_after_everybody_who_is_ready() {
        let said = Rc::new(RefCell::new(Vec::new()));
        let (wake, woken) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let outside = tokio::spawn(async move {
            let _ = woken.await;
            let _ = tell.send(());
        });
        let inside = tokio::task::spawn_local({
            let said = said.clone();
            let (mut polls, mut wake, mut told) = (0, Some(wake), told);
            poll_fn(move |cx| {
                polls += 1;
                if let Some(wake) = wake.take() {
                    let _ = wake.send(());
                }
                if told.try_recv().is_ok() {
                    said.borrow_mut().push(polls);
                    return Poll::Ready(());
                }
                give_way(cx);
                Poll::Pending
            })
        });
        inside.await.unwrap();
        outside.await.unwrap();
        assert_eq!(*said.borrow(), [2]);
    }

    #[test]
    fn rounds_are_as_many_as_connections_need() {
        for (streams, rounds) in [(0, 0), (1, 1), (4, 1), (5, 2), (40, 10), (256, 64), (70_000, 64)]
        {
            assert_eq!(rounds_for(streams), rounds, "{streams} streams");
        }
    }

    /// PATH-4: forty connections have something to send, and other tasks of the thread are busy all the time.
    #[test]
    fn who_yields_for_forty_connections_goes_after_the_last_of_them() {
        const CONNECTIONS: u64 = 40;
        let sent = Arc::new(AtomicU64::new(0));
        let local = tokio::task::LocalSet::new();
        let sent_after = |rounds: u32| {
            let sent = sent.clone();
            async move {
                sent.store(0, Ordering::Relaxed);
                for _ in 0..CONNECTIONS {
                    let sent = sent.clone();
                    tokio::spawn(async move { sent.fetch_add(1, Ordering::Relaxed) });
                }
                for _ in 0..rounds {
                    tokio::task::yield_now().await;
                }
                sent.load(Ordering::Relaxed)
            }
        };
        let (early, late) = local.block_on(&rim_runtime().unwrap(), async {
            tokio::task::spawn_local(async {
                loop {
                    tokio::task::yield_now().await;
                }
            });
            let early = sent_after(1).await;
            tokio::task::yield_now().await;
            (early, sent_after(rounds_for(CONNECTIONS)).await)
        });
        assert!(early < CONNECTIONS, "one round serves {early}, and this shows nothing");
        assert_eq!(late, CONNECTIONS);
    }

    /// Somebody in the local set and somebody outside are woken; who steps behind comes between the two.
    #[actix::test]
    async fn who_steps_behind_goes_after_whom_it_has_woken_and_before_the_connections() {
        let said = Rc::new(RefCell::new(Vec::new()));
        let (wake_outside, woken_outside) = tokio::sync::oneshot::channel::<()>();
        let (tell, mut told) = tokio::sync::oneshot::channel::<()>();
        let outside = tokio::spawn(async move {
            let _ = woken_outside.await;
            let _ = tell.send(());
        });
        let (wake_inside, woken_inside) = tokio::sync::oneshot::channel::<()>();
        let inside = tokio::task::spawn_local({
            let said = said.clone();
            async move {
                let _ = woken_inside.await;
                said.borrow_mut().push("woken");
            }
        });
        // Both wait by now.
        tokio::task::yield_now().await;
        let steps = tokio::task::spawn_local({
            let said = said.clone();
            async move {
                let _ = wake_outside.send(());
                let _ = wake_inside.send(());
                step_behind().await;
                let is_outside_over = told.try_recv().is_ok();
                said.borrow_mut().push(if is_outside_over { "too late" } else { "behind" });
            }
        });
        steps.await.unwrap();
        inside.await.unwrap();
        outside.await.unwrap();
        assert_eq!(*said.borrow(), ["woken", "behind"]);
    }
}
