//! What calls run on: a ledger, a clock, state and tools.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{ApprovalId, Holder, Nonce, Trust};
use tool_contract_spec::operation::SecretKey;
use tool_contract_spec::policy::{Contract, Limit, SideEffect};

#[cfg(feature = "webhook")]
use crate::approval::Webhook;
use crate::approval::{ApprovalRequested, InsecureLocalApprover, Notices};
#[cfg(feature = "approvals")]
use crate::approval::{Approvers, Spent};
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::error::BuildError;
use crate::escalation::Escalations;
use crate::executor::Tracker;
use crate::ledger::Ledger;
use crate::registry::{AnyTool, Entry, Found, Registry, erase, linked};
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
    state: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
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
        missing(&self.shared.state, types)
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
        self.shared.state.get(&TypeId::of::<S>())?.downcast_ref()
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

fn missing(
    state: &HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    types: &[StateType],
) -> Option<&'static str> {
    types.iter().find(|wanted| !state.contains_key(&(wanted.id)())).map(|wanted| (wanted.name)())
}

/// A tool in the form that model providers take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ToolDescription {
    /// Its name.
    pub name: String,
    /// What it does: the doc comment.
    pub description: String,
    /// The JSON Schema (draft 2020-12) of its arguments.
    pub input_schema: Value,
    /// The JSON Schema of its output.
    pub output_schema: Value,
}

impl ToolDescription {
    fn of(tool: &dyn AnyTool) -> Self {
        let contract = tool.contract();
        Self {
            name: contract.name.clone().into_owned(),
            description: contract.description.clone().into_owned(),
            input_schema: tool.arguments_schema(),
            output_schema: tool.output_schema(),
        }
    }
}

/// Puts a [`Runtime`] together.
#[must_use = "a builder does nothing until `.build()`"]
pub struct RuntimeBuilder {
    ledger: Option<Arc<dyn Ledger>>,
    clock: Arc<dyn Clock>,
    tools: Vec<&'static dyn AnyTool>,
    wants_linked: bool,
    state: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    secret_key: Option<SecretKey>,
    #[cfg(feature = "approvals")]
    approvers: Option<Approvers>,
    is_insecure: bool,
    notices: Notices,
    limits: Vec<(SideEffect, Limit)>,
    budget: Option<Limit>,
    lease: Duration,
    largest_request: usize,
}

impl Default for RuntimeBuilder {
    fn default() -> Self {
        Self {
            ledger: None,
            clock: Arc::new(SystemClock::new()),
            tools: Vec::new(),
            wants_linked: false,
            state: HashMap::new(),
            secret_key: None,
            #[cfg(feature = "approvals")]
            approvers: None,
            is_insecure: false,
            notices: Notices::default(),
            limits: Vec::new(),
            budget: None,
            lease: Self::DEFAULT_LEASE,
            largest_request: Self::DEFAULT_LARGEST_REQUEST,
        }
    }
}

impl RuntimeBuilder {
    /// How long a claim holds without being renewed, where nothing is said.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(15);
    /// The shortest lease: renewals come at a third of it.
    pub const SHORTEST_LEASE: Duration = Duration::from_secs(1);
    /// The largest dynamic request in bytes, where nothing is said: 1 MiB.
    pub const DEFAULT_LARGEST_REQUEST: usize = 1 << 20;

    /// Where operations are remembered.
    pub fn ledger(mut self, ledger: impl Ledger) -> Self {
        self.ledger = Some(Arc::new(ledger));
        self
    }

    /// Where operations are remembered, shared with others.
    pub fn shared_ledger(mut self, ledger: Arc<dyn Ledger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// A tool that agents may call by its name.
    pub fn tool<T: Tool>(mut self) -> Self {
        self.tools.push(erase::<T>());
        self
    }

    /// Every tool that is linked into the program.
    pub fn linked_tools(mut self) -> Self {
        self.wants_linked = true;
        self
    }

    /// State for bodies that declare `state(S)`.
    pub fn state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.state.insert(TypeId::of::<S>(), Box::new(state));
        self
    }

    /// The key under which secret arguments are hashed. It must be the same in
    /// each process on one ledger, and stay the same for as long as keys are
    /// replayed.
    pub fn secret_key(mut self, key: SecretKey) -> Self {
        self.secret_key = Some(key);
        self
    }

    /// The people whose signed approvals count: what is not signed with one of
    /// their keys lets nothing run, whoever wrote it into the ledger.
    #[cfg(feature = "approvals")]
    pub fn approvers(mut self, approvers: Approvers) -> Self {
        self.approvers = Some(approvers);
        self
    }

    /// Takes every name on record for a person who agreed: **whoever has the
    /// runtime, or can write its ledger, can approve anything**. For development
    /// and tests; it makes
    /// [`insecure_local_approver`](Runtime::insecure_local_approver) work.
    pub fn insecure_local_approvals(mut self) -> Self {
        self.is_insecure = true;
        self
    }

    /// Tells `listener` of each call that begins to wait for a person, once: when
    /// its request is made, not when the call is repeated. A listener that is full
    /// or gone misses it; no call ever waits for one.
    pub fn on_approval_requested(mut self, listener: mpsc::Sender<ApprovalRequested>) -> Self {
        self.notices.listen(listener);
        self
    }

