//! How a task that has more to do lets everybody else go first.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

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
