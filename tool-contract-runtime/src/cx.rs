//! What a body knows of the call that it runs for.

use std::any::type_name;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant, User, Workflow};
use tool_contract_spec::ledger::Fence;

use crate::runtime::Runtime;
use crate::two_phase::TwoPhase;

/// What a body knows of the call that it runs for.
///
/// Take it as a first parameter, `cx: &Cx`; it is not an argument of the tool.
#[derive(Clone)]
pub struct Cx {
    /// The runtime of the call.
    pub(crate) runtime: Runtime,
    /// The runtime for calls that this call makes, once it makes one.
    pub(crate) inner: OnceLock<Runtime>,
    pub(crate) id: Option<OperationId>,
    pub(crate) attempt: u32,
    pub(crate) ends_at: Duration,
    pub(crate) correlation_id: Option<Arc<str>>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) user: Option<User>,
    pub(crate) workflow: Option<Workflow>,
    pub(crate) downstream: OnceLock<Box<str>>,
    /// Until when the caller waits, by the runtime's clock.
    pub(crate) deadline_at: Option<Duration>,
    /// The claim under which this attempt runs; a read has none.
    pub(crate) hold: Option<Hold>,
}

/// A claim, as the attempt under it knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hold {
    pub(crate) fence: Fence,
    /// Until when it holds for certain, by the runtime's clock.
    pub(crate) until: Duration,
    /// Whether nobody has attempted anything under this key before.
    pub(crate) is_first: bool,
}

impl Cx {
    /// The key to hand to an API that dedupes on one: the same for each
    /// attempt and each repetition of this operation, another for any other
    /// operation of any tenant and tool. At most 255 bytes of visible ASCII.
    ///
    /// On a read, which has no key, it is empty.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        self.downstream.get_or_init(|| {
            self.id.as_ref().map(OperationId::downstream_key).unwrap_or_default().into()
        })
    }

    /// The key of this operation as its caller knows it.
    #[must_use]
    pub fn key(&self) -> Option<&IdempotencyKey> {
        self.id.as_ref().map(|id| &id.key)
    }

    /// The number of this attempt within its call, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How long this attempt may still take: its timeout, or less if the
    /// call's deadline is sooner.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.ends_at.saturating_sub(self.runtime.elapsed())
    }

    /// What ties this call to others.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// Whose call it is.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_ref().map(Tenant::as_str)
    }

    /// The workflow to which the call belongs, for calls that this call makes.
    #[must_use]
    pub fn workflow(&self) -> Option<&str> {
        self.workflow.as_ref().map(Workflow::as_str)
    }

    /// The runtime, for calls that this call makes.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        match &self.id {
            Some(id) => self.inner.get_or_init(|| self.runtime.holding(id.clone())),
            None => &self.runtime,
        }
    }

    /// This operation in two phases: what it does is reserved first, under an id
    /// that is known before anything happens.
    ///
    /// # Panics
    /// In a read: it has no key, and nothing to reserve.
    pub fn two_phase(&self) -> TwoPhase {
        if self.id.is_none() {
            keyless();
        }
        TwoPhase::new(self.idempotency_key().to_owned())
    }

    /// State that was declared in the attribute, `state(S)`.
    ///
    /// # Panics
    /// If it was not declared: then nobody checked that the runtime has it.
    #[must_use]
    pub fn state<S: Send + Sync + 'static>(&self) -> &S {
        self.runtime.state::<S>().unwrap_or_else(|| undeclared(type_name::<S>()))
    }
}

#[cold]
fn keyless() -> ! {
    panic!("a read has no key to reserve under; declare what reserves as `side_effect = \"write\"`")
}

#[cold]
fn undeclared(state: &str) -> ! {
    panic!(
        "the body takes `{state}`, which its attribute does not declare; add `state({state})` to `#[tool(..)]`"
    )
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("correlation_id", &self.correlation_id)
            .finish_non_exhaustive()
    }
}
