//! What a call asks of the ledger, checked before anything is asked.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, MalformedKey, OperationId, Tenant, User, Workflow};
use tool_contract_spec::ledger::{Admission, CellId, Draw, Intent, Over};
use tool_contract_spec::operation::{Fingerprint, Preimage};
use tool_contract_spec::policy::{Contract, KeySource, Limit, Scope};
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::template::RenderError;

use crate::call::Meta;
use crate::error::{About, CallError, LedgerFailure, Rejected};
use crate::job::{Job, Seen};
use crate::ledger::{Ledger, LedgerError};
use crate::registry::Entry;
use crate::runtime::Runtime;
use crate::saga::Gate;

/// Who calls, and until when.
pub(crate) struct Caller {
    pub(crate) tenant: Option<Tenant>,
    pub(crate) user: Option<User>,
    pub(crate) workflow: Option<Workflow>,
    pub(crate) correlation_id: Option<Arc<str>>,
    /// When the call began, by the runtime's clock.
    pub(crate) began_at: Duration,
    pub(crate) deadline_at: Option<Duration>,
}

impl Caller {
    pub(crate) fn of(
        runtime: &Runtime,
        contract: &Contract,
        meta: &Meta,
    ) -> Result<Self, CallError<()>> {
        let began_at = runtime.elapsed();
        if meta.deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(deadline_passed(About::tool(contract.name.clone())));
        }
        Ok(Self {
            tenant: name(contract, "tenant", meta.tenant.as_ref())?,
            user: name(contract, "user", meta.user.as_ref())?,
            workflow: name(contract, "workflow", meta.workflow.as_ref())?,
            correlation_id: meta.correlation_id.as_deref().map(Arc::from),
            began_at,
            deadline_at: meta.deadline.map(|deadline| began_at.saturating_add(deadline)),
        })
    }

    /// Time until the deadline, if there is one.
    pub(crate) fn remaining(&self, now: Duration) -> Option<Duration> {
        self.deadline_at.map(|deadline| deadline.saturating_sub(now))
    }

    /// What a call draws from the limits of its contract, and from those that the
    /// runtime has for its class.
    pub(crate) fn draws(&self, runtime: &Runtime, contract: &Contract) -> Vec<Draw> {
        let class = contract.policy.side_effect;
        let of_class = runtime.limits(class).map(|limit| self.draw(Over::Class(class), limit));
        self.own_draws(contract).chain(of_class).collect()
    }

    fn own_draws(&self, contract: &Contract) -> impl Iterator<Item = Draw> {
        let own = contract.policy.limits.iter();
        own.map(|limit| self.draw(Over::Tool(contract.name.clone()), *limit))
    }

    pub(super) fn draw(&self, over: Over, limit: Limit) -> Draw {
        let subject = match limit.scope {
            Scope::Tool | Scope::Tenant => None,
            Scope::User => self.user.as_ref().map(|user| user.as_str().into()),
            Scope::Workflow => self.workflow.as_ref().map(|workflow| workflow.as_str().into()),
        };
        let tenant = self.tenant.clone().filter(|_| limit.scope != Scope::Tool);
        Draw::now(CellId { over, limit, tenant, subject })
    }
}

/// A checked name of the caller.
fn name<N: TryFrom<String, Error = MalformedKey>>(
    contract: &Contract,
    what: &str,
    text: Option<&String>,
) -> Result<Option<N>, CallError<()>> {
    text.cloned().map(N::try_from).transpose().map_err(|why| {
        let about = About::tool(contract.name.clone());
        let reason = format!("the {what} is malformed: {why}");
        CallError::from(Rejected::new(
            Code::KEY_MALFORMED,
            about,
            reason,
            format!("give a {what} of visible ASCII"),
        ))
    })
}

pub(crate) fn deadline_passed(about: About) -> CallError<()> {
    CallError::from(Rejected::new(
        Code::DEADLINE_PASSED,
        about,
        "its deadline had passed before anything ran",
        "call again with the same key and more time",
    ))
}

