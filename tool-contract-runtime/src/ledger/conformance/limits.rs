//! Limits.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::Tenant;
use tool_contract_spec::policy::{Limit, Period, Quota, Scope, SideEffect};
use tool_contract_spec::saga::MOST_ATTEMPTS;

use super::stage::{LEASE, NOTHING, Stage, call, happened, key, repeatable, unknown};
use crate::ledger::{Admission, CellId, Draw, Limited, Over, Refusal, Terms};

pub(super) const fn per_tool(quota: Quota) -> Draw {
    let limit = Limit { scope: Scope::Tool, quota };
    let over = Over::Tool(std::borrow::Cow::Borrowed("tool"));
    Draw::now(CellId { over, limit, tenant: None, subject: None })
}

fn drawing(caller: u128, key_: &str, draws: &[Draw]) -> Admission {
    Admission { draws: draws.to_vec(), ..call(caller, &key(key_)) }
}

fn limited(refusal: &Refusal) -> &Limited {
    match refusal {
        Refusal::Limited(limited) => limited,
        other => panic!("not limited: {other:?}"),
    }
}

const TWO_PER_SECOND: Quota = Quota::Rate(2, Period::Second);

pub(super) async fn limits_count_claims_over_all_keys(stage: Stage) {
    let draws = [per_tool(TWO_PER_SECOND)];
    let claim = stage.claim(&drawing(1, "a", &draws)).await;
    stage.claim(&drawing(1, "a", &draws)).await;
    stage.claim(&drawing(2, "b", &draws)).await;
    let refusal = stage.refusal(&drawing(3, "c", &draws)).await;
    assert_eq!(limited(&refusal).retry_after, Some(Duration::from_millis(500)));
    // Given back is the key, not the draw.
    stage.settle(&key("a"), claim.fence, NOTHING).await;
    limited(&stage.refusal(&drawing(4, "a", &draws)).await);
    stage.pass(Duration::from_millis(500)).await;
    stage.claim(&drawing(4, "a", &draws)).await;
    limited(&stage.refusal(&drawing(5, "c", &draws)).await);
}

pub(super) async fn a_saga_that_has_begun_draws_only_its_slot(stage: Stage) {
    let draws = [per_tool(Quota::Count(2)), per_tool(Quota::Concurrent(1))];
    let terms = Arc::new(Terms { saga: true, max_total: MOST_ATTEMPTS, ..repeatable() });
    let saga =
        |caller, key| Admission { terms: Arc::clone(&terms), ..drawing(caller, key, &draws) };
    let claim = stage.claim(&saga(1, "a")).await;
    stage.settle(&key("a"), claim.fence, unknown()).await;
    // It goes on as often as it has to; the slot is its own again.
    for caller in 2..5 {
        let claim = stage.claim(&saga(caller, "a")).await;
        let refusal = stage.refusal(&saga(9, "b")).await;
        assert_eq!(limited(&refusal).quota(), Quota::Concurrent(1));
        stage.settle(&key("a"), claim.fence, unknown()).await;
    }
    let claim = stage.claim(&saga(6, "b")).await;
    limited(&stage.refusal(&saga(7, "a")).await);
    stage.settle(&key("b"), claim.fence, happened("1")).await;
    assert_eq!(limited(&stage.refusal(&saga(8, "c")).await).quota(), Quota::Count(2));
}

pub(super) async fn cells_are_kept_apart(stage: Stage) {
    let base = per_tool(Quota::Count(1)).cell;
    let a = Some(Tenant::new("a").unwrap());
    let with = |change: fn(&mut CellId)| {
        let mut cell = base.clone();
        change(&mut cell);
        cell
    };
    // Of two that differ in their quota the more generous one comes first, so that
    // what it leaves would be too much for the other.
    let cells = [
        with(|cell| cell.limit.quota = Quota::Count(2)),
        base.clone(),
        with(|cell| cell.over = "other".into()),
        with(|cell| cell.over = Over::Class(SideEffect::Write)),
        with(|cell| cell.over = Over::Class(SideEffect::Destructive)),
        with(|cell| cell.over = Over::All),
        with(|cell| cell.limit.quota = Quota::Within(1, Duration::from_secs(1))),
        with(|cell| cell.limit.quota = Quota::Within(1, Duration::from_millis(1_001))),
        with(|cell| cell.limit.quota = Quota::Rate(1, Period::Hour)),
        with(|cell| cell.limit.quota = Quota::Rate(1, Period::Day)),
        with(|cell| cell.limit.scope = Scope::Tenant),
        CellId { tenant: a.clone(), ..base.clone() },
        CellId { tenant: a, subject: Some("eve".into()), ..base.clone() },
        CellId { subject: Some("eve".into()), ..base.clone() },
    ];
    for cell in &cells {
        assert_eq!(
            stage.ledger.draw(vec![Draw::now(cell.clone())]).await.unwrap(),
            Ok(()),
            "{cell:?}"
        );
    }
    let again = stage.ledger.draw(vec![Draw::now(base)]).await.unwrap();
    assert!(again.is_err(), "{again:?}");
}

pub(super) async fn a_limited_call_leaves_nothing(stage: Stage) {
    let draws = [per_tool(Quota::Count(1))];
    stage.claim(&drawing(1, "a", &draws)).await;
    limited(&stage.refusal(&drawing(2, "b", &draws)).await);
    assert_eq!(stage.find(&key("b")).await, None);
    assert_eq!(stage.history(&key("b")).await, []);
}

