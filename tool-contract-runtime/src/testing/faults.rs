//! A ledger that fails where the test says so.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tool_contract_spec::key::OperationId;

use crate::ledger::{
    Admission, Admitted, Answer, Decided, Decision, Draw, Event, Fence, Finding, Ledger,
    LedgerError, Limited, Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record,
    Renewed, Resolution, Settled, Settlement,
};
use crate::tool::BoxFuture;

/// A step of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`Ledger::admit`]
    Admit,
    /// [`Ledger::settle`]
    Settle,
    /// [`Ledger::renew`]
    Renew,
    /// [`Ledger::begin_reconcile`]
    BeginReconcile,
    /// [`Ledger::finish_reconcile`]
    FinishReconcile,
    /// [`Ledger::resolve`]
    Resolve,
    /// [`Ledger::decide_approval`]
    DecideApproval,
    /// [`Ledger::draw`]
    Draw,
    /// [`Ledger::prune`]
    Prune,
    /// [`Ledger::find`], [`Ledger::history`] and [`Ledger::list`]
    Read,
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives: nothing is done.
    Lost,
    /// It is done, and the answer is lost.
    ReplyLost,
    /// The request never arrives, and nobody ever answers.
    Hang,
    /// It is done, and nobody ever answers.
    ReplyHang,
}

/// What is to fail.
#[derive(Default)]
struct Script {
    /// At which step, how, and how often.
    steps: HashMap<Step, VecDeque<(Fault, usize)>>,
    /// After how many uses of whatever step, and how.
    nth: Option<(usize, Fault)>,
    /// The step that this turned out to be.
    struck: Option<Step>,
}

impl Script {
    fn next(&mut self, step: Step) -> Option<Fault> {
        match &mut self.nth {
            Some((0, fault)) => {
                let fault = *fault;
                (self.nth, self.struck) = (None, Some(step));
                return Some(fault);
            }
            Some((uses, _)) => *uses -= 1,
            None => {}
        }
        let faults = self.steps.get_mut(&step)?;
        while faults.front().is_some_and(|(_, times)| *times == 0) {
            faults.pop_front();
        }
        let (fault, times) = faults.front_mut()?;
        *times -= 1;
        Some(*fault)
    }
}

/// A ledger in front of another one that fails where the test says so.
#[derive(Clone)]
pub struct FaultyLedger {
    inner: Arc<dyn Ledger>,
    script: Arc<Mutex<Script>>,
    hanging: Arc<Semaphore>,
    /// How many steps `inner` was asked that it has not answered.
    asked: Arc<watch::Sender<usize>>,
}

/// A step that is not answered yet.
struct Asked(Arc<watch::Sender<usize>>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.send_modify(|asked| *asked -= 1);
    }
}

impl FaultyLedger {
    /// A ledger that works like `inner` until it is told to fail.
    pub fn new(inner: impl Ledger) -> Self {
        Self::shared(Arc::new(inner))
    }

    /// The same, of one that others use, too.
    pub fn shared(inner: Arc<dyn Ledger>) -> Self {
        Self {
            inner,
            script: Arc::default(),
            hanging: Arc::new(Semaphore::new(0)),
            asked: Arc::default(),
        }
    }

    /// Lets the next `times` uses of `step` fail, after those that were already
    /// told to; `usize::MAX` is for ever.
    pub fn fail(&self, step: Step, fault: Fault, times: usize) {
        self.script().steps.entry(step).or_default().push_back((fault, times));
    }

    /// Lets the `nth` use from now on fail, counted from 0 over all steps. With one
    /// run for each `nth` until nothing is [struck](Self::struck) any more, every point
    /// of a program at which it needs its ledger is tried.
    pub fn fail_nth(&self, nth: usize, fault: Fault) {
        let mut script = self.script();
        (script.nth, script.struck) = (Some((nth, fault)), None);
    }

