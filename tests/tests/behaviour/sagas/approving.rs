//! Steps that people have to approve: the saga rests until they have said something.

use tokio::sync::mpsc;
use tool_contract::approval::{Approver, Approvers, PrivateKey};
use tool_contract::ledger::{
    ApprovalId, ApprovalVerdict, EventKind, Fence, Resolved, StateName, Timestamp,
};
use tool_contract::spec::rulebook::Code;
use tool_contract::{
    Cx, Done, Meta, Request, Response, Runtime, RuntimeBuilder, Saga, Status, StepError, saga, tool,
};

use super::shop::{Act, Failed, Shop, hold, reserve};
use super::yard::{Yard, built};
use crate::stage::{Ending, id, secs};
use crate::world::Trouble;

/// Shred a file; a copy is kept, so that it can be put back.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human", ttl = "15m"),
    rollback = "unshred",
    state(Shop)
)]
async fn shred(cx: &Cx, file: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("shred {file}")).await
}

async fn unshred(done: Done<Shred>) -> Result<(), Trouble> {
    done.cx().state::<Shop>().undo(&format!("shred {}", done.args.file)).await
}

/// Burn a file; it is gone.
#[tool(
    side_effect = "destructive",
    idempotent,
    retry(max = 2, on = "retryable"),
    confirm(by = "human", ttl = "15m"),
    rollback = "none",
    state(Shop)
)]
async fn burn(cx: &Cx, file: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("burn {file}")).await
}

tokio::task_local! {
    /// The file that a later version of the code shreds.
    static OTHER: &'static str;
}

/// Reserve, shred, and then burn.
#[saga(state(Shop))]
async fn clear(saga: Saga, file: String) -> Result<(), Failed> {
    saga.step(reserve(file.clone())).await?;
    let other = OTHER.try_with(|other| (*other).to_owned());
    saga.step(shred(other.unwrap_or_else(|_| file.clone()))).await?;
    let (_, saga) = saga.pivot(burn(file)).await?;
    drop(saga);
    Ok(())
}

/// Shred and hold at once.
#[saga(state(Shop))]
async fn both(saga: Saga, file: String, shred_first: bool) -> Result<(), Failed> {
    if shred_first {
        let (shredded, held) =
            saga.all((saga.step(shred(file.clone())), saga.step(hold(file)))).await;
        let _ = (shredded?, held?);
    } else {
        let (held, shredded) =
            saga.all((saga.step(hold(file.clone())), saga.step(shred(file)))).await;
        let _ = (shredded?, held?);
    }
    Ok(())
}

/// Burn at the pivot, and once more after it.
#[saga(state(Shop))]
async fn raze(saga: Saga, file: String) -> Result<(), Failed> {
    let (_, saga) = saga.pivot(reserve(file.clone())).await?;
    saga.step(burn(file)).await?;
    Ok(())
}

/// Shred, and go on whatever comes of it.
#[saga(state(Shop))]
async fn careless(saga: Saga, file: String) -> Result<(), Failed> {
    if saga.step(shred(file.clone())).await.is_err() {
        saga.step(hold(file)).await?;
    }
    Ok(())
}

/// A saga whose pivot is another.
#[saga(state(Shop))]
async fn outer(saga: Saga, file: String) -> Result<(), StepError<tool_contract::sagas::Rests>> {
    saga.pivot(raze(file)).await?;
    Ok(())
}

fn with_tools(builder: RuntimeBuilder) -> RuntimeBuilder {
    builder
        .tool::<Shred>()
        .tool::<Burn>()
        .tool::<Clear>()
        .tool::<Careless>()
        .tool::<Both>()
        .tool::<Raze>()
        .tool::<Outer>()
}

fn process(yard: &Yard) -> Runtime {
    built(with_tools(yard.stage.builder()), &yard.shop)
}

/// What an agent is answered who calls a saga on behalf of Zoe.
async fn call(yard: &Yard, runtime: &Runtime, tool: &str, more: serde_json::Value) -> Response {
    let mut arguments = serde_json::json!({ "file": "a" });
    arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let meta =
        Meta { idempotency_key: Some("s".into()), user: Some("zoe".into()), ..Meta::default() };
    let request = Request::new(tool, &arguments, meta).unwrap();
    yard.through(runtime.dispatch(request)).await
}

