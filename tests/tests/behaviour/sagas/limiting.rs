//! Limits of a saga, and of its steps when another process goes on with it.

use tool_contract::clock::Clock as _;
use tool_contract::ledger::EventKind;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Done, Runtime, Saga, Status, saga, tool};

use super::shop::{Act, Failed, Shop, hold, reserve};
use super::yard::{Yard, built};
use crate::stage::{Ending, LEASE, secs};
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
        assert_eq!(on_behalf.count(), 1, "{kinds:?}");
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

/// Hang out a notice, one an hour.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable"),
    rollback = "none",
    rate_limit(per_tool = "1/h"),
    state(Shop)
)]
async fn hang_out(cx: &Cx, notice: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("notice {notice}")).await
}

/// Reserve an item, past the point of no return, and tell.
#[saga(state(Shop))]
async fn announce(saga: Saga, item: String) -> Result<u32, Failed> {
    let (_, saga) = saga.pivot(reserve(item.clone())).await?;
    saga.step(hang_out(item)).await
}

#[tokio::test]
async fn who_waits_for_room_past_the_pivot_is_told_for_how_long_and_holds_nothing() {
    Yard::each(async |yard| {
        let tools = || yard.stage.builder().tool::<HangOut>().tool::<Announce>();
        let runtime = built(tools(), &yard.shop);
        yard.through(hang_out("other".into()).key("p").call(&runtime)).await.unwrap();
        let began = yard.stage.clock.elapsed();
        let call = || announce("a".into()).key("s").call(&runtime);
        let rests = yard.through(call()).await.unknown();
        assert!(yard.stage.clock.elapsed() < began + LEASE, "it waits within its call");
        assert!(rests.about.retry_after.is_some_and(|wait| wait > secs(3_500)), "{rests:?}");
        assert!(rests.to_string().contains("call it again with this key in 1h"), "{rests}");
        let recovery = yard.through(built(tools(), &yard.shop).recover()).await.unwrap();
        let again = &recovery.recovered[0].response;
        assert!(again.retry_after_ms.is_some_and(|wait| wait > 3_500_000), "{again:?}");
        yard.stage.clock.advance(secs(3_600));
        yard.through(call()).await.unwrap().into_inner().finished().unwrap();
    })
    .await;
}

/// Erase a file, one a minute, if people agree.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human", ttl = "15m"),
    rollback = "none",
    rate_limit(per_tool = "1/min"),
    state(Shop)
)]
async fn erase(cx: &Cx, file: String) -> Result<u32, Trouble> {
    cx.state::<Shop>().act(&format!("erase {file}")).await
}

/// Reserve, and erase.
#[saga(state(Shop))]
async fn clean(saga: Saga, file: String) -> Result<(), Failed> {
    saga.step(reserve(file.clone())).await?;
    saga.pivot(erase(file)).await?;
    Ok(())
}

#[tokio::test]
async fn what_people_have_said_yes_to_is_not_undone_for_want_of_room() {
    Yard::each(async |yard| {
        let runtime = built(yard.stage.builder().tool::<Erase>().tool::<Clean>(), &yard.shop);
        let call = || clean("a".into()).key("s").call(&runtime);
        let request = yard.through(call()).await.unknown().request.unwrap();
        let ann = runtime.insecure_local_approver("ann");
        ann.grant_request(&request).await.unwrap();
        let other = || erase("b".into()).key("b");
        let pending = other().request_approval(&runtime).await.unwrap();
        let approval = ann.grant(&pending).await.unwrap();
        yard.through(other().approved(approval).call(&runtime)).await.unwrap();

        let rests = yard.through(call()).await.unknown();
        assert!(rests.cause.contains("TC0212") && rests.request.is_none(), "{rests}");
        assert_eq!(yard.shop.stands(), ["reserve a", "erase b"]);
        yard.stage.clock.advance(secs(60));
        yard.through(call()).await.unwrap().into_inner().finished().unwrap();
        assert_eq!(yard.shop.stands(), ["reserve a", "erase b", "erase a"]);
    })
    .await;
}
