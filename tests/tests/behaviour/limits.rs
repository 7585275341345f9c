//! Limits are decided before each claim, and count nothing else.

use tool_contract::ledger::Query;
use tool_contract::spec::policy::{Limit, Quota, SideEffect};
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{BuildError, Cx, Runtime, tool};

use crate::stage::{Ending, LEASE, Stage, ms, secs, soon};
use crate::tools::look;
use crate::world::{Act, Gate, Trouble, World};

/// Charge twice a minute.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable", backoff = "constant", base = "1ms", jitter = "none"),
    rollback = "none",
    rate_limit(per_tool = "2/min"),
    state(World)
)]
async fn charge_rarely(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn a_tool_lets_so_many_through_and_then_as_fast_as_it_refills() {
    let stage = Stage::new();
    let call = |key: &str| charge_rarely(key.into()).key(key).call(&stage.runtime);
    call("k1").await.unwrap();
    call("k2").await.unwrap();
    let rejected = call("k3").await.refused(Code::LIMITED);
    assert_eq!(rejected.retry_after, Some(secs(30)));
    assert!(rejected.reason.contains("2/min per tool"), "{rejected}");
    stage.clock.advance(secs(30) - ms(1));
    assert_eq!(call("k3").await.refused(Code::LIMITED).retry_after, Some(ms(1)));
    stage.clock.advance(ms(1));
    call("k3").await.unwrap();
    call("k4").await.refused(Code::LIMITED);
    assert_eq!(stage.world.attempts(), 3);
}

#[tokio::test]
async fn a_limited_call_leaves_no_claim() {
    let stage = Stage::new();
    let call = |key: &str| charge_rarely(key.into()).key(key).call(&stage.runtime);
    call("k1").await.unwrap();
    call("k2").await.unwrap();
    for _ in 0..5 {
        call("k3").await.refused(Code::LIMITED);
    }
    assert_eq!(stage.state("charge_rarely", "k3").await, None);
    stage.clock.advance(secs(30));
    assert_eq!(call("k3").await.unwrap().attempts(), 1);
}

#[tokio::test]
async fn replays_conflicts_and_attempts_cost_nothing() {
    let stage = Stage::new();
    let call = |key: &str| charge_rarely(key.into()).key(key).call(&stage.runtime);
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::Busy));
    assert_eq!(call("k1").await.unwrap().attempts(), 3);
    for _ in 0..10 {
        assert!(call("k1").await.unwrap().replayed());
        charge_rarely("other".into()).key("k1").call(&stage.runtime).await.refused(Code::CONFLICT);
    }
    call("k2").await.unwrap();
    call("k3").await.refused(Code::LIMITED);
    // Replays go through even where nothing else does.
    assert!(call("k1").await.unwrap().replayed());
}

#[tokio::test]
async fn two_runtimes_on_one_ledger_share_a_limit() {
    let stage = Stage::new();
    let another = stage.another_runtime();
    charge_rarely("k1".into()).key("k1").call(&stage.runtime).await.unwrap();
    charge_rarely("k2".into()).key("k2").call(&another).await.unwrap();
    charge_rarely("k3".into()).key("k3").call(&stage.runtime).await.refused(Code::LIMITED);
}

