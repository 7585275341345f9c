//! Why a call did not end well, and whether anything ran.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::duration;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::ledger::{ApprovalId, EscalationId};
use tool_contract_spec::policy::Text;
use tool_contract_spec::rulebook::Code;

use crate::ledger::LedgerError;

/// Which call an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The tool.
    pub tool: Text,
    /// Whose call it is.
    pub tenant: Option<Tenant>,
    /// The key, where there is one.
    pub key: Option<IdempotencyKey>,
    /// How many attempts this call made.
    pub attempts: u32,
    /// How long the key's next attempt has to wait, after a failure.
    pub retry_after: Option<Duration>,
    /// Why it was not tried again, where its objective's [`Budget`](crate::Budget)
    /// and not its contract has the last word.
    pub budget: Option<Arc<str>>,
}

impl About {
    pub(crate) const fn tool(tool: Text) -> Self {
        Self { tool, tenant: None, key: None, attempts: 0, retry_after: None, budget: None }
    }

    pub(crate) fn known(id: &OperationId, attempts: u32) -> Self {
        let (tenant, key) = (id.tenant.clone(), Some(id.key.clone()));
        Self { tenant, key, attempts, ..Self::tool(id.tool.clone()) }
    }

    pub(crate) fn not_before(self, delay: Duration) -> Self {
        // Where a person has to say whether it goes on, time alone does not help.
        let helps = !delay.is_zero() && self.budget.is_none();
        Self { retry_after: helps.then_some(delay), ..self }
    }

    /// The operation, for the ledger's `find`, `history` and `resolve`; `None`
    /// if the call had no key.
    #[must_use]
    pub fn operation(&self) -> Option<OperationId> {
        let (tool, tenant) = (self.tool.clone(), self.tenant.clone());
        self.key.clone().map(|key| OperationId { tenant, tool, key })
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tool.is_empty() {
            return f.write_str("the call");
        }
        write!(f, "`{}`", self.tool)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, " [{key}]"))
    }
}

/// Why a call did not end well.
///
/// Match on it to know what the world looks like: after `Rejected` and
/// `Ledger` nothing ran; after `Failed` something ran and left nothing behind;
/// after `Unknown` it may have happened, and it is on record.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError<E> {
    /// Nothing ran.
    Rejected(Box<Rejected>),
    /// It ran, definitely without effect.
    Failed(Failure<E>, Box<About>),
    /// It may have happened.
    Unknown(Box<UnknownOutcome>),
    /// Nothing ran: the ledger could not admit the call.
    Ledger(Box<LedgerFailure>),
}

impl<E> CallError<E> {
    /// Which call it is about.
    pub const fn about(&self) -> &About {
        match self {
            Self::Rejected(rejected) => &rejected.about,
            Self::Failed(_, about) => about,
            Self::Unknown(unknown) => &unknown.about,
            Self::Ledger(failure) => &failure.about,
        }
    }

    /// The code of the rule that refused the call, or another attempt of it, for
    /// `explain`.
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Rejected(rejected) => Some(rejected.code),
            Self::Failed(_, about) if about.budget.is_some() => Some(Code::BUDGET_SPENT),
            Self::Failed(..) => None,
            Self::Unknown(unknown) if unknown.request.is_some() => Some(Code::APPROVAL_MISSING),
            Self::Unknown(_) => Some(Code::UNKNOWN_OUTCOME),
            Self::Ledger(_) => Some(Code::LEDGER_UNAVAILABLE),
        }
    }
}

impl<E> From<Rejected> for CallError<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(Box::new(rejected))
    }
}

impl<E> From<UnknownOutcome> for CallError<E> {
    fn from(unknown: UnknownOutcome) -> Self {
        Self::Unknown(Box::new(unknown))
    }
}

impl<E> From<LedgerFailure> for CallError<E> {
    fn from(failure: LedgerFailure) -> Self {
        Self::Ledger(Box::new(failure))
    }
}

