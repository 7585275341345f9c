//! One step of a saga.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tool_contract_spec::operation::{Fingerprint, OperationHash};
use tool_contract_spec::policy::ArgumentRole;
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{Noted, Refused, Stepped, may_stand, refused, step_id};

use super::engine::{Asking, Engine, Met, Ran};
use super::gate::{Gate, Part};
use super::kept::keep;
use super::{Committed, Rests, Saga};
use crate::call::{Call, Meta};
use crate::calling::Calling;
use crate::error::{CallError, Failure, Rejected};
use crate::job::{Job as _, TypedJob};
use crate::tool::{BoxFuture, Output as _, Tool};

/// Why a step did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StepError<E> {
    /// What its call said.
    Call(CallError<E>),
    /// It failed so in an earlier run of the saga, and was not tried again: a saga
    /// goes by what came of a step first. What the body does now must be what it
    /// did then; so let it decide by whether a step failed, not by how.
    Before {
        /// The error's text.
        error: String,
    },
}

impl<E> StepError<E> {
    /// The tool's own error, if that is what it was and it was in this run.
    pub const fn tool(&self) -> Option<&E> {
        match self {
            Self::Call(CallError::Failed(Failure::Tool(error), _)) => Some(error),
            _ => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for StepError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => f.write_str(&what(error)),
            Self::Before { error } => f.write_str(error),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for StepError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            Self::Before { .. } => None,
        }
    }
}

/// What a call of a step came to, in the words of its saga.
fn what<E: fmt::Display>(error: &CallError<E>) -> String {
    match error {
        CallError::Rejected(rejected) if !is_for_good(rejected.code) => rejected.what(),
        error => error.to_string(),
    }
}

/// Whether no other key is to try again what was refused with `code`: then that is said
/// of the saga as well.
const fn is_for_good(code: Code) -> bool {
    matches!(code, Code::APPROVAL_DENIED | Code::ABANDONED | Code::BUDGET_SPENT)
}

/// What a step asks of people.
fn asking(number: u32, rejected: &Rejected) -> Asking {
    let (about, request) = (&rejected.about, rejected.request.clone());
    let to = |request| {
        format!(" to {request}, which `tool-contract approvals show {request}` shows to people")
    };
    let to = request.as_ref().map(to).unwrap_or_default();
    let said = format!("step {number}, {about}, waits for a person's yes{to}");
    Asking { said, request, is_idle: true }
}

const fn is_refusal<E>(error: &CallError<E>) -> bool {
    matches!(error, CallError::Rejected(_))
}

/// What a saga cannot do without that was refused with `code`.
const fn first(code: Code) -> &'static str {
    match code {
        Code::BUDGET_SPENT => "its runtime has to give the workflow a larger budget",
        Code::APPROVAL_VOID => "the saga has to be called as people were asked",
        _ => "a person has to see to that",
    }
}

/// What a step comes to.
type Stepping<T> = Result<<T as Tool>::Output, StepError<<T as Tool>::Error>>;

/// A step of a saga, made when it is awaited.
#[must_use = "a step does nothing until it is awaited"]
pub struct Step<'s, T: Tool> {
    rest: BoxFuture<'static, Stepping<T>>,
    /// While it is there, the saga cannot pass its pivot.
    saga: PhantomData<&'s ()>,
}

impl<T: Tool> Step<'_, T> {
    pub(super) fn new<K, A>(engine: &Arc<Engine>, call: Call<T, K, A>, pivot: bool) -> Self {
        let number = engine.take_place();
        let (arguments, meta) = call.into_parts();
        let made = Made { engine: Arc::clone(engine), number, pivot };
        Self { rest: Box::pin(made.run(arguments, meta)), saga: PhantomData }
    }

    pub(super) fn into_future(self) -> BoxFuture<'static, Stepping<T>> {
        self.rest
    }
}

impl<T: Tool> Future for Step<'_, T> {
    type Output = Stepping<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Stepping<T>> {
        self.rest.as_mut().poll(cx)
    }
}

impl<T: Tool> fmt::Debug for Step<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("tool", &T::contract().name).finish_non_exhaustive()
    }
}

/// The pivot of a saga, made when it is awaited.
#[must_use = "a pivot does nothing until it is awaited"]
pub struct Pivot<'s, T: Tool> {
    rest: BoxFuture<'static, Stepping<T>>,
    after: Option<Saga<Committed>>,
    saga: PhantomData<&'s ()>,
}