    /// Likewise, by HTTP. It begins a thread that lives as long as the runtime.
    #[cfg(feature = "webhook")]
    pub fn approval_webhook(mut self, webhook: Webhook) -> Self {
        self.notices.post(webhook);
        self
    }

    /// A limit over all tools of a class, drawn from beside those of each tool,
    /// in the same step. It counts the calls of all runtimes on the ledger that
    /// declare the same limit.
    ///
    /// ```
    /// # use tool_contract_runtime as tool_contract;
    /// use tool_contract::Runtime;
    /// use tool_contract::ledger::MemoryLedger;
    /// use tool_contract::spec::policy::{Limit, Quota, SideEffect};
    ///
    /// let runtime = Runtime::builder()
    ///     .ledger(MemoryLedger::new())
    ///     .limit(SideEffect::Destructive, Limit::per_user(Quota::per_hour(3)))
    ///     .limit(SideEffect::Write, Limit::for_all(Quota::per_second(100)))
    ///     .build()?;
    /// # Ok::<(), tool_contract::BuildError>(())
    /// ```
    ///
    /// In a cluster of Redis nodes it cannot be kept: a script reaches the keys of
    /// one slot, and each tool has its own.
    pub fn limit(mut self, class: SideEffect, limit: Limit) -> Self {
        self.limits.push((class, limit));
        self
    }

    /// What all calls of an objective may use together, drawn from in the same step
    /// as limits are, and counted like these by all runtimes on the ledger that
    /// declare the same: see [`Budget`].
    ///
    /// Then every call names its workflow, or is refused (TC0262): a budget that is
    /// evaded by leaving a name out is none. Whoever lets an agent choose that name
    /// lets it choose its budget; so set it where the agent is started. A saga draws
    /// for its steps, and nothing for itself: so it can always be taken up and undone.
    ///
    /// As [`limit`](Self::limit), it cannot be kept in a cluster of Redis nodes.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget.limit());
        self
    }

    /// How long a claim holds without being renewed: a crash of its holder is
    /// noticed after that time. No less than
    /// [`SHORTEST_LEASE`](Self::SHORTEST_LEASE).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Self::SHORTEST_LEASE);
        self
    }

    /// The largest dynamic request in bytes; larger ones are refused unread.
    pub fn largest_request(mut self, bytes: usize) -> Self {
        self.largest_request = bytes;
        self
    }

    /// The clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Checks that every registered tool can be called.
    ///
    /// # Errors
    /// The first one that cannot, and what is missing.
    pub fn build(mut self) -> Result<Runtime, BuildError> {
        if self.wants_linked {
            let linked = linked();
            if linked.is_empty() {
                return Err(BuildError::NothingLinked);
            }
            self.tools.extend(linked);
        }
        let trust = if self.is_insecure { Trust::insecure() } else { Trust::default() };
        #[cfg(feature = "approvals")]
        let spent = self.spent()?;
        #[cfg(feature = "approvals")]
        let trust = spent.as_ref().map_or(trust, |spent| Trust::new(Arc::clone(spent) as _));
        for (class, limit) in &self.limits {
            if !limit.can_be_kept(*class) {
                return Err(BuildError::LimitUnkeepable { class: class.as_str() });
            }
        }
        if self.budget.is_some_and(|budget| !budget.can_be_kept(SideEffect::Read)) {
            return Err(BuildError::BudgetUnkeepable);
        }
        let is_limited = !self.limits.is_empty() || self.budget.is_some();
        if is_limited && self.ledger.is_none() {
            return Err(BuildError::LedgerMissing);
        }
        let registry = Registry::new(self.lease);
        for tool in self.tools {
            let (missing, has_key) =
                (|types: &_| missing(&self.state, types), self.secret_key.is_some());
            let entry = registry.add(tool, missing, has_key, trust.is_somebody());
            if let Some(obstacle) = &entry.obstacle {
                return Err(obstacle.clone());
            }
            let has_effects = tool.contract().policy.side_effect != SideEffect::Read;
            if has_effects && self.ledger.is_none() {
                return Err(BuildError::LedgerMissing);
            }
        }
        let shared = Shared {
            ledger: self.ledger,
            clock: self.clock,
            registry: registry.built(),
            state: self.state,
            secret_key: self.secret_key,
            trust,
            #[cfg(feature = "approvals")]
            spent,
            notices: self.notices,
            limits: self.limits,
            budget: self.budget,
            lease: self.lease,
            largest_request: self.largest_request,
            holder: Holder(uuid::Uuid::new_v4().as_u128()),
            calls: AtomicU64::new(0),
            tracker: Tracker::default(),
        };
        Ok(Runtime { shared: Arc::new(shared), held: None })
    }

    /// Whose signatures count, and the memory of what was used.
    #[cfg(feature = "approvals")]
    fn spent(&mut self) -> Result<Option<Arc<Spent>>, BuildError> {
        let approvers = self.approvers.take();
        if approvers.is_some() && self.is_insecure {
            return Err(BuildError::ApproversInsecure);
        }
        let somebody = approvers.filter(|approvers| !approvers.is_empty());
        Ok(somebody.map(|approvers| Arc::new(Spent::new(approvers))))
    }
}

impl fmt::Debug for RuntimeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tools.iter().map(|tool| &tool.contract().name).collect();
        f.debug_struct("RuntimeBuilder").field("tools", &names).finish_non_exhaustive()
    }
}