impl CallError<()> {
    /// The same error with the tool's own error type; `own` gives the tool's
    /// own error, where that is what it was.
    pub(crate) fn typed<E>(self, own: impl FnOnce() -> Option<E>) -> CallError<E> {
        match self {
            Self::Rejected(rejected) => CallError::Rejected(rejected),
            Self::Unknown(unknown) => CallError::Unknown(unknown),
            Self::Ledger(failure) => CallError::Ledger(failure),
            Self::Failed(failure, about) => {
                let failure = match failure {
                    Failure::Tool(()) => own().map_or(Failure::DidNotHappen, Failure::Tool),
                    Failure::TimedOut => Failure::TimedOut,
                    Failure::Panicked(message) => Failure::Panicked(message),
                    Failure::DidNotHappen => Failure::DidNotHappen,
                };
                CallError::Failed(failure, about)
            }
        }
    }

    /// The same error where no tool ran.
    pub(crate) fn untyped<E>(self) -> CallError<E> {
        self.typed(|| None)
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Failed(failure, about) => {
                let plural = if about.attempts == 1 { "" } else { "s" };
                write!(
                    f,
                    "{about} failed without effect after {} attempt{plural}: {failure}",
                    about.attempts
                )?;
                match &about.budget {
                    Some(said) => write!(f, "; not tried again [{}]: {said}", Code::BUDGET_SPENT),
                    None => Ok(()),
                }
            }
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::Ledger(failure) => failure.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(Failure::Tool(error), _) => Some(error),
            Self::Ledger(failure) => Some(&failure.error),
            _ => None,
        }
    }
}

/// A call that was refused. Nothing was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The rule; `cargo tool-contract explain` prints its page.
    pub code: Code,
    /// Which call.
    pub about: About,
    /// What is in the way.
    pub reason: String,
    /// What to do next.
    pub next: String,
    /// When to come again, where time alone will help.
    pub retry_after: Option<Duration>,
    /// The request for approval that stands, where one is missing.
    pub request: Option<ApprovalId>,
}

impl Rejected {
    pub(crate) fn new(
        code: Code,
        about: About,
        reason: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            code,
            about,
            reason: reason.into(),
            next: next.into(),
            retry_after: None,
            request: None,
        }
    }
}

impl Rejected {
    /// What happened, without what whoever called it does next: a saga says that for
    /// its steps.
    pub(crate) fn what(&self) -> String {
        format!("{} was not run [{}]: {}", self.about, self.code, self.reason)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what(), self.next)
    }
}

impl std::error::Error for Rejected {}

/// How a tool failed without leaving anything behind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// The function's own error.
    Tool(E),
    /// A read took longer than its timeout or the call's deadline.
    TimedOut,
    /// A read panicked.
    Panicked(String),
    /// The outcome was unknown, and the reconcile function found that it did
    /// not happen.
    DidNotHappen,
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(error) => error.fmt(f),
            Self::TimedOut => f.write_str("it took longer than its timeout or the deadline"),
            Self::Panicked(message) => write!(f, "it panicked: {message}"),
            Self::DidNotHappen => {
                f.write_str("the reconcile function found that it did not happen")
            }
        }
    }
}

/// An operation that may have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownOutcome {
    /// Which call.
    pub about: About,
    /// What is known of the cause.
    pub cause: String,
    /// The escalation on record; `None` if the record still says running and
    /// becomes unknown, or settled, by itself.
    pub escalation: Option<EscalationId>,
    /// Whether a call with the same key goes on, or tries it again: repeating it is
    /// harmless, or it is a saga.
    pub may_repeat: bool,
    /// Whether it is a saga that rests: what it did is on the records of its steps.
    pub rests: bool,
    /// The request for approval that a saga waits for. Of several, the first.
    pub request: Option<ApprovalId>,
}

impl UnknownOutcome {
    pub(crate) const fn new(about: About, cause: String, escalation: Option<EscalationId>) -> Self {
        Self { about, cause, escalation, may_repeat: false, rests: false, request: None }
    }

    fn tell_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rests", self.about)?;
        if self.request.is_some() {
            write!(f, " [{}]", Code::APPROVAL_MISSING)?;
        }
        write!(f, ": {}; what it did stands", self.cause)?;
        if let Some(id) = &self.escalation {
            write!(f, ", and is on record as {id}")?;
        }
        f.write_str("; call it again with this key")?;
        match (&self.request, self.about.retry_after) {
            (Some(_), _) => f.write_str(" once people have said yes or no")?,
            (None, Some(wait)) => write!(f, " in {}", duration::wait(wait))?,
            (None, None) => {}
        }
        f.write_str(", and not under another")
    }
}

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rests {
            return self.tell_rest(f);
        }
        write!(f, "{} may have happened: {}; ", self.about, self.cause)?;
        if let Some(said) = &self.about.budget {
            write!(f, "not tried again [{}]: {said}; ", Code::BUDGET_SPENT)?;
        }
        match &self.escalation {
            Some(id) if self.may_repeat => write!(
                f,
                "it is on record as {id}; call it again with this key, and do not repeat it under another"
            ),
            Some(id) => write!(
                f,
                "it is on record as {id}, and no call with this key runs it again until a reconcile function or a \
                 person resolves it; do not repeat it under another key"
            ),
            None => f.write_str(
                "its record still says running: ask again with the same key, and do not repeat it under another",
            ),
        }
    }
}

