//! A tool that may have as many attempts as a saga is none.

use tool_contract::ledger::{Reconciled, Resolved};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, tool};

use super::shop::{Act, Shop};
use super::yard::{Yard, built};
use crate::stage::Ending;
use crate::world::Trouble;

/// Ping somebody, who may be pinged again, once a minute.
#[tool(
    side_effect = "write",
    idempotent(by = "nature"),
    retry(max = 1, max_total = 1_000_000, on = ["retryable", "side_effect_unknown"]),
    rollback = "none",
    rate_limit(per_tool = "1/min"),
    state(Shop)
)]
async fn ring(cx: &Cx, who: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("ping {who}")).await
}

#[tokio::test]
async fn every_claim_of_a_tool_draws_from_its_rates() {
    Yard::each(async |yard| {
        let runtime = built(yard.stage.builder().tool::<Ring>(), &yard.shop);
        yard.shop.then("ping a", Act::Fail(Trouble::NoAnswer));
        let call = || ring("a".into()).key("p").call(&runtime);
        yard.through(call()).await.unwrap_err();
        call().await.refused(Code::LIMITED);
        assert_eq!(yard.shop.tried().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_may_say_of_a_tool_that_it_did_not_happen() {
    Yard::each(async |yard| {
        let runtime = built(yard.stage.builder().tool::<Ring>(), &yard.shop);
        yard.shop.then("ping a", Act::Fail(Trouble::NoAnswer));
        yard.through(ring("a".into()).key("p").call(&runtime)).await.unwrap_err();
        let said = yard.say("ring", "p", Resolved::DidNotHappen { holder_is_dead: true }).await;
        assert!(matches!(said, Reconciled::Recorded { .. }), "{said:?}");
    })
    .await;
}