/// A write that is ready to be admitted.
pub(crate) struct Plan<'a> {
    pub(crate) contract: &'static Contract,
    pub(crate) ledger: &'a Arc<dyn Ledger>,
    pub(crate) caller: Caller,
    pub(crate) admission: Admission,
    /// What lets it run, where it is a step of a saga.
    pub(crate) gate: Option<Arc<Gate>>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        runtime: &'a Runtime,
        entry: &Entry,
        job: &dyn Job,
        meta: &Meta,
        caller: Caller,
    ) -> Result<Box<Self>, CallError<()>> {
        let contract = job.contract();
        let admission = admission(runtime, entry, job, meta, &caller, Intent::Claim)?;
        let ledger = ledger(runtime, contract)?;
        let gate = meta.step.clone();
        Ok(Box::new(Self { contract, ledger, caller, admission, gate }))
    }
}

/// The runtime's ledger.
pub(crate) fn ledger<'a>(
    runtime: &'a Runtime,
    contract: &Contract,
) -> Result<&'a Arc<dyn Ledger>, CallError<()>> {
    runtime.ledger().ok_or_else(|| {
        let error = LedgerError::Unavailable(
            "the runtime was built without one; add `.ledger(..)`".to_owned(),
        );
        CallError::from(LedgerFailure { about: About::tool(contract.name.clone()), error })
    })
}

/// What a write asks of the ledger.
pub(crate) fn admission(
    runtime: &Runtime,
    entry: &Entry,
    job: &dyn Job,
    meta: &Meta,
    caller: &Caller,
    intent: Intent,
) -> Result<Admission, CallError<()>> {
    let contract = job.contract();
    let gate = meta.step.as_deref();
    let key = match gate {
        // The saga's key stands for all of its steps, whatever their contracts say.
        Some(gate) => gate.key(contract)?,
        None => key(runtime, entry, job, meta.key.as_deref())?,
    };
    if key.as_str().len() > job.longest_key() {
        return Err(malformed(contract, &too_long(&key, job.longest_key())));
    }
    let about = || About { key: Some(key.clone()), ..About::tool(contract.name.clone()) };
    let fingerprint = fingerprint(meta, about)?;
    let fingerprint = match gate {
        Some(gate) => gate.bind(fingerprint),
        None => fingerprint,
    };
    let described = job.describe(runtime.secret_key(), fingerprint.as_ref()).map_err(|why| {
        let next = "change the argument: what cannot be compared cannot be guarded";
        let reason = format!("its arguments have no canonical form: {why}");
        CallError::from(Rejected::new(Code::ARGUMENTS_MALFORMED, about(), reason, next))
    })?;
    let draws = draws(runtime, entry, caller, gate, about)?;
    Ok(Admission {
        id: OperationId { tenant: caller.tenant.clone(), tool: contract.name.clone(), key },
        hash: described.hash,
        arguments: described.arguments,
        nonce: runtime.nonce(),
        holder: runtime.holder(),
        terms: gate.map_or_else(|| Arc::clone(&entry.terms), |gate| gate.terms(&entry.terms)),
        intent,
        approval: meta.approval.clone(),
        requested_by: caller.user.as_ref().map(|user| user.as_str().into()),
        draws,
        correlation_id: caller.correlation_id.clone(),
        preimage: described.seen.map(|Seen { arguments, ignored }| Preimage {
            version: contract.version,
            arguments,
            fingerprint: fingerprint.as_ref().map(|bound| bound.as_str().into()),
            ignored,
        }),
        trust: runtime.trust().clone(),
        fingerprint,
        workflow: caller
            .workflow
            .as_ref()
            .filter(|_| entry.tool.is_saga())
            .map(|workflow| workflow.as_str().into()),
    })
}

/// What a write draws from.
fn draws(
    runtime: &Runtime,
    entry: &Entry,
    caller: &Caller,
    gate: Option<&Gate>,
    about: impl FnOnce() -> About,
) -> Result<Vec<Draw>, CallError<()>> {
    if gate.is_some_and(|gate| !gate.draws()) {
        return Ok(Vec::new());
    }
    let contract = entry.tool.contract();
    let budget = caller.budget(runtime, about)?;
    // What a saga attempts are its steps: only what it declares itself keeps it from
    // being taken up, and undone.
    if entry.tool.is_saga() {
        return Ok(caller.own_draws(contract).collect());
    }
    let mut draws = caller.draws(runtime, contract);
    draws.extend(budget);
    Ok(draws)
}

