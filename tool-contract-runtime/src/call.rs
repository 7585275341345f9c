//! A call, from the arguments to `.call(&runtime)`.
//!
//! Its type carries what is still missing, so that a call without a key or
//! without an approval does not compile.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tool_contract_spec::ledger::ApprovalId;
use tool_contract_spec::operation::Fingerprint;

use crate::approval::{Approval, PendingApproval};
use crate::calling::Calling;
use crate::error::CallError;
use crate::runtime::Runtime;
use crate::saga::Gate;
use crate::tool::{BoxFuture, Tool};

/// What is said of a call besides its arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meta {
    pub(crate) key: Option<String>,
    /// Boxed, so that calls of which nothing more is said need no room for it.
    more: Option<Box<More>>,
}

/// Who calls, and how long it may take.
#[derive(Debug, Clone, Default)]
pub(crate) struct More {
    pub(crate) tenant: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) workflow: Option<String>,
    pub(crate) correlation_id: Option<String>,
    /// What it binds besides its arguments, or why that is no fingerprint.
    pub(crate) fingerprint: Option<Result<Fingerprint, Arc<str>>>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) approval: Option<ApprovalId>,
    /// The saga of which it is a step.
    pub(crate) step: Option<Arc<Gate>>,
}

/// Nothing more.
static NOTHING: More = More {
    tenant: None,
    user: None,
    workflow: None,
    correlation_id: None,
    fingerprint: None,
    deadline: None,
    approval: None,
    step: None,
};

impl Meta {
    pub(crate) fn new(key: Option<String>, more: More) -> Self {
        Self { key, more: Some(Box::new(more)) }
    }

    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

impl Deref for Meta {
    type Target = More;

    fn deref(&self) -> &More {
        self.more.as_deref().unwrap_or(&NOTHING)
    }
}

/// Where a call stands with its idempotency key.
pub trait KeyState: sealed::State {}

/// Where a call stands with its approval.
pub trait ApprovalState: sealed::State {}

/// The states of a call's key.
pub mod key {
    /// The caller has to give one.
    #[derive(Debug)]
    pub enum Missing {}
    /// The caller gave one.
    #[derive(Debug)]
    pub enum Given {}
    /// It comes from the arguments.
    #[derive(Debug)]
    pub enum Derived {}
    /// The tool takes none: a read, or a write with `idempotent = false`.
    #[derive(Debug)]
    pub enum Keyless {}
    /// Its contract does not compile: every call does, so that one mistake is
    /// one error.
    #[derive(Debug)]
    pub enum Undecided {}
}

/// The states of a call's approval.
pub mod approval_state {
    /// The tool wants one.
    #[derive(Debug)]
    pub enum Missing {}
    /// It was given.
    #[derive(Debug)]
    pub enum Given {}
    /// The tool wants none.
    #[derive(Debug)]
    pub enum NotNeeded {}
    /// Its contract does not compile: see [`key::Undecided`](super::key::Undecided).
    #[derive(Debug)]
    pub enum Undecided {}
}

mod sealed {
    pub trait State: Sized + 'static {}
    impl State for super::key::Missing {}
    impl State for super::key::Given {}
    impl State for super::key::Derived {}
    impl State for super::key::Keyless {}
    impl State for super::key::Undecided {}
    impl State for super::approval_state::Missing {}
    impl State for super::approval_state::Given {}
    impl State for super::approval_state::NotNeeded {}
    impl State for super::approval_state::Undecided {}
}

impl KeyState for key::Missing {}
impl KeyState for key::Given {}
impl KeyState for key::Derived {}
impl KeyState for key::Keyless {}
impl KeyState for key::Undecided {}
impl ApprovalState for approval_state::Missing {}
impl ApprovalState for approval_state::Given {}
impl ApprovalState for approval_state::NotNeeded {}
impl ApprovalState for approval_state::Undecided {}

/// A call that has the key that its contract wants.
#[diagnostic::on_unimplemented(
    message = "`{T}` has side effects and cannot be called without an idempotency key",
    label = "no idempotency key was given for this call",
    note = "TC0201: add `.key(..)` before this, with a key that is the same each time the same intent is repeated"
)]
pub trait Keyed<T>: sealed::State {}

#[diagnostic::do_not_recommend]
impl<T> Keyed<T> for key::Given {}
#[diagnostic::do_not_recommend]
impl<T> Keyed<T> for key::Derived {}
#[diagnostic::do_not_recommend]
impl<T> Keyed<T> for key::Keyless {}
#[diagnostic::do_not_recommend]
impl<T> Keyed<T> for key::Undecided {}

/// A call that still takes a key.
#[diagnostic::on_unimplemented(
    message = "a call of `{T}` takes no key here",
    label = "this key would be ignored or would differ from the tool's own",
    note = "the key was given already, is derived from the arguments, or the tool takes none: remove `.key(..)`"
)]
pub trait TakesKey<T>: sealed::State {}

#[diagnostic::do_not_recommend]
impl<T> TakesKey<T> for key::Missing {}
#[diagnostic::do_not_recommend]
impl<T> TakesKey<T> for key::Undecided {}

/// A call that has the approval that its contract wants.
#[diagnostic::on_unimplemented(
    message = "`{T}` is destructive and cannot be called without an approval",
    label = "nobody approved this call",
    note = "TC0209: ask with `.request_approval(&runtime)`, and add `.approved(approval)` before this once it is granted"
)]
pub trait Approved<T>: sealed::State {}

