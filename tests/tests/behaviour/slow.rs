//! A ledger whose answers wait for the test, and a clock whose pauses do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tool_contract::clock::Clock;
use tool_contract::ledger::{
    Admission, Admitted, Answer, Decided, Decision, Draw, Event, Fence, Finding, Ledger, Limited,
    Note, Query, ReconcileClaim, ReconcileRequest, Reconciled, Record, Renewed, Resolution,
    Settled, Settlement, Timestamp,
};
use tool_contract::spec::key::OperationId;
use tool_contract::testing::{ManualClock, Step};

use crate::world::{Gate, Passage};

type Pinned<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A ledger that does a step at once, and answers when the test opens a gate.
#[derive(Clone)]
pub(crate) struct SlowLedger {
    inner: Arc<dyn Ledger>,
    gates: Arc<Mutex<HashMap<Step, Passage>>>,
}

impl SlowLedger {
    pub(crate) fn new(inner: impl Ledger) -> Self {
        Self { inner: Arc::new(inner), gates: Arc::default() }
    }

    /// The answers of `step` come through this gate from now on.
    pub(crate) fn gate(&self, step: Step) -> Gate {
        let gate = Gate::new();
        self.gates.lock().unwrap().insert(step, gate.passage());
        gate
    }

    /// The answers of `step` come at once from now on.
    pub(crate) fn ungate(&self, step: Step) {
        self.gates.lock().unwrap().remove(&step);
    }

    fn pass<'a, T: Send + 'a>(&'a self, step: Step, answer: Answer<'a, T>) -> Answer<'a, T> {
        let gate = self.gates.lock().unwrap().get(&step).cloned();
        Box::pin(async move {
            let answer = answer.await;
            if let Some(gate) = gate {
                gate.pass().await;
            }
            answer
        })
    }
}

impl Ledger for SlowLedger {
    fn admit<'a>(&'a self, admission: &'a Admission) -> Answer<'a, Admitted> {
        self.pass(Step::Admit, self.inner.admit(admission))
    }
    fn settle<'a>(&'a self, settlement: &'a Settlement) -> Answer<'a, Settled> {
        self.pass(Step::Settle, self.inner.settle(settlement))
    }
    fn renew(&self, id: OperationId, fence: Fence, note: Option<Note>) -> Answer<'_, Renewed> {
        self.pass(Step::Renew, self.inner.renew(id, fence, note))
    }
    fn begin_reconcile(&self, request: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        self.pass(Step::BeginReconcile, self.inner.begin_reconcile(request))
    }
    fn finish_reconcile(
        &self,
        id: OperationId,
        fence: Fence,
        finding: Finding,
    ) -> Answer<'_, Reconciled> {
        self.pass(Step::FinishReconcile, self.inner.finish_reconcile(id, fence, finding))
    }
    fn resolve(&self, resolution: Resolution) -> Answer<'_, Reconciled> {
        self.pass(Step::Resolve, self.inner.resolve(resolution))
    }
    fn decide_approval(&self, decision: Decision) -> Answer<'_, Decided> {
        self.pass(Step::DecideApproval, self.inner.decide_approval(decision))
    }
    fn draw(&self, draws: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        self.pass(Step::Draw, self.inner.draw(draws))
    }
    fn prune(&self, most: usize) -> Answer<'_, usize> {
        self.pass(Step::Prune, self.inner.prune(most))
    }
    fn find(&self, id: OperationId) -> Answer<'_, Option<Record>> {
        self.inner.find(id)
    }
    fn history(&self, id: OperationId) -> Answer<'_, Vec<Event>> {
        self.inner.history(id)
    }
    fn list(&self, query: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        self.inner.list(query)
    }
    fn changed(&self, id: OperationId, within: Duration) -> Pinned<'_, ()> {
        self.inner.changed(id, within)
    }
}

/// A clock whose pauses do not move it: they last until the test does.
pub(crate) struct PatientClock(pub(crate) Arc<ManualClock>);

impl Clock for PatientClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
    fn pause(&self, span: Duration) -> Pinned<'static, ()> {
        self.0.alarm(span)
    }
    fn alarm(&self, span: Duration) -> Pinned<'static, ()> {
        self.0.alarm(span)
    }
}
