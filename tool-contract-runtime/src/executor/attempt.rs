//! One attempt: a future that is polled, timed, and kept from tearing anything
//! down when it panics.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::lease::{Lease, Renewal};
use super::link::Link;
use crate::clock::Clock;
use crate::error::UnknownOutcome;
use crate::tool::BoxFuture;

/// How an attempt came to its end.
pub(crate) enum Driven<T> {
    /// It returned.
    Ended(T),
    /// It took longer than its timeout, or a read longer than the deadline,
    /// and was dropped.
    TimedOut,
    /// It panicked.
    Panicked(String),
}

/// What is watched while an attempt runs.
pub(crate) struct Watch<'a, 'l> {
    pub(crate) clock: &'a Arc<dyn Clock>,
    /// When the attempt is given up.
    pub(crate) timeout_at: Duration,
    /// The claim that is kept meanwhile.
    pub(crate) lease: Option<&'a mut Lease<'l>>,
    /// How long after its lease ran out the holder may act at most; others
    /// count on it.
    pub(crate) acts_for: Option<Duration>,
    /// How the caller is let go before the attempt ends.
    pub(crate) early: Option<Early<'a>>,
}

/// Lets a caller go while its attempt goes on.
pub(crate) struct Early<'a> {
    pub(crate) link: &'a Link,
    /// When.
    pub(crate) at: Duration,
    /// With which answer.
    pub(crate) answer: Box<UnknownOutcome>,
}

enum Event<T> {
    Over(Driven<T>),
    Renewed((Duration, Result<crate::ledger::Renewed, crate::ledger::LedgerError>)),
    Alarm,
}

/// Polls an attempt to its end, and drops it.
pub(crate) async fn drive<T: Send>(
    mut attempt: BoxFuture<'_, T>,
    watch: Watch<'_, '_>,
) -> Driven<T> {
    let driven = match poll_fn(|cx| Poll::Ready(poll_caught(&mut attempt, cx))).await {
        // An attempt that is ready at once needs no timer, and nobody to watch.
        Poll::Ready(driven) => driven,
        Poll::Pending => Box::pin(poll_to_end(&mut attempt, watch)).await,
    };
    // If what it holds panics now, it has ended all the same.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(attempt))) {
        message(panic);
    }
    driven
}

async fn poll_to_end<T>(attempt: &mut BoxFuture<'_, T>, mut watch: Watch<'_, '_>) -> Driven<T> {
    let mut renewal: Option<Renewal> = None;
    loop {
        let mut alarm = watch.clock.alarm(watch.next_in(renewal.is_some()));
        let event = poll_fn(|cx| {
            if !watch.may_act() {
                return Poll::Ready(Event::Over(Driven::TimedOut));
            }
            if let Poll::Ready(driven) = poll_caught(attempt, cx) {
                return Poll::Ready(Event::Over(driven));
            }
            if let Some(renewing) = &mut renewal
                && let Poll::Ready(renewed) = renewing.as_mut().poll(cx)
            {
                return Poll::Ready(Event::Renewed(renewed));
            }
            alarm.as_mut().poll(cx).map(|()| Event::Alarm)
        })
        .await;
        match event {
            Event::Over(driven) => return driven,
            Event::Renewed(renewed) => {
                renewal = None;
                if let Some(lease) = &mut watch.lease {
                    // Lost or not, what runs now runs on: its fence decides
                    // whether its settlement counts.
                    lease.renewed(renewed);
                }
            }
            Event::Alarm => {
                let now = watch.clock.elapsed();
                if now >= watch.timeout_at {
                    return Driven::TimedOut;
                }
                watch.let_go(now);
                if renewal.is_none() {
                    renewal = watch.renewal(now);
                }
            }
        }
    }
}

impl Watch<'_, '_> {
    /// Whether the attempt may go on. A process that stood still, and finds
    /// that its lease ran out long ago, must not act on what others have found
    /// out since.
    fn may_act(&self) -> bool {
        match (&self.lease, self.acts_for) {
            (Some(lease), Some(span)) => {
                self.clock.elapsed() < lease.ends_at().saturating_add(span)
            }
            _ => true,
        }
    }

    /// How long until something is due.
    fn next_in(&self, is_renewing: bool) -> Duration {
        let renew_at = self.lease.as_deref().filter(|_| !is_renewing).map(Lease::renew_at);
        let early_at = self.early.as_ref().map(|early| early.at);
        let next = [Some(self.timeout_at), renew_at, early_at].into_iter().flatten().min();
        next.unwrap_or(self.timeout_at).saturating_sub(self.clock.elapsed())
    }

    fn let_go(&mut self, now: Duration) {
        if let Some(early) = self.early.take_if(|early| early.at <= now) {
            early.link.let_go(early.answer);
        }
    }

    fn renewal(&self, now: Duration) -> Option<Renewal> {
        self.lease.as_deref().filter(|lease| lease.renew_at() <= now).map(Lease::renewal)
    }
}

/// Polls, and turns a panic into an answer. What panicked is never polled
/// again.
fn poll_caught<T>(attempt: &mut BoxFuture<'_, T>, cx: &mut Context<'_>) -> Poll<Driven<T>> {
    match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Driven::Ended),
        Err(panic) => Poll::Ready(Driven::Panicked(message(panic))),
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let panic = match panic.downcast::<String>() {
        Ok(text) => return *text,
        Err(panic) => panic,
    };
    match panic.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(panic) => {
            // To drop what nobody knows may panic again.
            std::mem::forget(panic);
            "(no message)".to_owned()
        }
    }
}