pub(super) async fn all_limits_or_none(stage: Stage) {
    let both = [per_tool(Quota::Count(2)), per_tool(Quota::Count(1))];
    stage.claim(&drawing(1, "a", &both)).await;
    for _ in 0..3 {
        let refusal = stage.refusal(&drawing(2, "b", &both)).await;
        assert_eq!(limited(&refusal).quota(), Quota::Count(1));
    }
    stage.claim(&drawing(3, "c", &both[..1])).await;
    limited(&stage.refusal(&drawing(4, "d", &both[..1])).await);
}

pub(super) async fn reads_draw_without_a_record(stage: Stage) {
    let draws = vec![per_tool(TWO_PER_SECOND)];
    for _ in 0..2 {
        assert_eq!(stage.ledger.draw(draws.clone()).await.unwrap(), Ok(()));
    }
    let refused = stage.ledger.draw(draws.clone()).await.unwrap();
    assert_eq!(refused.unwrap_err().retry_after, Some(Duration::from_millis(500)));
    limited(&stage.refusal(&drawing(1, "a", &draws)).await);
    stage.pass(Duration::from_millis(500)).await;
    assert_eq!(stage.ledger.draw(draws).await.unwrap(), Ok(()));
    assert_eq!(stage.ledger.draw(Vec::new()).await.unwrap(), Ok(()));
    assert_eq!(stage.ledger.list(crate::ledger::Query::default()).await.unwrap(), []);
}

pub(super) async fn a_count_is_open_for_a_while(stage: Stage) {
    let open = Duration::from_mins(1);
    let draw = || per_tool(Quota::Within(4, open));
    let later = |ahead| stage.ledger.draw(vec![Draw { ahead, ..draw() }]);
    stage.claim(&drawing(1, "a", &[draw()])).await;
    stage.pass(open / 2).await;
    assert_eq!(later(Duration::ZERO).await.unwrap(), Ok(()));
    // What it is drawn for has to begin in time.
    assert_eq!(later(open / 4).await.unwrap(), Ok(()));
    let refused = later(open / 2).await.unwrap().unwrap_err();
    assert_eq!((refused.used, refused.retry_after), (3, None));
    stage.pass(open / 2).await;
    let refusal = stage.refusal(&drawing(2, "b", &[draw()])).await;
    assert_eq!((limited(&refusal).used, limited(&refusal).retry_after), (3, None));
    assert_eq!(stage.find(&key("b")).await, None);
    // It never opens again, and so no ledger may forget it.
    stage.pass(Duration::from_hours(48)).await;
    stage.ledger.prune(9).await.unwrap();
    limited(&stage.refusal(&drawing(2, "b", &[draw()])).await);
}

pub(super) async fn so_many_run_at_a_time(stage: Stage) {
    let draws = [per_tool(Quota::Concurrent(2))];
    let first = stage.claim(&drawing(1, "a", &draws)).await;
    // The same call again finds its claim, and takes nothing.
    stage.claim(&drawing(1, "a", &draws)).await;
    let second = stage.claim(&drawing(2, "b", &draws)).await;
    let refusal = stage.refusal(&drawing(3, "c", &draws)).await;
    assert_eq!(limited(&refusal).quota(), Quota::Concurrent(2));
    assert!(limited(&refusal).retry_after.is_some_and(|wait| !wait.is_zero() && wait <= LEASE));
    assert_eq!(stage.find(&key("c")).await, None);
    stage.settle(&key("a"), first.fence, NOTHING).await;
    let third = stage.claim(&drawing(3, "c", &draws)).await;
    limited(&stage.refusal(&drawing(4, "d", &draws)).await);
    // What is unknown no longer runs, and what succeeded does not either.
    stage.settle(&key("b"), second.fence, unknown()).await;
    stage.settle(&key("c"), third.fence, happened("1")).await;
    // Said twice, it gives nothing back twice.
    stage.settle(&key("c"), third.fence, happened("1")).await;
    stage.claim(&drawing(5, "e", &draws)).await;
    stage.claim(&drawing(6, "f", &draws)).await;
    limited(&stage.refusal(&drawing(7, "g", &draws)).await);
}

pub(super) async fn a_slot_lives_as_long_as_the_lease(stage: Stage) {
    let draws = [per_tool(Quota::Concurrent(2)), per_tool(Quota::Count(9))];
    let kept = stage.claim(&drawing(1, "a", &draws)).await;
    let dead = stage.claim(&drawing(2, "b", &draws)).await;
    stage.pass(LEASE / 2).await;
    stage.ledger.renew(key("a"), kept.fence, None).await.unwrap();
    limited(&stage.refusal(&drawing(3, "c", &draws)).await);
    // Whoever died gives his slot back with the lease; who renewed has it yet.
    stage.pass(LEASE / 2 + Duration::from_secs(1)).await;
    let other = stage.claim(&drawing(3, "c", &draws)).await;
    let refusal = stage.refusal(&drawing(4, "d", &draws)).await;
    assert_eq!(limited(&refusal).quota(), Quota::Concurrent(2));
    // A late word of the dead one frees no slot of anybody else.
    stage.settle(&key("b"), dead.fence, happened("1")).await;
    limited(&stage.refusal(&drawing(4, "d", &draws)).await);
    stage.settle(&key("a"), kept.fence, happened("1")).await;
    stage.claim(&drawing(4, "d", &draws)).await;
    stage.settle(&key("c"), other.fence, NOTHING).await;
    // Its own next claim takes a slot anew.
    stage.claim(&drawing(5, "c", &draws)).await;
    limited(&stage.refusal(&drawing(6, "e", &draws)).await);
}
