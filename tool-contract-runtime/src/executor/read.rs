//! Reads: limits, attempts, and no ledger otherwise.

use std::sync::OnceLock;
use std::time::Duration;

use tool_contract_spec::decide::{NextStep, Progress, decide};
use tool_contract_spec::ledger::Draw;
use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};
use tool_contract_spec::policy::Contract;

use super::attempt::{Driven, Watch, drive};
use super::draw_delay;
use super::plan::{Caller, ledger};
use super::{Fuse, Success, Verdict, budget, refuse};
use crate::cx::Cx;
use crate::error::{About, CallError, Failure, LedgerFailure};
use crate::job::{Ended, Job};
use crate::runtime::Runtime;

/// Makes a call of a read.
pub(super) async fn run(
    runtime: &Runtime,
    job: &mut dyn Job,
    caller: &Caller,
    fuse: Option<&Fuse>,
) -> Verdict {
    let contract = job.contract();
    let mut began_at = caller.began_at;
    let budget = caller.budget(runtime, || About::tool(contract.name.clone()))?;
    let mut draws = caller.draws(runtime, contract);
    draws.extend(budget.clone());
    if !draws.is_empty() {
        Box::pin(draw(runtime, contract, draws)).await?;
        began_at = runtime.elapsed();
    }
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (outcome, failure) =
            match outcome(attempt(runtime, job, caller, attempts, began_at).await) {
                Ok(()) => {
                    note(fuse, OutcomeClass::Success, runtime);
                    return Ok(Success {
                        key: None,
                        attempts,
                        reminted_from: None,
                        replay: None,
                        replayed: false,
                    });
                }
                Err(failed) => failed,
            };
        note(fuse, outcome.class, runtime);
        let now = runtime.elapsed();
        // A body that is not async cannot be stopped: while it still runs,
        // nothing is begun beside it.
        let still_runs = job.is_blocking() && matches!(failure, Failure::TimedOut);
        let progress = Progress {
            attempt: if still_runs { u32::MAX } else { attempts },
            total: attempts,
            elapsed: now.saturating_sub(caller.began_at),
            remaining: caller.remaining(now),
            in_doubt: false,
        };
        let decision = decide(&contract.policy, outcome, progress);
        let tool = &*contract.name;
        tracing::debug!(target: "tool_contract", tool, attempts, class = %outcome.class, row = ?decision.row, "read failed");
        let about = |budget| About { attempts, budget, ..About::tool(contract.name.clone()) };
        let NextStep::RetryAfter { floor, ceiling } = decision.step else {
            return Err(CallError::Failed(failure, Box::new(about(None))));
        };
        let delay = draw_delay(floor, ceiling);
        let again = budget::again(budget.as_slice(), delay);
        if !again.is_empty()
            && let drawn = ledger(runtime, contract)?.draw(again).await
            && let Some(said) = budget::obstacle(drawn)
        {
            return Err(CallError::Failed(failure, Box::new(about(Some(said)))));
        }
        runtime.clock().pause(delay).await;
        began_at = runtime.elapsed();
    }
}

fn note(fuse: Option<&Fuse>, class: OutcomeClass, runtime: &Runtime) {
    if let Some(fuse) = fuse {
        fuse.note(class, runtime.elapsed());
    }
}

async fn draw(
    runtime: &Runtime,
    contract: &Contract,
    draws: Vec<Draw>,
) -> Result<(), CallError<()>> {
    let about = About::tool(contract.name.clone());
    match ledger(runtime, contract)?.draw(draws).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(limited)) => Err(refuse::limited(about, &limited)),
        Err(error) => Err(CallError::from(LedgerFailure { about, error })),
    }
}

/// Makes one attempt.
fn attempt<'a>(
    runtime: &'a Runtime,
    job: &'a mut dyn Job,
    caller: &Caller,
    attempt: u32,
    began_at: Duration,
) -> impl Future<Output = Driven<Ended>> + Send + use<'a> {
    let timeout_at = began_at.saturating_add(job.contract().policy.timeout);
    let ends_at = caller.deadline_at.unwrap_or(Duration::MAX).min(timeout_at);
    let cx = Cx {
        runtime: runtime.clone(),
        inner: OnceLock::new(),
        id: None,
        attempt,
        ends_at,
        correlation_id: caller.correlation_id.clone(),
        tenant: caller.tenant.clone(),
        user: caller.user.clone(),
        workflow: caller.workflow.clone(),
        downstream: OnceLock::new(),
        deadline_at: caller.deadline_at,
        hold: None,
    };
    let watch = Watch {
        clock: runtime.clock(),
        timeout_at: ends_at,
        lease: None,
        acts_for: None,
        early: None,
    };
    let is_last = attempt >= job.contract().policy.retry.max;
    drive(job.attempt(cx, is_last), watch)
}

/// How an attempt ended, in the words of the decision.
fn outcome(driven: Driven<Ended>) -> Result<(), (Outcome, Failure<()>)> {
    match driven {
        Driven::Ended(ended) if ended.outcome.class == OutcomeClass::Success => Ok(()),
        Driven::Ended(ended) => Err((ended.outcome, Failure::Tool(()))),
        Driven::TimedOut => {
            Err((OutcomeClass::RetryableFailure(Cause::Unavailable).into(), Failure::TimedOut))
        }
        Driven::Panicked(message) => {
            Err((OutcomeClass::RetryableFailure(Cause::Other).into(), Failure::Panicked(message)))
        }
    }
}
