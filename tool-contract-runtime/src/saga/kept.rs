//! A call as a saga keeps it, without its type: to ask what came of it, and to undo
//! it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tool_contract_spec::key::IdempotencyKey;

use crate::asked::Done;
use crate::cx::Cx;
use crate::job::{Job, TypedJob, read};
use crate::tool::{BoxFuture, Output as _, Tool};

/// A call as the executor takes it.
pub struct AnyJob(pub(crate) Box<dyn Job>);

/// A call without its type.
pub trait Kept: Send + Sync {
    /// It as the executor takes it.
    #[doc(hidden)]
    fn job(&self) -> AnyJob;

    /// Undoes it; `output` is what it returned, as JSON.
    #[doc(hidden)]
    fn roll_back(
        &self,
        output: &str,
        key: IdempotencyKey,
        cx: Cx,
    ) -> BoxFuture<'static, Result<(), String>>;
}

/// A call of the tool `T`. Arguments are `Send`, and cloned by one at a time.
struct KeptCall<T>(std::sync::Mutex<T>);

impl<T: Tool> KeptCall<T> {
    fn arguments(&self) -> T {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl<T: Tool> Kept for KeptCall<T> {
    fn job(&self) -> AnyJob {
        AnyJob(Box::new(TypedJob::new(self.arguments())))
    }

    fn roll_back(
        &self,
        output: &str,
        key: IdempotencyKey,
        cx: Cx,
    ) -> BoxFuture<'static, Result<(), String>> {
        let output = match T::Output::from_json(output) {
            Ok(output) => output,
            Err(why) => {
                let why = format!("its result cannot be read by the output type: {why}");
                return Box::pin(std::future::ready(Err(why)));
            }
        };
        let done = Done { args: self.arguments(), output, key, cx };
        T::roll_back(done).unwrap_or_else(|| {
            Box::pin(std::future::ready(Err("its contract names no rollback function".to_owned())))
        })
    }
}

/// A call with these arguments.
pub(super) fn keep<T: Tool>(arguments: T) -> Arc<dyn Kept> {
    Arc::new(KeptCall(std::sync::Mutex::new(arguments)))
}

/// A call with the arguments that a record has.
pub(crate) fn kept<T: Tool>(arguments: &str) -> Result<Arc<dyn Kept>, String> {
    // Some argument's own `Deserialize` may panic.
    let read = catch_unwind(AssertUnwindSafe(|| read::arguments::<T>(arguments)));
    match read {
        Ok(Ok(arguments)) => Ok(keep(arguments)),
        Ok(Err(why)) => Err(why.to_string()),
        Err(panic) => {
            let panic: Box<dyn Any + Send> = panic;
            std::mem::forget(panic);
            Err("reading its arguments panicked".to_owned())
        }
    }
}