    /// The step at which [`fail_nth`](Self::fail_nth) struck, once it has.
    #[must_use]
    pub fn struck(&self) -> Option<Step> {
        self.script().struck
    }

    /// Lets every step work again.
    pub fn heal(&self) {
        *self.script() = Script::default();
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a step hangs.
    pub async fn hangs(&self) {
        // Nobody closes the semaphore.
        if let Ok(permit) = self.hanging.acquire().await {
            permit.forget();
        }
    }

    /// How many steps the ledger behind it has not answered. A ledger with threads
    /// or a server takes time of its own: a test whose clock is its own lets it go
    /// on only when there are none.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        *self.asked.borrow()
    }

    /// Returns once every step is answered.
    pub async fn answered(&self) {
        // The sender is ours: it is not closed.
        let _ = self.asked.subscribe().wait_for(|asked| *asked == 0).await;
    }

    /// The ledger behind it.
    #[must_use]
    pub fn inner(&self) -> &Arc<dyn Ledger> {
        &self.inner
    }

    async fn hang<T>(&self) -> T {
        self.hanging.add_permits(1);
        std::future::pending().await
    }

    fn ask<'a, T: Send + 'a>(
        &'a self,
        answer: impl FnOnce(&'a dyn Ledger) -> Answer<'a, T>,
    ) -> Answer<'a, T> {
        self.asked.send_modify(|asked| *asked += 1);
        let asked = Asked(Arc::clone(&self.asked));
        let answer = answer(&*self.inner);
        Box::pin(async move {
            let answer = answer.await;
            drop(asked);
            answer
        })
    }

    fn pass<'a, T: Send + 'a>(
        &'a self,
        step: Step,
        answer: impl FnOnce(&'a dyn Ledger) -> Answer<'a, T>,
    ) -> Answer<'a, T> {
        let fault = self.script().next(step);
        let unavailable = || LedgerError::Unavailable(format!("injected: {fault:?} at {step:?}"));
        match fault {
            None => self.ask(answer),
            Some(Fault::Lost) => Box::pin(std::future::ready(Err(unavailable()))),
            Some(Fault::ReplyLost) => {
                let (done, error) = (self.ask(answer), unavailable());
                Box::pin(async move {
                    done.await.ok();
                    Err(error)
                })
            }
            Some(Fault::Hang) => Box::pin(self.hang()),
            Some(Fault::ReplyHang) => {
                let done = self.ask(answer);
                Box::pin(async move {
                    done.await.ok();
                    self.hang().await
                })
            }
        }
    }
}

impl Ledger for FaultyLedger {
    fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted> {
        self.pass(Step::Admit, |inner| inner.admit(admission))
    }

    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        self.pass(Step::Settle, |inner| inner.settle(settlement))
    }

    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        self.pass(Step::Renew, |inner| inner.renew(id, fence, note))
    }

    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        self.pass(Step::BeginReconcile, |inner| inner.begin_reconcile(request))
    }

    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        self.pass(Step::FinishReconcile, |inner| inner.finish_reconcile(id, fence, finding))
    }

    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        self.pass(Step::Resolve, |inner| inner.resolve(resolution))
    }

    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        self.pass(Step::DecideApproval, |inner| inner.decide_approval(decision))
    }

    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.pass(Step::Draw, |inner| inner.draw(draws))
    }

    fn prune(&self, most: usize) -> Answer<'_, usize> {
        self.pass(Step::Prune, |inner| inner.prune(most))
    }

    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        self.pass(Step::Read, |inner| inner.find(id))
    }

    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.pass(Step::Read, |inner| inner.history(id))
    }

    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        self.pass(Step::Read, |inner| inner.list(query))
    }

    fn changed(&self, id: OperationId, within: Duration) -> BoxFuture<'_, ()> {
        self.inner.changed(id, within)
    }
}

impl fmt::Debug for FaultyLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyLedger").finish_non_exhaustive()
    }
}