/// Charge once a minute for each tenant.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_tenant = "1/min"),
    state(World)
)]
async fn charge_per_tenant(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn tenants_do_not_share_a_limit_of_tenants() {
    let stage = Stage::new();
    let call = |key: &str| charge_per_tenant(key.into()).key(key);
    call("k1").tenant("a").call(&stage.runtime).await.unwrap();
    call("k1").tenant("b").call(&stage.runtime).await.unwrap();
    call("k1").call(&stage.runtime).await.unwrap();
    for tenant in ["a", "b"] {
        call("k2").tenant(tenant).call(&stage.runtime).await.refused(Code::LIMITED);
    }
    call("k2").call(&stage.runtime).await.refused(Code::LIMITED);
}

/// Charge once a minute for each user.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_user = "1/min"),
    state(World)
)]
async fn charge_per_user(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn users_are_those_of_a_tenant_and_leaving_the_name_out_is_no_way_around() {
    let stage = Stage::new();
    let call = |key: &str| charge_per_user(key.into()).key(key);
    call("k1").user("ann").call(&stage.runtime).await.unwrap();
    call("k2").user("bob").call(&stage.runtime).await.unwrap();
    call("k3").user("ann").tenant("a").call(&stage.runtime).await.unwrap();
    call("k4").user("ann").call(&stage.runtime).await.refused(Code::LIMITED);
    call("k5").user("ann").tenant("a").call(&stage.runtime).await.refused(Code::LIMITED);
    call("k6").call(&stage.runtime).await.unwrap();
    call("k7").call(&stage.runtime).await.refused(Code::LIMITED);
}

/// Charge twice in a workflow, and five times a minute in all.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    rate_limit(per_tool = "5/min", per_workflow = "2"),
    state(World)
)]
async fn charge_per_workflow(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn a_workflow_has_so_many_and_no_more() {
    let stage = Stage::new();
    let call = |key: &str, workflow: &str| {
        charge_per_workflow(key.into()).key(key).workflow(workflow).call(&stage.runtime)
    };
    call("k1", "w1").await.unwrap();
    call("k2", "w1").await.unwrap();
    for _ in 0..10 {
        let rejected = call("k3", "w1").await.refused(Code::LIMITED);
        assert_eq!(rejected.retry_after, None);
        stage.clock.advance(secs(24 * 60 * 60));
    }
    call("k3", "w2").await.unwrap();
}

#[tokio::test]
async fn a_call_draws_from_all_its_limits_or_from_none() {
    let stage = Stage::new();
    let call = |key: &str, workflow: &str| {
        charge_per_workflow(key.into()).key(key).workflow(workflow).call(&stage.runtime)
    };
    call("k1", "w1").await.unwrap();
    call("k2", "w1").await.unwrap();
    // Each of these is refused by the workflow; none counts for the tool.
    for _ in 0..10 {
        call("k3", "w1").await.refused(Code::LIMITED);
    }
    for key in ["k4", "k5", "k6"] {
        call(key, key).await.unwrap();
    }
    let rejected = call("k7", "k7").await.refused(Code::LIMITED);
    assert!(rejected.reason.contains("5/min"), "{rejected}");
}

/// Look twice a minute.
#[tool(
    side_effect = "read",
    rate_limit(per_tool = "2/min"),
    retry(max = 3, on = "retryable"),
    state(World)
)]
async fn look_rarely(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn a_read_with_a_limit_is_counted_and_leaves_no_record() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Down));
    for _ in 0..2 {
        look_rarely("o".into()).call(&stage.runtime).await.unwrap();
    }
    look_rarely("o".into()).call(&stage.runtime).await.refused(Code::LIMITED);
    assert_eq!(stage.world.attempts(), 3);
    assert!(stage.ledger.inner().list(Query::default()).await.unwrap().is_empty());
    stage.clock.advance(secs(30));
    look_rarely("o".into()).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn a_read_with_a_limit_wants_the_ledger_and_one_without_does_not() {
    let stage = Stage::new();
    for step in [Step::Admit, Step::Draw, Step::Settle, Step::Read] {
        stage.ledger.fail(step, Fault::Lost, usize::MAX);
    }
    look_rarely("o".into()).call(&stage.runtime).await.ledgerless();
    assert_eq!(stage.world.attempts(), 0);
    look("o".into()).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn a_limit_on_a_class_counts_its_tools_together() {
    let stage = Stage::new();
    let limit = Limit::per_user(Quota::per_hour(2));
    let runtime = || stage.builder().limit(SideEffect::Write, limit).build().unwrap();
    let (runtime, another) = (runtime(), runtime());
    let tenant = |key: &str| charge_per_tenant(key.into()).key(key).tenant(key);
    tenant("k1").user("ann").tenant("a").call(&runtime).await.unwrap();
    charge_per_workflow("k2".into())
        .key("k2")
        .user("ann")
        .tenant("a")
        .call(&another)
        .await
        .unwrap();
    let third = charge_per_workflow("k3".into()).key("k3").user("ann").tenant("a");
    let rejected = third.call(&runtime).await.refused(Code::LIMITED);
    assert_eq!(rejected.retry_after, Some(secs(30 * 60)));
    assert!(rejected.reason.contains("2/h on write calls per user"), "{rejected}");
    assert_eq!(stage.state("charge_per_workflow", "k3").await, None);
    // Others have their own, a read is no write, and a runtime without it has none.
    tenant("k4").user("ann").tenant("b").call(&runtime).await.unwrap();
    look("o".into()).user("ann").tenant("a").call(&runtime).await.unwrap();
    charge_per_workflow("k5".into())
        .key("k5")
        .user("ann")
        .tenant("a")
        .call(&stage.runtime)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_class_of_reads_may_be_limited_too() {
    let stage = Stage::new();
    let limit = Limit::for_all(Quota::per_minute(1));
    let runtime = stage.builder().limit(SideEffect::Read, limit).build().unwrap();
    look("o".into()).call(&runtime).await.unwrap();
    let rejected = look_rarely("o".into()).call(&runtime).await.refused(Code::LIMITED);
    assert!(rejected.reason.contains("1/min on all read calls"), "{rejected}");
}

#[test]
fn a_limit_on_a_class_lets_something_through_and_wants_a_ledger() {
    let nothing = Limit::for_all(Quota::Count(0));
    let refused = Stage::new().builder().limit(SideEffect::Destructive, nothing).build();
    assert_eq!(refused.err(), Some(BuildError::LimitUnkeepable { class: "destructive" }));
    let some = Limit::for_all(Quota::Count(1));
    let refused = Runtime::builder().limit(SideEffect::Destructive, some).build();
    assert_eq!(refused.err(), Some(BuildError::LedgerMissing));
}

/// Charge two orders at a time, and one of each user.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    concurrency(per_tool = 2, per_user = 1),
    state(World)
)]
async fn charge_few_at_a_time(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn so_many_calls_run_at_a_time_for_as_long_as_they_run() {
    let stage = Stage::new();
    let call = |key: &str, user: &str| {
        charge_few_at_a_time(key.into()).key(key).user(user).call(&stage.runtime)
    };
    let (first, second) = (Gate::new(), Gate::new());
    stage.world.then(first.before(Act::Succeed)).then(second.before(Act::Fail(Trouble::Invalid)));
    let ann = tokio::spawn(call("k1", "ann"));
    first.reached().await;
    let rejected = call("k2", "ann").await.refused(Code::LIMITED);
    assert!(rejected.reason.contains("1 at a time per user"), "{rejected}");
    assert_eq!(rejected.retry_after, Some(LEASE));
    let bob = tokio::spawn(call("k3", "bob"));
    second.reached().await;
    // For as long as they run: their leases are renewed, and the slots with them.
    stage.pass(LEASE + secs(5)).await;
    let rejected = call("k4", "eve").await.refused(Code::LIMITED);
    assert!(rejected.reason.contains("2 at a time per tool"), "{rejected}");
    assert_eq!(stage.state("charge_few_at_a_time", "k4").await, None);
    // Whatever comes of it, a call that ended has given its slots back.
    second.open();
    soon(bob).await.unwrap().unwrap_err();
    call("k4", "bob").await.unwrap();
    first.open();
    soon(ann).await.unwrap().unwrap();
    call("k2", "ann").await.unwrap();
    assert!(call("k2", "ann").await.unwrap().replayed());
}

#[tokio::test]
async fn who_dies_gives_his_slots_back_with_the_lease() {
    let stage = Stage::new();
    let gate = Gate::new();
    stage.world.then(gate.within(Act::Succeed));
    let dead = stage.another_runtime();
    let call = charge_few_at_a_time("k1".into()).key("k1").user("ann");
    let died = tokio::spawn(call.call(&dead));
    gate.reached().await;
    // Nobody renews for it any more.
    stage.clock.advance(LEASE - ms(1));
    let next = || charge_few_at_a_time("k2".into()).key("k2").user("ann").call(&stage.runtime);
    next().await.refused(Code::LIMITED);
    stage.clock.advance(ms(1));
    next().await.unwrap();
    drop(died);
}

#[test]
fn what_claims_nothing_has_no_limit_at_a_time() {
    let limit = Limit::per_user(Quota::Concurrent(1));
    let refused = Stage::new().builder().limit(SideEffect::Read, limit).build();
    assert_eq!(refused.err(), Some(BuildError::LimitUnkeepable { class: "read" }));
    assert!(Stage::new().builder().limit(SideEffect::Write, limit).build().is_ok());
    let many = Limit::for_all(Quota::Concurrent(Quota::MOST_CONCURRENT + 1));
    assert!(Stage::new().builder().limit(SideEffect::Write, many).build().is_err());
}
