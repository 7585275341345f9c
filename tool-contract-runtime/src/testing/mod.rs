//! For tests: a clock to hold, a ledger with scripted faults, and a way to run
//! a body alone.

mod clock;
mod faults;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[cfg(any(test, feature = "conformance"))]
pub use crate::ledger::conformance;
pub use clock::ManualClock;
pub use faults::{Fault, FaultyLedger, Step};
use tool_contract_spec::key::{IdempotencyKey, OperationId};

use crate::call::Call;
use crate::cx::Cx;
use crate::ledger::MemoryLedger;
use crate::runtime::{Runtime, RuntimeBuilder};
use crate::tool::Tool;

/// A builder for a runtime on a clock that the test holds and a ledger in
/// memory that follows it.
///
/// ```
/// # extern crate tool_contract_runtime as tool_contract;
/// use tool_contract::testing;
///
/// let (builder, clock) = testing::runtime();
/// let runtime = builder.build().unwrap();
/// clock.advance(std::time::Duration::from_secs(60));
/// # let _ = runtime;
/// ```
pub fn runtime() -> (RuntimeBuilder, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let ledger = MemoryLedger::with_clock(Arc::clone(&clock) as _);
    (Runtime::builder().clock(Arc::clone(&clock) as _).ledger(ledger), clock)
}

/// Runs a tool's body once, alone: no admission, no retry, no record.
///
/// # Errors
/// What the body returns.
pub async fn run_body<T: Tool, K, A>(
    runtime: &Runtime,
    call: Call<T, K, A>,
) -> Result<T::Output, T::Error> {
    let contract = T::contract();
    let id = (!contract.policy.is_read()).then(|| OperationId {
        tenant: None,
        tool: contract.name.clone(),
        key: IdempotencyKey::new("test")
            .unwrap_or_else(|why| unreachable!("`test` is a key: {why}")),
    });
    let cx = Cx {
        runtime: runtime.clone(),
        inner: OnceLock::new(),
        id,
        attempt: 1,
        ends_at: Duration::MAX,
        correlation_id: None,
        tenant: None,
        user: None,
        workflow: None,
        downstream: OnceLock::new(),
        deadline_at: None,
        hold: None,
    };
    call.into_arguments().run(&cx).await
}
