//! A saga's steps share the budget of its objective, and nothing keeps it from
//! being undone.

use tool_contract::ledger::EventKind;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Budget, Limit, Quota, Runtime, SideEffect, Status};

use super::shop::{Act, order, reserve};
use super::yard::{Yard, built};
use crate::stage::Ending;
use crate::world::Trouble;

fn within(yard: &Yard, attempts: u32) -> Runtime {
    built(yard.stage.builder().budget(Budget::attempts(attempts)), &yard.shop)
}

#[tokio::test]
async fn what_meets_the_end_of_its_budget_is_undone_and_that_costs_nothing() {
    Yard::each(async |yard| {
        let runtime = within(&yard, 2);
        let call = || order("lamp".into(), 42).key("o");
        yard.through(call().call(&runtime)).await.refused(Code::OBJECTIVE_MISSING);
        // It is tried until it is done.
        yard.shop.then("unhold lamp", Act::Fail(Trouble::Down));
        let done = yard.through(call().workflow("w").call(&runtime)).await.unwrap();
        let undone = done.into_inner().finished().unwrap_err();
        assert!(undone.error.contains("2 of 2 attempts"), "{undone:?}");
        assert_eq!(undone.steps.iter().map(|step| step.step).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(yard.shop.stands(), Vec::<String>::new());
        let alone = reserve("rug".into()).key("r").workflow("w").call(&runtime);
        yard.through(alone).await.refused(Code::BUDGET_SPENT);
    })
    .await;
}

#[tokio::test]
async fn past_its_pivot_it_waits_for_another_budget_and_goes_on_with_its_objective() {
    Yard::each(async |yard| {
        let call = order("lamp".into(), 42).key("o").workflow("w");
        let rests = yard.through(call.call(&within(&yard, 3))).await.unknown();
        for part in ["TC0261", "has to give the workflow a larger budget first"] {
            assert!(rests.cause.contains(part), "{rests}");
        }
        assert_eq!(yard.kinds("o").await[0], EventKind::InWorkflow);
        // Recovered with the budget that it has used up, it rests as before.
        let recovery = yard.through(within(&yard, 3).recover()).await.unwrap();
        assert_eq!(recovery.recovered[0].response.status, Status::Unknown, "{recovery:?}");
        // What happened is replayed; the one step that is left draws, from the same
        // objective.
        let runtime = within(&yard, 1);
        let recovery = yard.through(runtime.recover()).await.unwrap();
        assert_eq!(recovery.recovered[0].response.status, Status::Succeeded, "{recovery:?}");
        assert_eq!(yard.shop.stands().len(), 4);
        let alone =
            |workflow: &str| reserve("rug".into()).key(workflow).workflow(workflow).call(&runtime);
        yard.through(alone("w")).await.refused(Code::BUDGET_SPENT);
        yard.through(alone("v")).await.unwrap();
    })
    .await;
}

/// An order whose process dies while it holds what it reserved; nothing is held.
async fn die_in_hold(yard: &Yard, runtime: Runtime, workflow: Option<&'static str>) {
    yard.shop.then("hold lamp", Act::Hang);
    let call = move |runtime: Runtime| async move {
        let call = order("lamp".into(), 42).key("o");
        let call = if let Some(workflow) = workflow { call.workflow(workflow) } else { call };
        call.call(&runtime).await.map(drop).ok()
    };
    yard.die_in(runtime, call, |shop| shop.has_tried("hold lamp")).await;
    yard.let_leases_lapse();
}

async fn recovered(yard: &Yard, runtime: Runtime) -> Status {
    let recovery = yard.through(runtime.recover()).await.unwrap();
    assert_eq!(recovery.recovered.len(), 1, "{recovery:?}");
    recovery.recovered[0].response.status
}

#[tokio::test]
async fn who_died_with_the_last_of_its_budget_is_undone() {
    Yard::each(async |yard| {
        die_in_hold(&yard, within(&yard, 2), Some("w")).await;
        assert_eq!(recovered(&yard, within(&yard, 2)).await, Status::Failed);
        assert_eq!(yard.shop.stands(), Vec::<String>::new());
        assert_eq!(yard.shop.count("unreserve lamp"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_limit_on_all_writes_keeps_no_saga_from_being_undone() {
    Yard::each(async |yard| {
        let limited = || {
            let limit = Limit::per_workflow(Quota::Count(2));
            built(yard.stage.builder().limit(SideEffect::Write, limit), &yard.shop)
        };
        die_in_hold(&yard, limited(), Some("w")).await;
        assert_eq!(recovered(&yard, limited()).await, Status::Failed);
        assert_eq!(yard.shop.stands(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn who_began_before_there_were_budgets_is_an_objective_of_its_own() {
    Yard::each(async |yard| {
        die_in_hold(&yard, yard.another(), None).await;
        assert_eq!(recovered(&yard, within(&yard, 9)).await, Status::Succeeded);
        assert_eq!(yard.shop.stands().len(), 4);
    })
    .await;
}
