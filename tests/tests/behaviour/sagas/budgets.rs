//! A saga's steps share the budget of its objective, and nothing keeps it from
//! being undone.

use tool_contract::ledger::EventKind;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Budget, Runtime, Status};

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
        assert!(rests.cause.contains("TC0261"), "{rests}");
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
