//! What generated code names, and nobody else: the bounds of each part stand
//! here once, so that a part that does not fit is one error, at its place.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready};
use std::time::Duration;

pub use inventory;
pub use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};
pub use tool_contract_spec::policy;

pub use crate::argument::{Argument, ArgumentType, Values, cloned, erased};
pub use crate::asked::{Asked, Done};
pub use crate::call::{approval_state, key};
pub use crate::contract_file::contract_is_current;
pub use crate::cx::Cx;
pub use crate::registry::{Linked, linked};
pub use crate::saga::{Compensable, Completable, Outcome as SagaOutcome, Rests, Saga};
pub use crate::tool::{BoxFuture, Returned, StateType, Tool};

/// A reconcile function of the tool `T` with the output `O`. Whether its future is
/// `Send` is no part of it, so that the compiler says which value it is that is not.
///
/// It is implemented twice, for [`Fit`] and for [`Unfit`]: the compiler then looks at
/// what is within each before it says that neither holds, in these words. Of one alone
/// it would say what is wrong within it.
#[diagnostic::on_unimplemented(
    message = "this function cannot find out about `{T}`",
    label = "it must be `async fn(asked: Asked<{T}>) -> Result<Option<{O}>, E>`",
    note = "TC0016: it is async, takes `tool_contract::Asked<{T}>` and nothing else, and returns `Ok(Some(output))` if it happened, `Ok(None)` if it did not, and if it cannot tell an `E` that can be displayed (`E: Display`)"
)]
pub trait Reconcile<T: Tool, O, Fitness> {
    /// What it returns.
    type Future: Future<Output = Result<Option<O>, Self::Error>>;
    /// Why it cannot tell.
    type Error: fmt::Display;
    /// Asks it.
    fn ask(self, asked: Asked<T>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<T, O, F, Fut, E> Reconcile<T, O, Fit> for F
where
    T: Tool,
    F: FnOnce(Asked<T>) -> Fut,
    Fut: Future<Output = Result<Option<O>, E>>,
    E: fmt::Display,
{
    type Future = Fut;
    type Error = E;

    fn ask(self, asked: Asked<T>) -> Fut {
        self(asked)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tool, O, F: Nothing> Reconcile<T, O, Unfit> for F {
    type Future = Ready<Result<Option<O>, Infallible>>;
    type Error = Infallible;

    fn ask(self, _asked: Asked<T>) -> Self::Future {
        self.anything()
    }
}

/// Asks a reconcile function.
pub fn reconcile<T, F, Fitness>(
    find: F,
    asked: Asked<T>,
) -> BoxFuture<'static, Result<Option<T::Output>, String>>
where
    T: Tool,
    F: Reconcile<T, T::Output, Fitness> + Send + 'static,
    F::Future: Send + 'static,
{
    Box::pin(async move { find.ask(asked).await.map_err(|error| error.to_string()) })
}

/// A rollback function of the tool `T`; see [`Reconcile`].
#[diagnostic::on_unimplemented(
    message = "this function cannot undo `{T}`",
    label = "it must be `async fn(done: Done<{T}>) -> Result<(), E>`",
    note = "TC0016: it is async, takes `tool_contract::Done<{T}>` and nothing else, and returns `Ok(())`, or an `E` that can be displayed (`E: Display`)"
)]
pub trait RollBack<T: Tool, Fitness> {
    /// What it returns.
    type Future: Future<Output = Result<(), Self::Error>>;
    /// Why it could not undo it.
    type Error: fmt::Display;
    /// Runs it.
    fn undo(self, done: Done<T>) -> Self::Future;
}

#[diagnostic::do_not_recommend]
impl<T, F, Fut, E> RollBack<T, Fit> for F
where
    T: Tool,
    F: FnOnce(Done<T>) -> Fut,
    Fut: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    type Future = Fut;
    type Error = E;

    fn undo(self, done: Done<T>) -> Fut {
        self(done)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Tool, F: Nothing> RollBack<T, Unfit> for F {
    type Future = Ready<Result<(), Infallible>>;
    type Error = Infallible;

    fn undo(self, _done: Done<T>) -> Self::Future {
        self.anything()
    }
}

/// Runs a rollback function.
pub fn roll_back<T, F, Fitness>(
    compensate: F,
    done: Done<T>,
) -> BoxFuture<'static, Result<(), String>>
where
    T: Tool,
    F: RollBack<T, Fitness> + Send + 'static,
    F::Future: Send + 'static,
{
    Box::pin(async move { compensate.undo(done).await.map_err(|error| error.to_string()) })
}

/// Of a function that is what its tool's attribute names it for.
#[derive(Debug)]
pub enum Fit {}

/// Of a function that is not: there is none.
#[derive(Debug)]
pub enum Unfit {}

/// What no type is.
pub trait Nothing {
    /// Gives whatever is wanted.
    fn anything<T>(self) -> T;
}

/// Runs a body that is not async where it cannot block the executor.
///
/// # Panics
/// As the body does; the executor that polls the future catches it.
pub fn blocking<O, E, F>(cx: &Cx, body: F) -> BoxFuture<'static, Result<O, E>>
where
    F: FnOnce(&Cx) -> Result<O, E> + Send + 'static,
    O: Send + 'static,
    E: Send + 'static,
{
    let cx = cx.clone();
    let running = tokio::task::spawn_blocking(move || body(&cx));
    Box::pin(async move {
        match running.await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => panic!("the runtime shut down under the body: {cancelled}"),
            },
        }
    })
}

/// Runs the body of a saga, as its history says.
pub fn saga<'a, T, O, E, Fut>(
    cx: &'a Cx,
    body: impl FnOnce(Saga) -> Fut + Send + 'a,
) -> BoxFuture<'a, Result<SagaOutcome<O>, Rests>>
where
    T: Tool,
    Fut: Future<Output = Result<O, E>> + Send + 'a,
    O: Send + 'a,
    E: fmt::Display + Send + 'a,
{
    crate::saga::run::<T, O, E, Fut>(cx, body)
}

/// Shows a tool's arguments, secrets left out.
///
/// # Errors
/// If `f` cannot be written to.
pub fn debug<T: Tool>(arguments: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} {}", T::contract().name, crate::job::shown(arguments))
}

/// What a field marked `#[retry_after]` may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no delay",
    label = "`#[retry_after]` marks a `Duration` or an `Option<Duration>`"
)]
pub trait RetryAfter {
    /// The delay.
    fn retry_after(&self) -> Option<Duration>;
}

impl RetryAfter for Duration {
    fn retry_after(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl RetryAfter for Option<Duration> {
    fn retry_after(&self) -> Option<Duration> {
        *self
    }
}