async fn clears(yard: &Yard, runtime: &Runtime) -> Response {
    call(yard, runtime, "clear", serde_json::json!({})).await
}

/// The request that it waits for.
#[track_caller]
fn awaits(response: &Response) -> ApprovalId {
    assert_eq!(response.status, Status::AwaitingApproval, "{response:?}");
    assert_eq!(response.code, Some(Code::APPROVAL_MISSING), "{response:?}");
    let request = response.approval.clone().expect("it names the request");
    let message = response.message.as_ref().unwrap();
    assert!(message.contains(&format!("approvals show {request}")), "{message}");
    request
}

async fn says_yes(runtime: &Runtime, request: &ApprovalId) {
    runtime.insecure_local_approver("ann").grant_request(request).await.unwrap();
}

async fn says_no(runtime: &Runtime, request: &ApprovalId) {
    runtime.insecure_local_approver("ann").deny_request(request, "it is needed").await.unwrap();
}

async fn recovers(yard: &Yard) -> tool_contract::sagas::Recovery {
    yard.through(process(yard).recover()).await.unwrap()
}

/// The one saga that waits, and what for.
async fn waits(yard: &Yard) -> String {
    let recovery = recovers(yard).await;
    assert!(recovery.recovered.is_empty(), "{recovery:?}");
    assert_eq!(recovery.waiting.len(), 1, "{recovery:?}");
    recovery.waiting[0].1.clone()
}

/// What the one saga came to that was taken up.
async fn recovered(yard: &Yard) -> Response {
    let mut recovery = recovers(yard).await;
    assert_eq!(recovery.recovered.len(), 1, "{recovery:?}");
    recovery.recovered.remove(0).response
}

#[tokio::test]
async fn a_step_waits_for_people_and_runs_once_when_they_have_said_yes() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let first = clears(&yard, &runtime).await;
        let request = awaits(&first);
        let message = first.message.as_ref().unwrap();
        assert!(message.contains("step 1, `shred` [s/1], waits"), "{message}");
        assert!(first.escalation.is_some(), "it is on record");
        assert_eq!(yard.shop.tried(), ["reserve a"]);
        assert_eq!(yard.state("clear", "s").await, Some(StateName::Unknown), "no claim is held");
        let asked = yard.stage.record("shred", "s/1").await.unwrap();
        assert_eq!(asked.approval.unwrap().requested_by.as_deref(), Some("zoe"));
        // Asking again, here or in another process, asks people nothing new.
        assert_eq!(awaits(&clears(&yard, &process(&yard)).await), request);
        let typed = yard.through(clear("a".into()).key("s").user("zoe").call(&runtime)).await;
        let rests = typed.unknown();
        assert_eq!(rests.request.as_ref(), Some(&request), "{rests}");
        assert!(rests.to_string().contains("TC0209") && !rests.to_string().contains("may have"));

        says_yes(&runtime, &request).await;
        // The pivot is another call, and asks for itself.
        let pivot = awaits(&clears(&yard, &runtime).await);
        assert_ne!(pivot, request);
        assert_eq!(yard.shop.tried(), ["reserve a", "shred a"]);
        says_yes(&runtime, &pivot).await;
        let done = clears(&yard, &runtime).await;
        assert_eq!(done.status, Status::Succeeded, "{done:?}");
        assert!(clears(&yard, &runtime).await.replayed);
        assert_eq!(yard.shop.log(), ["reserve a", "shred a", "burn a"]);
    })
    .await;
}

