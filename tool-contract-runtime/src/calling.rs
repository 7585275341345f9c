//! The future of a call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tool_contract_spec::rulebook::Code;

use crate::call::Meta;
use crate::completed::Completed;
use crate::error::{About, CallError, Rejected, UnknownOutcome};
use crate::executor::{Link, Success, Verdict, deadline_passed, execute};
use crate::job::TypedJob;
use crate::runtime::Runtime;
use crate::tool::{BoxFuture, Output as _, Tool, ToolError};

/// What a call comes to.
pub type Called<T> = Result<Completed<<T as Tool>::Output>, CallError<<T as Tool>::Error>>;

/// The future of a call.
///
/// Dropping it never loses an outcome. Before it asked the ledger for a claim,
/// dropping it ends the call. Afterwards the rest goes on in the tokio runtime
/// that polled it: an attempt that runs is finished and recorded, none is
/// begun. Where that runtime is gone too, the claim's lease runs out, and the
/// outcome is unknown, on record.
#[must_use = "a tool call does nothing until it is awaited"]
pub struct Calling<T: Tool> {
    rest: Option<BoxFuture<'static, Called<T>>>,
    /// A read has none: it holds no claim, and may simply be dropped.
    link: Option<Arc<Link>>,
    handle: Option<Handle>,
    /// Goes off at the deadline, once there is something to let go of.
    deadline: Option<BoxFuture<'static, ()>>,
}

impl<T: Tool> Calling<T> {
    pub(crate) fn new(runtime: &Runtime, arguments: T, meta: Meta) -> Self {
        let link = (!T::contract().policy.is_read()).then(Arc::<Link>::default);
        let (runtime, caller) = (runtime.clone(), link.clone());
        let mut job = TypedJob::new(arguments);
        // Not an async function, which would hold what it is given twice.
        let rest = Box::pin(async move {
            let entry = runtime.entry::<T>();
            let verdict = execute(&runtime, &entry, &mut job, &meta, caller.as_deref()).await;
            conclude(job, verdict)
        });
        Self { rest: Some(rest), link, handle: None, deadline: None }
    }

    /// The answer with which the caller goes before the rest has come to its
    /// end: because of a body that cannot be stopped, or of the deadline.
    fn early(&mut self, cx: &mut Context<'_>) -> Option<CallError<T::Error>> {
        let link = self.link.as_ref()?;
        if let Some(unknown) = link.early() {
            return Some(CallError::Unknown(unknown));
        }
        if self.deadline.is_none() {
            self.deadline = link.deadline();
        }
        if self.deadline.as_mut()?.as_mut().poll(cx).is_pending() {
            return None;
        }
        let cause =
            "the deadline passed before it was known what came of it; that will be on record";
        Some(match link.attempted() {
            Some(about) => UnknownOutcome::new(about, cause.to_owned(), None).into(),
            // No attempt is begun any more.
            None => deadline_passed(About::tool(T::contract().name.clone())).untyped(),
        })
    }

    /// Lets the rest go on without a caller.
    fn hand_over(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        if let Some(link) = &self.link {
            link.abandon();
        }
        if let Some(handle) = self.handle.take() {
            handle.spawn(rest);
        }
    }
}

/// The verdict with the types of the tool.
fn conclude<T: Tool>(job: TypedJob<T>, verdict: Verdict) -> Called<T> {
    match verdict {
        Ok(success) => completed::<T>(job, success),
        Err(error) => {
            let own = job.last.and_then(Result::err);
            let error = match (error, own.as_ref().and_then(ToolError::as_rest)) {
                (CallError::Unknown(unknown), Some(rests)) => rests.tell(*unknown).into(),
                (error, _) => error,
            };
            Err(error.typed(|| own))
        }
    }
}

fn completed<T: Tool>(job: TypedJob<T>, success: Success) -> Called<T> {
    let Success { key, attempts, reminted_from, replay, replayed } = success;
    let output = match (replay, job.last) {
        (None, Some(Ok(output))) => Ok(output),
        (stored, _) => T::Output::from_json(stored.as_deref().unwrap_or_default()),
    };
    match output {
        Ok(output) => Ok(Completed { output, replayed, attempts, key, reminted_from }),
        Err(why) => Err(CallError::from(Rejected::new(
            Code::RESULT_UNREADABLE,
            About { key, ..About::tool(T::contract().name.clone()) },
            format!(
                "it succeeded before, and its stored result does not fit the output type: {why}"
            ),
            "read it with the version of the program that wrote it, and raise the contract's `version` when the output changes",
        ))),
    }
}

impl<T: Tool> Future for Calling<T> {
    type Output = Called<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Called<T>> {
        let this = &mut *self;
        let Some(rest) = &mut this.rest else {
            // Polled again after it was ready, against the contract of futures.
            return Poll::Pending;
        };
        if let Poll::Ready(called) = rest.as_mut().poll(cx) {
            this.rest = None;
            return Poll::Ready(called);
        }
        if this.handle.is_none() {
            this.handle = Handle::try_current().ok();
        }
        match this.early(cx) {
            Some(error) => {
                this.hand_over();
                Poll::Ready(Err(error))
            }
            None => Poll::Pending,
        }
    }
}

impl<T: Tool> Unpin for Calling<T> {}

impl<T: Tool> Drop for Calling<T> {
    fn drop(&mut self) {
        if self.link.as_ref().is_some_and(|link| link.has_begun()) {
            self.hand_over();
        }
    }
}

impl<T: Tool> fmt::Debug for Calling<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").field("tool", &T::contract().name).finish_non_exhaustive()
    }
}