#[diagnostic::do_not_recommend]
impl<T> Approved<T> for approval_state::Given {}
#[diagnostic::do_not_recommend]
impl<T> Approved<T> for approval_state::NotNeeded {}
#[diagnostic::do_not_recommend]
impl<T> Approved<T> for approval_state::Undecided {}

/// A call that still takes an approval.
#[diagnostic::on_unimplemented(
    message = "a call of `{T}` takes no approval here",
    label = "nobody has to approve this",
    note = "it was approved already, or its contract says nothing of `confirm`: remove this"
)]
pub trait TakesApproval<T>: sealed::State {}

#[diagnostic::do_not_recommend]
impl<T> TakesApproval<T> for approval_state::Missing {}
#[diagnostic::do_not_recommend]
impl<T> TakesApproval<T> for approval_state::Undecided {}

/// A call of the tool `T`: its arguments, and what is known of the caller.
///
/// `K` and `A` say where it stands with its key and its approval; users never
/// write them.
#[must_use = "a tool call does nothing until `.call(&runtime)` is awaited"]
pub struct Call<T: Tool, K = <T as Tool>::Key, A = <T as Tool>::Approval> {
    arguments: T,
    meta: Meta,
    state: PhantomData<fn() -> (K, A)>,
}

impl<T: Tool> Call<T> {
    /// A call with these arguments; what the function with the tool's name
    /// returns.
    pub fn new(arguments: T) -> Self {
        Self { arguments, meta: Meta::default(), state: PhantomData }
    }
}

impl<T: Tool, K, A> Call<T, K, A> {
    /// The key of this operation: the same for each repetition of one intent,
    /// another for another intent. 1 to 255 bytes of visible ASCII.
    pub fn key(mut self, key: impl Into<String>) -> Call<T, key::Given, A>
    where
        K: TakesKey<T>,
    {
        self.meta.key = Some(key.into());
        self.into_state()
    }

    /// The approval of this very call.
    ///
    /// Nobody can use it twice: it is moved in here, and the ledger spends it
    /// in the step that claims the call.
    pub fn approved(mut self, approval: Approval<T>) -> Call<T, K, approval_state::Given>
    where
        A: TakesApproval<T>,
    {
        self.meta.more().approval = approval.into_id();
        self.into_state()
    }

    /// What ties this call to others in logs and histories.
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.meta.more().correlation_id = Some(id.into());
        self
    }

    /// Binds the call to more than its arguments: the agent, a window of time, the
    /// versions that its plan was made for.
    ///
    /// Under one key, calls with different fingerprints conflict; that keeps a
    /// plan made for yesterday's prices from being taken for today's. It stands
    /// in the operation's history **in clear**. At most
    /// [`Fingerprint::MAX_LEN`] bytes of canonical JSON; what has no canonical
    /// form, or is longer, is refused when the call is made.
    ///
    /// ```
    /// # use tool_contract_runtime as tool_contract;
    /// # fn show<T: tool_contract::Tool, K, A>(call: tool_contract::Call<T, K, A>) {
    /// #[derive(serde::Serialize)]
    /// struct Context { agent: &'static str, prices: u64 }
    ///
    /// let call = call.fingerprint(&Context { agent: "buyer", prices: 7 });
    /// # }
    /// ```
    pub fn fingerprint(mut self, context: &(impl Serialize + ?Sized)) -> Self {
        let fingerprint = Fingerprint::of(context).map_err(|why| why.to_string().into());
        self.meta.more().fingerprint = Some(fingerprint);
        self
    }

    /// Whose call it is: keys and limits of tenants never meet.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.meta.more().tenant = Some(tenant.into());
        self
    }

    /// On whose behalf it is made; `per_user` limits count by it.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.meta.more().user = Some(user.into());
        self
    }

    /// Which run of a plan it belongs to; `per_workflow` limits and budgets count by it.
    pub fn workflow(mut self, workflow: impl Into<String>) -> Self {
        self.meta.more().workflow = Some(workflow.into());
        self
    }

    /// How long the whole call may take, waits and retries included.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.meta.more().deadline = Some(within);
        self
    }

    /// Admits the call, runs it as its contract allows, and records what came
    /// of it.
    ///
    /// Dropping the returned future never loses an outcome: an attempt that
    /// has begun is finished and recorded in the background.
    ///
    /// # Errors
    /// See [`CallError`]: each variant says whether anything ran.
    pub fn call(self, runtime: &Runtime) -> Calling<T>
    where
        K: Keyed<T>,
        A: Approved<T>,
    {
        Calling::new(runtime, self.arguments, self.meta)
    }

    /// Asks for the approval of this very call, durably.
    ///
    /// Asking again for the same call finds the same request.
    ///
    /// # Errors
    /// [`CallError::Rejected`] if the call could not run even if it were
    /// approved, [`CallError::Ledger`] if the request could not be recorded.
    pub fn request_approval(
        &self,
        runtime: &Runtime,
    ) -> BoxFuture<'static, Result<PendingApproval<T>, CallError<T::Error>>>
    where
        K: Keyed<T>,
        A: TakesApproval<T>,
    {
        crate::approval::request(runtime, self.arguments.clone(), self.meta.clone())
    }

    /// The arguments.
    pub fn arguments(&self) -> &T {
        &self.arguments
    }

    pub(crate) fn into_arguments(self) -> T {
        self.arguments
    }

    pub(crate) fn into_parts(self) -> (T, Meta) {
        (self.arguments, self.meta)
    }

    fn into_state<K2, A2>(self) -> Call<T, K2, A2> {
        Call { arguments: self.arguments, meta: self.meta, state: PhantomData }
    }
}

impl<T: Tool, K, A> fmt::Debug for Call<T, K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("tool", &T::contract().name)
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}