#[tokio::test]
async fn who_agrees_is_not_who_asked() {
    let yard = Yard::new();
    let runtime = process(&yard);
    let request = awaits(&clears(&yard, &runtime).await);
    let own = runtime.insecure_local_approver("zoe").grant_request(&request).await;
    assert!(own.is_err(), "{own:?}");
    // Whoever calls it goes on for whom it began: nobody is asked anew.
    let by_yan = || clear("a".into()).key("s").user("yan").call(&runtime);
    let rests = yard.through(by_yan()).await.unknown();
    assert_eq!(rests.request.as_ref(), Some(&request), "{rests}");
    assert_eq!(yard.shop.stands(), ["reserve a"]);
    says_yes(&runtime, &request).await;
    yard.through(by_yan()).await.unknown();
    let asked = yard.stage.record("burn", "s/2").await.unwrap().approval.unwrap();
    assert_eq!(asked.requested_by.as_deref(), Some("zoe"));
    assert_eq!(yard.shop.stands(), ["reserve a", "shred a"]);
}

#[tokio::test]
async fn processes_that_take_it_up_at_once_run_it_once() {
    Yard::each(async |yard| {
        let (one, two) = (process(&yard), process(&yard));
        let request = awaits(&clears(&yard, &one).await);
        let said = waits(&yard).await;
        assert!(said.contains("shred[s/1]") && said.contains(&*request.0), "{said}");
        says_yes(&one, &request).await;
        let both = async { tokio::join!(one.recover(), two.recover()) };
        let (first, second) = yard.through(both).await;
        for recovery in [first.unwrap(), second.unwrap()] {
            for recovered in recovery.recovered {
                assert_eq!(recovered.response.status, Status::AwaitingApproval, "{recovered:?}");
            }
        }
        assert_eq!(yard.shop.count("shred a"), 1);
        // Now the pivot waits, on behalf of whom the saga was called for.
        let asked = yard.stage.record("burn", "s/2").await.unwrap().approval.unwrap();
        says_yes(&one, &asked.id).await;
        assert_eq!(recovered(&yard).await.status, Status::Succeeded);
        assert_eq!(yard.shop.log(), ["reserve a", "shred a", "burn a"]);
    })
    .await;
}

#[tokio::test]
async fn who_dies_while_a_step_waits_leaves_the_request() {
    Yard::each(async |yard| {
        yard.shop.then("hold a", Act::Hang);
        let place = |runtime: Runtime| async move {
            both("a".into(), true).key("s").user("zoe").call(&runtime).await.map(drop).ok()
        };
        yard.die_in(process(&yard), place, |shop| shop.has_tried("hold a")).await;
        let request = yard.stage.record("shred", "s/0").await.unwrap().approval.unwrap().id;
        yard.let_leases_lapse();
        assert_eq!(awaits(&recovered(&yard).await), request);
        assert!(waits(&yard).await.contains(&*request.0));
        says_yes(&yard.runtime, &request).await;
        assert_eq!(recovered(&yard).await.status, Status::Succeeded);
        assert_eq!(yard.shop.stands(), ["hold a", "shred a"]);
    })
    .await;
}

#[tokio::test]
async fn a_no_before_the_pivot_undoes_the_saga() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let request = awaits(&clears(&yard, &runtime).await);
        says_no(&runtime, &request).await;
        let undone = recovered(&yard).await;
        assert_eq!(undone.status, Status::Failed, "{undone:?}");
        assert!(undone.message.unwrap().contains("ann refused it: it is needed"));
        assert_eq!(yard.shop.log(), ["reserve a", "unreserve a"]);
    })
    .await;
}

#[tokio::test]
async fn a_no_after_the_pivot_rests_before_a_person() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let request = awaits(&call(&yard, &runtime, "raze", serde_json::json!({})).await);
        assert!(waits(&yard).await.contains(&*request.0));
        says_no(&runtime, &request).await;
        let rests = call(&yard, &runtime, "raze", serde_json::json!({})).await;
        assert_eq!((rests.status, rests.approval), (Status::Unknown, None));
        assert!(rests.message.unwrap().contains("`burn` [s/1]"));
        assert!(waits(&yard).await.contains("a person has to see to burn[s/1]"));
        // Who lets it be asked for again is asked again.
        yard.resolve("burn", "s/1", Resolved::Reopened).await;
        let request = awaits(&call(&yard, &runtime, "raze", serde_json::json!({})).await);
        says_yes(&runtime, &request).await;
        assert_eq!(recovered(&yard).await.status, Status::Succeeded);
        assert_eq!(yard.shop.log(), ["reserve a", "burn a"]);
    })
    .await;
}