impl<T: Tool> Pivot<'_, T> {
    pub(super) fn new(rest: BoxFuture<'static, Stepping<T>>, after: Saga<Committed>) -> Self {
        Self { rest, after: Some(after), saga: PhantomData }
    }
}

impl<T: Tool> Future for Pivot<'_, T> {
    type Output = Result<(T::Output, Saga<Committed>), StepError<T::Error>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Poll::Ready(output) = self.rest.as_mut().poll(cx) else { return Poll::Pending };
        // Polled again after it was ready, against the contract of futures.
        let Some(after) = self.after.take() else { return Poll::Pending };
        Poll::Ready(output.map(|output| (output, after)))
    }
}

impl<T: Tool> fmt::Debug for Pivot<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pivot").field("tool", &T::contract().name).finish_non_exhaustive()
    }
}

/// A step that has its place.
struct Made {
    engine: Arc<Engine>,
    number: u32,
    pivot: bool,
}

impl Made {
    async fn run<T: Tool>(self, arguments: T, meta: Meta) -> Stepping<T> {
        // Now, and not when it was made: steps may be made first and awaited later.
        if let Some(why) = self.engine.held_back_by() {
            return Err(StepError::Call(self.engine.hold_back(self.number, &why)));
        }
        if T::contract().policy.is_read() {
            return self.read(arguments, meta).await;
        }
        self.write(arguments, meta).await
    }

    /// Makes a call that may leave something behind.
    async fn write<T: Tool>(self, arguments: T, mut meta: Meta) -> Stepping<T> {
        let gate = Gate::new(&self.engine, self.number, Part::Call { pivot: self.pivot });
        let runtime = self.prepare(&mut meta);
        meta.more().step = Some(Arc::clone(&gate));
        let is_secret =
            |argument: &crate::argument::Argument<T>| argument.role == ArgumentRole::Secret;
        if T::ARGUMENTS.iter().any(is_secret) {
            self.engine.keep(self.number, keep(arguments.clone()));
        }
        let was_made_before = self.engine.has(self.number);
        let made = TypedJob::new(arguments.clone());
        let bound = meta.fingerprint.clone().and_then(Result::ok);
        let called = Calling::new(&runtime, arguments, meta).await;
        if let Some(error) = gate.failed_before() {
            self.engine.ran(self.number, Ran::NotDone);
            return Err(StepError::Before { error: error.to_owned() });
        }
        match called {
            Ok(completed) => {
                self.is_done();
                Ok(completed.into_inner())
            }
            Err(error) => {
                if error.code() == Some(Code::APPROVAL_MISSING) {
                    // It holds others back from now on, but not those made together with it.
                    tokio::task::yield_now().await;
                }
                let stepped = self.stepped(&made, gate.bind(bound).as_ref());
                let may_stand =
                    was_made_before && is_refusal(&error) && self.may_stand(&stepped).await;
                if self.has_failed(&error, may_stand) {
                    self.note_failure(stepped, what(&error)).await;
                }
                Err(StepError::Call(error))
            }
        }
    }

    /// Whether a refusal in this run says nothing of what an earlier one began.
    async fn may_stand(&self, stepped: &Stepped) -> bool {
        let Ok(id) = step_id(self.engine.id(), stepped) else { return false };
        let found = self.engine.ledger().find(id).await;
        found.map_or(true, |record| may_stand(stepped.own(record).as_ref()))
    }

    fn is_done(&self) {
        self.engine.ran(self.number, Ran::Done);
        if self.pivot {
            self.engine.commit();
        }
    }

    /// Who calls, and until when: the saga's caller.
    fn prepare(&self, meta: &mut Meta) -> crate::runtime::Runtime {
        let cx = self.engine.cx();
        let more = meta.more();
        more.tenant = cx.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        let user = || cx.user.as_ref().map(|user| user.as_str().to_owned());
        more.user = more.user.take().or_else(user);
        let workflow = || cx.workflow.as_ref().map(|workflow| workflow.as_str().to_owned());
        more.workflow = more.workflow.take().or_else(workflow);
        let correlation = || cx.correlation_id.as_deref().map(str::to_owned);
        more.correlation_id = more.correlation_id.take().or_else(correlation);
        let left = cx.deadline_at.map(|at| at.saturating_sub(cx.runtime.elapsed()));
        more.deadline = [more.deadline, left].into_iter().flatten().min();
        self.engine.runtime().clone()
    }

