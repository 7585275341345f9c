//! What calls run on: a ledger, a clock, state and tools.

mod builder;
mod description;
mod state;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{ApprovalId, Holder, Nonce, Trust};
use tool_contract_spec::operation::SecretKey;
use tool_contract_spec::policy::{Contract, Limit, SideEffect};

pub use self::builder::RuntimeBuilder;
pub use self::description::ToolDescription;
use self::state::States;
#[cfg(feature = "approvals")]
use crate::approval::Spent;
use crate::approval::{InsecureLocalApprover, Notices};
use crate::clock::Clock;
use crate::escalation::Escalations;
use crate::executor::Tracker;
use crate::ledger::Ledger;
use crate::registry::{Entry, Found, Registry};
use crate::tool::{StateType, Tool};

/// What calls run on.
///
/// Cloning it is cheap, and the clones are one runtime.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
    /// The operations that the call in whose body this clone lives holds.
    held: Option<Arc<Held>>,
}

struct Shared {
    ledger: Option<Arc<dyn Ledger>>,
    clock: Arc<dyn Clock>,
    registry: Registry,
    state: States,
    secret_key: Option<SecretKey>,
    trust: Trust,
    #[cfg(feature = "approvals")]
    spent: Option<Arc<Spent>>,
    notices: Notices,
    limits: Vec<(SideEffect, Limit)>,
    budget: Option<Limit>,
    lease: Duration,
    largest_request: usize,
    holder: Holder,
    calls: AtomicU64,
    tracker: Tracker,
}

/// An operation that is held by the call around.
struct Held {
    id: OperationId,
    around: Option<Arc<Held>>,
}

impl Runtime {
    /// A builder without a ledger, state or tools.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// The ledger, if there is one.
    #[must_use]
    pub fn ledger(&self) -> Option<&Arc<dyn Ledger>> {
        self.shared.ledger.as_ref()
    }

    /// What only a person's word moves on.
    #[must_use]
    pub fn escalations(&self) -> Escalations {
        Escalations::within(self.ledger())
    }

    /// The tools that are registered, in the form that model providers take.
    #[must_use]
    pub fn tools(&self) -> Vec<ToolDescription> {
        self.shared.registry.all().iter().map(|entry| ToolDescription::of(entry.tool)).collect()
    }

    /// The contract of a registered tool.
    #[must_use]
    pub fn contract(&self, tool: &str) -> Option<&'static Contract> {
        self.named(tool).map(|entry| entry.tool.contract())
    }

    /// Waits until nothing runs any more: calls, and what dropped calls left
    /// behind. New calls are still taken; stop making them first.
    pub async fn drain(&self) {
        self.shared.tracker.idle().await;
    }

    /// Grants and denies in this process and under whatever name it is given:
    /// **anybody who has the runtime can approve anything**. For development
    /// and tests; it takes
    /// [`insecure_local_approvals`](RuntimeBuilder::insecure_local_approvals).
    #[must_use]
    pub fn insecure_local_approver(&self, name: impl Into<Arc<str>>) -> InsecureLocalApprover {
        InsecureLocalApprover::new(self.clone(), name.into())
    }

    pub(crate) fn entry<T: Tool>(&self) -> Found<'_> {
        self.shared.registry.entry::<T>(self)
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<Entry>> {
        self.shared.registry.named(name)
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.shared.registry.all()
    }

    pub(crate) fn tool_names(&self) -> Vec<&'static str> {
        self.shared.registry.all().iter().map(|entry| &*entry.tool.contract().name).collect()
    }

    pub(crate) fn missing_state(&self, types: &[StateType]) -> Option<&'static str> {
        self.shared.state.missing(types)
    }

    pub(crate) fn has_secret_key(&self) -> bool {
        self.shared.secret_key.is_some()
    }

    /// Whose approval counts.
    pub(crate) fn trust(&self) -> &Trust {
        &self.shared.trust
    }

    /// A call was claimed with the grant of this request.
    #[cfg_attr(not(feature = "approvals"), expect(clippy::unused_self, reason = "nobody signs"))]
    pub(crate) fn use_up(&self, request: Option<&ApprovalId>) {
        #[cfg(feature = "approvals")]
        if let (Some(spent), Some(request)) = (&self.shared.spent, request) {
            spent.use_up(request);
        }
        let _ = request;
    }

    /// And nothing happened under that claim.
    #[cfg_attr(not(feature = "approvals"), expect(clippy::unused_self, reason = "nobody signs"))]
    pub(crate) fn give_back(&self, request: Option<&ApprovalId>) {
        #[cfg(feature = "approvals")]
        if let (Some(spent), Some(request)) = (&self.shared.spent, request) {
            spent.give_back(request);
        }
        let _ = request;
    }

    /// Who is told that a call waits for a person.
    pub(crate) fn notices(&self) -> &Notices {
        &self.shared.notices
    }

    pub(crate) fn secret_key(&self) -> Option<&SecretKey> {
        self.shared.secret_key.as_ref()
    }

    /// The limits over all tools of a class.
    pub(crate) fn limits(&self, class: SideEffect) -> impl Iterator<Item = Limit> + '_ {
        self.shared.limits.iter().filter(move |(of, _)| *of == class).map(|(_, limit)| *limit)
    }

    /// The budget of each objective, over all tools.
    pub(crate) fn budget(&self) -> Option<Limit> {
        self.shared.budget
    }

    pub(crate) fn state<S: 'static>(&self) -> Option<&S> {
        self.shared.state.get()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.shared.clock.elapsed()
    }

    pub(crate) fn lease(&self) -> Duration {
        self.shared.lease
    }

    pub(crate) fn largest_request(&self) -> usize {
        self.shared.largest_request
    }

    pub(crate) fn holder(&self) -> Holder {
        self.shared.holder
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.shared.tracker
    }

    /// A name for a call that no other call of any runtime has.
    pub(crate) fn nonce(&self) -> Nonce {
        let call = self.shared.calls.fetch_add(1, Ordering::Relaxed);
        // The holder's upper half is random, and is compared beside it.
        Nonce((self.shared.holder.0 << 64) | u128::from(call))
    }

    /// This runtime as the body of a call that holds `id` sees it.
    pub(crate) fn holding(&self, id: OperationId) -> Self {
        let held = Held { id, around: self.held.clone() };
        Self { shared: Arc::clone(&self.shared), held: Some(Arc::new(held)) }
    }

    /// Whether a call around this one holds `id`, and so would never let go of
    /// it while this one waits.
    pub(crate) fn holds(&self, id: &OperationId) -> bool {
        std::iter::successors(self.held.as_deref(), |held| held.around.as_deref())
            .any(|held| held.id == *id)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("tools", &self.tool_names()).finish_non_exhaustive()
    }
}