#[tokio::test]
async fn where_nobody_answers_people_are_asked_anew_for_the_caller_alone() {
    Yard::each(async |yard| nobody_answers(&yard, "clear", "shred").await).await;
    Yard::each(async |yard| nobody_answers(&yard, "raze", "burn").await).await;
}

async fn nobody_answers(yard: &Yard, tool: &str, step: &'static str) {
    let runtime = process(yard);
    let calls = || call(yard, &runtime, tool, serde_json::json!({}));
    let first = awaits(&calls().await);
    for _ in 0..3 {
        yard.stage.clock.advance(secs(16 * 60));
        let said = waits(yard).await;
        assert!(said.contains("asked anew when the saga is called again"), "{said}");
    }
    assert_ne!(awaits(&calls().await), first);
    let kinds = yard.stage.kinds(step, "s/1").await;
    let asked = kinds.iter().filter(|kind| **kind == EventKind::ApprovalRequested);
    assert_eq!(asked.count(), 2, "{kinds:?}");
    // That it was noticed makes no difference.
    yard.stage.clock.advance(secs(16 * 60));
    let noticed = yard.stage.ledger.inner().renew(id(step, "s/1"), Fence::NONE, None).await;
    assert!(noticed.is_ok());
    assert_eq!(yard.state(step, "s/1").await, Some(StateName::Released));
    assert!(waits(yard).await.contains("nobody has approved"));
    says_no(&runtime, &awaits(&calls().await)).await;
    if tool == "raze" {
        assert!(waits(yard).await.contains("a person has to see to burn[s/1]"));
        return;
    }
    assert_eq!(recovered(yard).await.status, Status::Failed);
    assert_eq!(yard.shop.stands(), Vec::<String>::new());
}

#[tokio::test]
async fn no_step_begins_while_another_waits() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let request = awaits(&call(&yard, &runtime, "careless", serde_json::json!({})).await);
        assert_eq!(yard.shop.tried(), Vec::<String>::new());
        says_no(&runtime, &request).await;
        assert_eq!(recovered(&yard).await.status, Status::Succeeded);
        assert_eq!(yard.shop.tried(), ["hold a"], "a no is an answer, and the body's affair");
    })
    .await;
}

#[tokio::test]
async fn a_step_beside_one_that_failed_waits_no_more() {
    Yard::each(async |yard| {
        for shred_first in [true, false] {
            let key = if shred_first { "t" } else { "u" };
            yard.shop.then("hold a", Act::Fail(Trouble::Closed));
            let runtime = process(&yard);
            let call = both("a".into(), shred_first).key(key).call(&runtime);
            let undone = yard.through(call).await.unwrap().into_inner().finished().unwrap_err();
            assert!(undone.error.contains("nobody had approved it when step"), "{undone:?}");
            // Nobody is asked any more, and there is nothing to say yes to.
            let step = if shred_first { "t/0" } else { "u/1" };
            let record = yard.stage.record("shred", step).await.unwrap();
            assert_eq!((record.state.name(), record.approval), (StateName::Released, None));
            assert!(runtime.insecure_local_approver("ann").waiting().await.unwrap().is_empty());
            let history = yard.stage.history("shred", step).await;
            let last = history.last().and_then(|event| event.detail.as_deref());
            assert!(last.is_some_and(|it| it.contains("nobody had approved it when")), "{last:?}");
            let call = both("a".into(), shred_first).key(key).call(&runtime);
            assert!(yard.through(call).await.unwrap().replayed());
            assert!(recovers(&yard).await.recovered.is_empty());
            assert!(!yard.shop.has_tried("shred a"));
        }
    })
    .await;
}

#[tokio::test]
async fn what_people_approved_is_not_what_another_version_does() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let request = awaits(&clears(&yard, &runtime).await);
        says_yes(&runtime, &request).await;
        let changed = OTHER.scope("b", clears(&yard, &runtime)).await;
        assert_eq!(changed.status, Status::Unknown, "{changed:?}");
        assert!(changed.message.unwrap().contains(&Code::SAGA_CHANGED.to_string()));
        assert_eq!(yard.shop.tried(), ["reserve a"]);
    })
    .await;
}