impl std::error::Error for UnknownOutcome {}

/// The ledger could not admit a call. Nothing was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerFailure {
    /// Which call.
    pub about: About,
    /// What is wrong with the ledger.
    pub error: LedgerError,
}

impl fmt::Display for LedgerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} was not run [{}]: {}; call again with the same key once it answers",
            self.about,
            Code::LEDGER_UNAVAILABLE,
            self.error
        )
    }
}

impl std::error::Error for LedgerFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Why a runtime could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A registered tool takes state that was not given.
    #[error(
        "`{tool}` takes `state({state})`, and the runtime has none; add `.state(..)` with a value of that type to the builder"
    )]
    StateMissing {
        /// The tool.
        tool: Text,
        /// The type of its state.
        state: &'static str,
    },
    /// A registered tool has a secret argument, and the runtime has no key to
    /// hash it under.
    #[error(
        "`{tool}` has a secret argument, and the runtime has no key to hash it under; add `.secret_key(..)` to the builder, the same in each process on this ledger"
    )]
    SecretKeyMissing {
        /// The tool.
        tool: Text,
    },
    /// A registered tool wants approval, and nobody's would count.
    #[error(
        "`{tool}` runs only what people approve, and the runtime knows nobody whose approval counts; add `.approvers(Approvers::read(\"approvers\")?)` with their public keys (feature `approvals`; `tool-contract approvals keygen` makes them), or `.insecure_local_approvals()` where nothing is at stake"
    )]
    ApproversMissing {
        /// The tool.
        tool: Text,
    },
    /// Both keys and the insecure mode were given.
    #[error(
        "the runtime was given public keys of approvers and `.insecure_local_approvals()`, with which no key is asked for; leave one of them out"
    )]
    ApproversInsecure,
    /// Two registered tools have one name.
    #[error(
        "two tools are called `{tool}`: `{first}` and `{second}`; give one of them another `name = \"..\"`"
    )]
    TwoOfOneName {
        /// The name.
        tool: Text,
        /// The one that was registered.
        first: Text,
        /// The one that was to be registered.
        second: Text,
    },
    /// `.linked_tools()` found none.
    #[error(
        "no tools are linked into this program; a crate that it never names is left out by the linker: write `use that_crate as _;`, or register tools one by one with `.tool::<T>()`"
    )]
    NothingLinked,
    /// No ledger was given, and a registered tool has effects, a class a limit, or an
    /// objective a budget.
    #[error(
        "the runtime has no ledger; add `.ledger(SqliteLedger::open(\"ledger.db\").await?)`, or `MemoryLedger::new()` in a test"
    )]
    LedgerMissing,
    /// A limit over a class cannot be kept.
    #[error(
        "a limit on {class} calls cannot be kept: it must let at least one through, at most 1000 at a time, and a read, which claims nothing, has no limit at a time"
    )]
    LimitUnkeepable {
        /// The class.
        class: &'static str,
    },
    /// A budget lets nothing through.
    #[error(
        "the budget of an objective cannot be kept: it must let at least one attempt through, and take some time"
    )]
    BudgetUnkeepable,
}

impl BuildError {
    /// The code of the rule that is broken, for `explain`.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::StateMissing { .. } | Self::SecretKeyMissing { .. } => Some(Code::STATE_MISSING),
            Self::TwoOfOneName { .. } => Some(Code::DUPLICATE_TOOL),
            Self::ApproversMissing { .. } | Self::ApproversInsecure => {
                Some(Code::APPROVERS_MISSING)
            }
            Self::NothingLinked
            | Self::LedgerMissing
            | Self::LimitUnkeepable { .. }
            | Self::BudgetUnkeepable => None,
        }
    }
}
