//! Limits of a saga, and of its steps when another process goes on with it.

use tool_contract::ledger::EventKind;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Done, Runtime, Saga, Status, saga, tool};

use super::shop::{Act, Failed, Shop, hold};
use super::yard::{Yard, built};
use crate::stage::Ending;
use crate::world::Trouble;

/// Lend a book, one to each reader in a minute.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "take_back",
    rate_limit(per_user = "1/min"),
    state(Shop)
)]
async fn lend_book(cx: &Cx, title: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("lend {title}")).await
}

async fn take_back(done: Done<LendBook>) -> Result<(), Trouble> {
    done.cx().state::<Shop>().undo(&format!("lend {}", done.args.title)).await
}

/// Hold, then lend; one in each workflow, and one a day.
#[saga(state(Shop), rate_limit(per_workflow = "1", per_tool = "1/d"))]
async fn serve(saga: Saga, title: String) -> Result<(), Failed> {
    saga.step(hold(title.clone())).await?;
    saga.step(lend_book(title)).await?;
    Ok(())
}

fn process(yard: &Yard) -> Runtime {
    built(yard.stage.builder().tool::<LendBook>().tool::<Serve>(), &yard.shop)
}

/// A saga whose process dies while it holds.
async fn die_in_hold(yard: &Yard) {
    yard.shop.then("hold a", Act::Hang);
    let place = |runtime: Runtime| async move {
        let call = serve("a".into()).key("s").user("zoe").workflow("w");
        call.call(&runtime).await.map(drop).ok()
    };
    yard.die_in(process(yard), place, |shop| shop.has_tried("hold a")).await;
    yard.let_leases_lapse();
}

#[tokio::test]
async fn the_steps_of_a_recovered_saga_draw_from_the_limits_of_its_user() {
    Yard::each(async |yard| {
        die_in_hold(&yard).await;
        let runtime = process(&yard);
        let recovery = yard.through(runtime.recover()).await.unwrap();
        assert_eq!(recovery.recovered[0].response.status, Status::Succeeded, "{recovery:?}");
        let lend = |key: &str| lend_book("b".into()).key(key);
        lend("b").user("zoe").call(&runtime).await.refused(Code::LIMITED);
        lend("c").user("yan").call(&runtime).await.unwrap();
        lend("d").call(&runtime).await.unwrap();
        let kinds = yard.stage.kinds("serve", "s").await;
        let on_behalf = kinds.iter().filter(|kind| **kind == EventKind::OnBehalf);
        assert_eq!(on_behalf.count(), 2, "{kinds:?}");
        assert!(!yard.stage.kinds("lend_book", "c").await.contains(&EventKind::OnBehalf));
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_has_begun_is_kept_from_its_end_by_no_limit_of_its_own() {
    Yard::each(async |yard| {
        die_in_hold(&yard).await;
        yard.shop.then("hold a", Act::Hang);
        let runtime = process(&yard);
        let place = |runtime: Runtime| async move { runtime.recover().await.map(drop).ok() };
        yard.die_in(process(&yard), place, |shop| shop.tried().len() == 2).await;
        yard.let_leases_lapse();
        let recovery = yard.through(runtime.recover()).await.unwrap();
        assert_eq!(recovery.recovered[0].response.status, Status::Succeeded, "{recovery:?}");
        assert_eq!(yard.shop.stands(), ["hold a", "lend a"]);
        // It has drawn, once: what begins now has no room.
        let more = serve("b".into()).key("t").user("zoe");
        yard.through(more.call(&runtime)).await.refused(Code::LIMITED);
    })
    .await;
}