#[tokio::test]
async fn a_yes_is_for_one_step_of_one_saga() {
    Yard::each(async |yard| {
        let runtime = process(&yard);
        let ask = |key: &str| clear("a".into()).key(key).call(&runtime);
        let first = yard.through(ask("s")).await.unknown().request.unwrap();
        let second = yard.through(ask("t")).await.unknown().request.unwrap();
        says_yes(&runtime, &first).await;
        assert_eq!(yard.through(ask("t")).await.unknown().request, Some(second));
        assert!(!yard.shop.has_tried("shred a"));
        // Who makes the step's call without the saga makes another.
        let outside = shred("a".into()).key("s/1").request_approval(&runtime).await;
        outside.refused(Code::CONFLICT);
        let burns = yard.through(ask("s")).await.unknown().request.unwrap();
        assert_ne!(burns, first);
        assert_eq!(yard.shop.count("shred a"), 1);
    })
    .await;
}

#[tokio::test]
async fn those_who_want_to_know_are_told_of_a_step() {
    let yard = Yard::new();
    let (sender, mut listener) = mpsc::channel(4);
    let builder = with_tools(yard.stage.builder()).on_approval_requested(sender);
    let runtime = built(builder, &yard.shop);
    let request = awaits(&clears(&yard, &runtime).await);
    awaits(&clears(&yard, &runtime).await);
    let notice = listener.try_recv().unwrap();
    assert_eq!((&*notice.request, &*notice.tool, &*notice.key), (&*request.0, "shred", "s/1"));
    assert_eq!(notice.requested_by.as_deref(), Some("zoe"));
    assert!(listener.try_recv().is_err(), "once");
}

#[tokio::test]
async fn a_signed_yes_is_taken_up_whoever_recorded_it() {
    Yard::each(async |yard| {
        let key = PrivateKey::generate().unwrap();
        let ann = Approvers::new().trust("ann", &key.public().to_string()).unwrap();
        let secure =
            || built(with_tools(yard.stage.secure_builder()).approvers(ann.clone()), &yard.shop);
        awaits(&clears(&yard, &secure()).await);
        let ledger = yard.stage.ledger.inner();
        let yes = ApprovalVerdict::Grant { until: Timestamp(u64::MAX / 2) };
        let step = id("shred", "s/1");
        let mallory = Approver::new("mallory", PrivateKey::generate().unwrap());
        mallory.decide(&**ledger, &step, yes.clone()).await.unwrap();
        let recovery = yard.through(secure().recover()).await.unwrap();
        assert_eq!(recovery.waiting.len(), 1, "{recovery:?}");
        Approver::new("ann", key).decide(&**ledger, &step, yes).await.unwrap();
        let recovery = yard.through(secure().recover()).await.unwrap();
        assert_eq!(recovery.recovered.len(), 1, "{recovery:?}");
        assert_eq!(yard.shop.tried(), ["reserve a", "shred a"]);
    })
    .await;
}

#[tokio::test]
async fn a_saga_in_a_saga_says_what_it_waits_for() {
    let yard = Yard::new();
    let runtime = process(&yard);
    let request = awaits(&call(&yard, &runtime, "outer", serde_json::json!({})).await);
    let recovery = recovers(&yard).await;
    assert!(recovery.recovered.is_empty(), "{recovery:?}");
    assert_eq!(recovery.waiting.len(), 2, "{recovery:?}");
    yard.stage.clock.advance(secs(16 * 60));
    assert!(recovers(&yard).await.recovered.is_empty());
    let again = awaits(&call(&yard, &runtime, "outer", serde_json::json!({})).await);
    assert_ne!(again, request);
    says_yes(&runtime, &again).await;
    let done = call(&yard, &runtime, "outer", serde_json::json!({})).await;
    assert_eq!(done.status, Status::Succeeded, "{done:?}");
    assert_eq!(yard.shop.log(), ["reserve a", "burn a"]);
}
