//! What generated code names, and nobody else: the bounds of each part stand
//! here once, so that a part that does not fit is one error, at its place.

use std::fmt;
use std::future::Future;
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

/// Asks a reconcile function. A function pointer, so that one of another
/// signature is told what is wanted and what it is.
pub fn reconcile<T, Fut, E>(
    find: fn(Asked<T>) -> Fut,
    asked: Asked<T>,
) -> BoxFuture<'static, Result<Option<T::Output>, String>>
where
    T: Tool,
    Fut: Future<Output = Result<Option<T::Output>, E>> + Send + 'static,
    E: fmt::Display,
{
    Box::pin(async move { find(asked).await.map_err(|error| error.to_string()) })
}

/// Runs a compensation; see [`reconcile`].
pub fn roll_back<T, Fut, E>(
    compensate: fn(Done<T>) -> Fut,
    done: Done<T>,
) -> BoxFuture<'static, Result<(), String>>
where
    T: Tool,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display,
{
    Box::pin(async move { compensate(done).await.map_err(|error| error.to_string()) })
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
