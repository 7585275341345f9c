//! Admit → attempt → decide → settle.
//!
//! It knows calls without their types, and so is compiled once.

mod attempt;
mod budget;
mod fuse;
mod lease;
mod link;
mod nesting;
mod plan;
mod read;
mod refuse;
mod tracker;
mod write;

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::IdempotencyKey;
use tool_contract_spec::rulebook::Code;

pub(crate) use self::fuse::Fuse;
pub(crate) use self::link::Link;
pub(crate) use self::plan::{Caller, admission, deadline_passed, ledger};
pub(crate) use self::refuse::refused;
pub(crate) use self::tracker::Tracker;
use crate::call::Meta;
use crate::error::{About, CallError, Rejected};
use crate::job::Job;
use crate::registry::Entry;
use crate::runtime::Runtime;

/// A call that succeeded.
pub(crate) struct Success {
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) attempts: u32,
    pub(crate) reminted_from: Option<IdempotencyKey>,
    /// The result on record, as JSON; `None` if it ran just now, and the job
    /// has the result.
    pub(crate) replay: Option<Arc<str>>,
    /// Whether nothing ran for this call. A call whose own attempt was found
    /// by its reconcile function has its result from the record, and ran.
    pub(crate) replayed: bool,
}

/// How a call ended. A tool's own error stays with the job.
pub(crate) type Verdict = Result<Success, CallError<()>>;

/// Makes a call; `link` is that of a write.
pub(crate) async fn execute(
    runtime: &Runtime,
    entry: &Entry,
    job: &mut dyn Job,
    meta: &Meta,
    link: Option<&Link>,
) -> Verdict {
    if nesting::is_full() {
        return Err(too_deep(entry));
    }
    nesting::deeper(run(runtime, entry, job, meta, link)).await
}

async fn run(
    runtime: &Runtime,
    entry: &Entry,
    job: &mut dyn Job,
    meta: &Meta,
    link: Option<&Link>,
) -> Verdict {
    callable(entry)?;
    let caller = Caller::of(runtime, job.contract(), meta)?;
    let fuse = entry.fuse.as_ref();
    let is_known = meta.step.as_ref().is_some_and(|gate| gate.is_known());
    if let Some(fuse) = fuse.filter(|_| !is_known) {
        fuse.pass(job.contract(), runtime.elapsed())?;
    }
    let Some(link) = link else { return read::run(runtime, job, &caller, fuse).await };
    let _running = runtime.tracker().begin();
    let plan = plan::Plan::new(runtime, entry, job, meta, caller)?;
    write::Writing::new(runtime, &plan, link, fuse).run(job).await
}

/// Asks the reconcile function of an operation that is unknown, and attempts
/// nothing.
pub(crate) async fn find_out(
    runtime: &Runtime,
    entry: &Entry,
    job: &mut dyn Job,
    meta: &Meta,
) -> Result<(), CallError<()>> {
    callable(entry)?;
    let caller = Caller::of(runtime, job.contract(), meta)?;
    let _running = runtime.tracker().begin();
    let plan = plan::Plan::new(runtime, entry, job, meta, caller)?;
    let link = Link::default();
    write::Writing::new(runtime, &plan, &link, None).reconcile(job).await.map(|_| ())
}

fn too_deep(entry: &Entry) -> CallError<()> {
    let about = About::tool(entry.tool.contract().name.clone());
    let reason = format!("it was called from within {} others that wait for it", nesting::DEEPEST);
    let next = "see whether a tool calls itself without end; where the depth is meant, make the inner call in a task of its own";
    CallError::from(Rejected::new(Code::NESTED_TOO_DEEP, about, reason, next))
}

/// Whether the runtime has what the tool needs.
pub(crate) fn callable(entry: &Entry) -> Result<(), CallError<()>> {
    let Some(obstacle) = &entry.obstacle else { return Ok(()) };
    let code = obstacle.code().unwrap_or(Code::STATE_MISSING);
    let about = About::tool(entry.tool.contract().name.clone());
    let next = "build the runtime with it, and register the tool there so that `build()` tells you";
    Err(CallError::from(Rejected::new(code, about, obstacle.to_string(), next)))
}

/// A delay between floor and ceiling.
fn draw_delay(floor: Duration, ceiling: Duration) -> Duration {
    let spread = u64::try_from(ceiling.saturating_sub(floor).as_micros()).unwrap_or(u64::MAX);
    floor.saturating_add(Duration::from_micros(fastrand::u64(0..=spread)))
}