/// What the call binds besides its arguments.
fn fingerprint(
    meta: &Meta,
    about: impl FnOnce() -> About,
) -> Result<Option<Fingerprint>, CallError<()>> {
    meta.fingerprint.clone().transpose().map_err(|why| {
        let reason = format!("what was given to `.fingerprint(..)` is no fingerprint: {why}");
        let next = "bind something small that has a canonical form: a version, a date, a name";
        CallError::from(Rejected::new(Code::ARGUMENTS_MALFORMED, about(), reason, next))
    })
}

/// The key of the operation, from wherever its contract says.
fn key(
    runtime: &Runtime,
    entry: &Entry,
    job: &dyn Job,
    given: Option<&str>,
) -> Result<IdempotencyKey, CallError<()>> {
    let contract = job.contract();
    let source = contract.policy.key_source();
    let own = match source {
        KeySource::Caller | KeySource::None => None,
        KeySource::Generated => Some(generated(runtime)),
        KeySource::Derived => {
            Some(derived(entry, job).map_err(|why| malformed(contract, &why.to_string()))?)
        }
    };
    match (own, given) {
        (None, None) => Err(key_missing(contract)),
        (None, Some(given)) => {
            IdempotencyKey::new(given).map_err(|why| malformed(contract, &why.to_string()))
        }
        (Some(own), None) => Ok(own),
        (Some(own), Some(given)) if own.as_str() == given => Ok(own),
        (Some(_), Some(given)) if source == KeySource::Generated => Err(superfluous(
            contract,
            format!("each call is its own operation, and the key `{given}` means nothing"),
        )),
        (Some(own), Some(given)) => Err(superfluous(
            contract,
            format!("the key `{given}` is not `{own}`, which its arguments give"),
        )),
    }
}

fn superfluous(contract: &Contract, reason: String) -> CallError<()> {
    let about = About::tool(contract.name.clone());
    Rejected::new(Code::KEY_MALFORMED, about, reason, "call without a key").into()
}

/// A key that leaves no room for what is made from it.
fn too_long(key: &IdempotencyKey, longest: usize) -> String {
    let length = key.as_str().len();
    format!(
        "it has {length} bytes; the keys of a saga's steps are made from it, and it may have {longest}"
    )
}

/// The id of an operation that is never repeated.
fn generated(runtime: &Runtime) -> IdempotencyKey {
    let id = format!("op-{:016x}-{:032x}", runtime.clock().now().0, runtime.nonce().0);
    // Hexadecimal digits are visible ASCII, and few.
    IdempotencyKey::new(id).unwrap_or_else(|why| unreachable!("a generated id is a key: {why}"))
}

fn derived(entry: &Entry, job: &dyn Job) -> Result<IdempotencyKey, Underivable> {
    let template = entry.template.as_ref().ok_or(Underivable::NoTemplate)?;
    Ok(template.render(|argument| job.key_text(argument))?)
}

/// Why a key cannot be derived.
#[derive(Debug, thiserror::Error)]
enum Underivable {
    #[error("its template cannot be read; this is a bug in tool-contract")]
    NoTemplate,
    #[error(transparent)]
    Render(#[from] RenderError),
}

fn key_missing(contract: &Contract) -> CallError<()> {
    CallError::from(Rejected::new(
        Code::KEY_MISSING,
        About::tool(contract.name.clone()),
        "it has side effects and no idempotency key was given",
        "send `idempotency_key` in `meta`: the same for each repetition of one intent, another for another intent",
    ))
}

fn malformed(contract: &Contract, why: &str) -> CallError<()> {
    CallError::from(Rejected::new(
        Code::KEY_MALFORMED,
        About::tool(contract.name.clone()),
        format!("the idempotency key is malformed: {why}"),
        "give a key of 1 to 255 bytes of visible ASCII that names the intent",
    ))
}