    /// Remembers what an error says of the world, and whether the step has failed.
    fn has_failed<E>(&self, error: &CallError<E>, may_stand: bool) -> bool {
        let (engine, number) = (&self.engine, self.number);
        match error {
            CallError::Unknown(unknown) if unknown.request.is_some() => {
                let said = format!("step {number}, {}, rests: {}", unknown.about, unknown.cause);
                let request = unknown.request.clone();
                engine.asks(number, Asking { said, request, is_idle: false });
                return false;
            }
            CallError::Unknown(_) => {
                engine.ran(number, Ran::Unknown);
                return false;
            }
            CallError::Ledger(failure) => {
                engine.halt(Rests::again(format!("step {number}: {failure}"), None));
                return false;
            }
            CallError::Rejected(rejected) if !self.is_failed(rejected, may_stand) => return false,
            CallError::Failed(..) | CallError::Rejected(_) => {}
        }
        engine.ran(number, Ran::NotDone);
        true
    }

    /// Whether the step has failed with a refusal; if not, that stops the saga, or waits.
    fn is_failed(&self, rejected: &Rejected, may_stand: bool) -> bool {
        let (engine, number) = (&self.engine, self.number);
        let said = || format!("step {number}: {}", rejected.what());
        match refused(rejected.code, engine.is_committed(), may_stand) {
            Refused::Failed => return true,
            Refused::Again => engine.halt(Rests::again(said(), rejected.retry_after)),
            Refused::Person => {
                let first = first(rejected.code);
                engine.halt(Rests::for_a_person(format!("{}; {first} first", said())));
            }
            Refused::Waits => engine.asks(number, asking(number, rejected)),
        }
        false
    }

    /// A step that failed stays so, whenever the saga runs again; but after the
    /// pivot it may succeed yet.
    async fn note_failure(&self, stepped: Stepped, error: String) {
        let engine = &self.engine;
        let is_final = !engine.is_committed() && engine.halted().is_none();
        if is_final && engine.meet(&stepped).is_ok() {
            let stepped = Stepped { noted: Some(Noted::Failed(error)), ..stepped };
            // If it cannot be noted, the saga halts, and the step is tried again.
            engine.note_step(stepped).await.ok();
        }
    }

    /// Makes a read: its first result is the saga's for good.
    async fn read<T: Tool>(self, arguments: T, mut meta: Meta) -> Stepping<T> {
        let stepped = self.stepped(&TypedJob::new(arguments.clone()), None);
        let refused = |error: CallError<()>| StepError::Call(error.untyped());
        match self.engine.meet(&stepped).map_err(refused)? {
            Met::Read(json) => {
                let output = T::Output::from_json(&json);
                let output =
                    output.map_err(|why| refused(self.engine.unreadable(&stepped, &why)))?;
                self.is_done();
                return Ok(output);
            }
            Met::Failed(error) => {
                self.engine.ran(self.number, Ran::NotDone);
                return Err(StepError::Before { error });
            }
            Met::New | Met::Known => {}
        }
        let runtime = self.prepare(&mut meta);
        match Calling::new(&runtime, arguments, meta).await {
            Ok(completed) => {
                let output = completed.into_inner();
                let noted = Some(Noted::Read(output.to_json().unwrap_or_default()));
                self.engine.note_step(Stepped { noted, ..stepped }).await.map_err(refused)?;
                self.is_done();
                Ok(output)
            }
            Err(error) => {
                if self.has_failed(&error, false) {
                    self.note_failure(stepped, what(&error)).await;
                }
                Err(StepError::Call(error))
            }
        }
    }

    /// What is noted of this step; `bound` is what it binds besides its arguments.
    fn stepped<T: Tool>(&self, job: &TypedJob<T>, bound: Option<&Fingerprint>) -> Stepped {
        let described = job.describe(self.engine.runtime().secret_key(), bound);
        let hash = described.map_or(OperationHash::from_bytes([0; 32]), |described| described.hash);
        let tool = T::contract().name.to_string();
        Stepped { step: self.number, tool, hash, pivot: self.pivot, noted: None }
    }
}
