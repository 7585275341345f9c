//! A claim's lease, by the clock of its holder.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Fence, Renewed, Timestamp};

use super::plan::Plan;
use crate::clock::Clock;
use crate::ledger::{Answer, Ledger, LedgerError};
use crate::runtime::Runtime;
use crate::tool::BoxFuture;

/// The lease of a claim or of a reconciler.
///
/// Its holder counts it from before it asked, on a clock that never steps
/// back, and so never believes in it for longer than the ledger does.
pub(crate) struct Lease<'a> {
    ledger: &'a Arc<dyn Ledger>,
    clock: &'a dyn Clock,
    pub(crate) id: &'a OperationId,
    pub(crate) fence: Fence,
    length: Duration,
    asked_at: Duration,
    /// The ledger's time, as it was last told.
    told_at: Timestamp,
    /// Before this, a renewal that failed is not tried again.
    again_at: Duration,
    /// Whether the ledger said that it is over, whatever this clock says.
    is_lost: bool,
}

/// A renewal under way: when it was asked for, and the answer.
pub(crate) type Renewal = BoxFuture<'static, (Duration, Result<Renewed, LedgerError>)>;

/// For how long a ledger gave a lease, or gave it again.
pub(crate) struct Term {
    /// When it was asked, by the holder's clock.
    pub(crate) asked_at: Duration,
    /// The ledger's time.
    pub(crate) now: Timestamp,
    /// Until when, in the ledger's time.
    pub(crate) lease_until: Timestamp,
}

impl Term {
    fn length(&self) -> Duration {
        self.lease_until.since(self.now)
    }
}

impl<'a> Lease<'a> {
    pub(crate) fn new(runtime: &'a Runtime, plan: &'a Plan<'a>, fence: Fence, term: &Term) -> Self {
        let Plan { ledger, admission, .. } = plan;
        let clock = &**runtime.clock();
        Self {
            ledger,
            clock,
            id: &admission.id,
            fence,
            length: term.length(),
            asked_at: term.asked_at,
            told_at: term.now,
            again_at: term.asked_at,
            is_lost: false,
        }
    }

    /// The ledger's time, as it was last told: it is later by now.
    pub(crate) const fn told_at(&self) -> Timestamp {
        self.told_at
    }

    /// When it runs out, as far as this clock knows.
    pub(crate) fn ends_at(&self) -> Duration {
        self.asked_at.saturating_add(self.length)
    }

    /// Whether it holds.
    fn holds(&self) -> bool {
        self.holds_at(self.clock.elapsed())
    }

    fn holds_at(&self, now: Duration) -> bool {
        !self.is_lost && now < self.ends_at()
    }

    /// When it is due to be renewed: at a third of its length.
    fn due_at(&self) -> Duration {
        self.asked_at.saturating_add(self.length / 3)
    }

    /// When to ask for its renewal: when it is due, not too soon after that
    /// failed, and never once it is lost.
    pub(crate) fn renew_at(&self) -> Duration {
        if self.is_lost { Duration::MAX } else { self.due_at().max(self.again_at) }
    }

    /// Asks for its renewal.
    pub(crate) fn renewal(&self) -> Renewal {
        let (ledger, id, fence) = (Arc::clone(self.ledger), self.id.clone(), self.fence);
        let asked_at = self.clock.elapsed();
        Box::pin(async move { (asked_at, ledger.renew(id, fence, None).await) })
    }

    /// Takes the answer to a renewal: whether the claim still holds.
    pub(crate) fn renewed(
        &mut self,
        (asked_at, answer): (Duration, Result<Renewed, LedgerError>),
    ) -> bool {
        match answer {
            Ok(Renewed::Until { now, lease_until }) => {
                let term = Term { asked_at, now, lease_until };
                (self.asked_at, self.told_at, self.length) = (asked_at, now, term.length());
                true
            }
            Ok(Renewed::Lost { .. }) => {
                self.is_lost = true;
                false
            }
            Err(_) => {
                self.again_at = asked_at.saturating_add(self.length / 10);
                self.holds()
            }
        }
    }

    /// What the ledger answers; a ledger that does not answer for as long as
    /// the lease lives is unavailable.
    pub(crate) async fn answer<T>(&self, mut answer: Answer<'_, T>) -> Result<T, LedgerError> {
        // Most answers are there at once, and need no timer.
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
            return answer;
        }
        let left = self.ends_at().saturating_sub(self.clock.elapsed()).max(self.length / 3);
        tokio::select! {
            answer = answer => answer,
            () = self.clock.alarm(left) => {
                Err(LedgerError::Unavailable("it did not answer for as long as the claim held".to_owned()))
            }
        }
    }

    /// Renews it now; whether it was renewed.
    pub(super) async fn renew(&mut self) -> bool {
        let asked_at = self.clock.elapsed();
        let answer = self.answer(self.ledger.renew(self.id.clone(), self.fence, None)).await;
        let is_answered = answer.is_ok();
        self.renewed((asked_at, answer)) && is_answered
    }

    /// Sees to it that an effect may begin: renews a lease that is due, and
    /// gives the time if it holds. A holder whose renewal fails begins nothing.
    pub(crate) async fn ensure(&mut self) -> Option<Duration> {
        if self.is_lost {
            return None;
        }
        let now = self.clock.elapsed();
        if now < self.due_at() {
            return Some(now);
        }
        let is_renewed = Box::pin(self.renew()).await;
        // The answer may have taken longer than the lease that it gave.
        let now = self.clock.elapsed();
        (is_renewed && self.holds_at(now)).then_some(now)
    }

    /// Waits for `span` and keeps the lease meanwhile.
    pub(crate) async fn rest(&mut self, span: Duration) {
        let until = self.clock.elapsed().saturating_add(span);
        loop {
            let now = self.clock.elapsed();
            if now >= until {
                return;
            }
            let chunk = self.renew_at().clamp(now, until).saturating_sub(now);
            if chunk.is_zero() {
                if !self.renew().await && !self.holds() {
                    return;
                }
                continue;
            }
            self.clock.pause(chunk).await;
        }
    }
}
