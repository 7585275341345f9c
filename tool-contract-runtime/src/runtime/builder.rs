//! Puts a runtime together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::mpsc;
use tool_contract_spec::ledger::{Holder, Trust};
use tool_contract_spec::operation::SecretKey;
use tool_contract_spec::policy::{Limit, SideEffect};

use super::state::States;
use super::{Runtime, Shared};
#[cfg(feature = "webhook")]
use crate::approval::Webhook;
use crate::approval::{ApprovalRequested, Notices};
#[cfg(feature = "approvals")]
use crate::approval::{Approvers, Spent};
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::error::BuildError;
use crate::executor::Tracker;
use crate::ledger::Ledger;
use crate::registry::{AnyTool, Registry, erase, linked};
use crate::tool::Tool;

/// Puts a [`Runtime`] together.
#[must_use = "a builder does nothing until `.build()`"]
pub struct RuntimeBuilder {
    ledger: Option<Arc<dyn Ledger>>,
    clock: Arc<dyn Clock>,
    tools: Vec<&'static dyn AnyTool>,
    wants_linked: bool,
    state: States,
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
            state: States::default(),
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
        self.state.put(state);
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
        let tools = self.every_tool()?;
        let trust = if self.is_insecure { Trust::insecure() } else { Trust::default() };
        #[cfg(feature = "approvals")]
        let spent = self.spent()?;
        #[cfg(feature = "approvals")]
        let trust = spent.as_ref().map_or(trust, |spent| Trust::new(Arc::clone(spent) as _));
        self.check_limits()?;
        let registry = self.register(tools, &trust)?;
        let shared = Shared {
            ledger: self.ledger,
            clock: self.clock,
            registry,
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

    fn every_tool(&mut self) -> Result<Vec<&'static dyn AnyTool>, BuildError> {
        let mut tools = std::mem::take(&mut self.tools);
        if self.wants_linked {
            let linked = linked();
            if linked.is_empty() {
                return Err(BuildError::NothingLinked);
            }
            tools.extend(linked);
        }
        Ok(tools)
    }

    fn check_limits(&self) -> Result<(), BuildError> {
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
        Ok(())
    }

    fn register(
        &self,
        tools: Vec<&'static dyn AnyTool>,
        trust: &Trust,
    ) -> Result<Registry, BuildError> {
        let registry = Registry::new(self.lease);
        for tool in tools {
            let missing = |types: &_| self.state.missing(types);
            let entry = registry.add(tool, missing, self.secret_key.is_some(), trust.is_somebody());
            if let Some(obstacle) = &entry.obstacle {
                return Err(obstacle.clone());
            }
            let has_effects = tool.contract().policy.side_effect != SideEffect::Read;
            if has_effects && self.ledger.is_none() {
                return Err(BuildError::LedgerMissing);
            }
        }
        Ok(registry.built())
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
