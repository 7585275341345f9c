//! Which failures are tried again, how often, and after how long.

use std::collections::BTreeSet;
use std::time::Duration;

use tool_contract::ledger::{EventKind, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Failure, tool};

use crate::stage::{Ending, Stage, ms, secs, soon};
use crate::tools::{charge, look, put};
use crate::world::{Act, Gate, Trouble, World};

#[tokio::test]
async fn every_retryable_cause_is_tried_again() {
    for trouble in [Trouble::Busy, Trouble::Down, Trouble::Locked, Trouble::NoRoute, Trouble::Other]
    {
        let stage = Stage::new();
        stage.world.then(Act::Fail(trouble.clone())).then(Act::Fail(trouble));
        let done = charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
        assert_eq!((done.attempts(), stage.world.effects()), (3, 1));
        // Constant, a second, no jitter.
        assert_eq!(stage.clock.paused(), secs(2));
    }
}

#[tokio::test]
async fn what_repetition_cannot_fix_is_not_tried_again() {
    for trouble in [Trouble::Invalid, Trouble::Forbidden, Trouble::Closed] {
        let stage = Stage::new();
        stage.world.then(Act::Fail(trouble.clone()));
        let failure = charge("o".into(), 1).key("k").call(&stage.runtime).await.failed();
        assert_eq!(failure, Failure::Tool(trouble.clone()));
        assert_eq!((stage.world.attempts(), stage.clock.paused()), (1, Duration::ZERO));
        assert_eq!(stage.state("charge", "k").await, Some(StateName::Released));

        let stage = Stage::new();
        stage.world.then(Act::Fail(trouble.clone()));
        assert_eq!(look("o".into()).call(&stage.runtime).await.failed(), Failure::Tool(trouble));
        assert_eq!(stage.world.attempts(), 1);
    }
}

/// Charge, and come back only where fewer requests were asked for.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 5, on = "rate_limited", base = "100ms", cap = "300ms", jitter = "none"),
    rollback = "none",
    state(World)
)]
async fn charge_picky(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn only_a_cause_that_the_contract_names_is_tried_again() {
    for trouble in [Trouble::Down, Trouble::Locked, Trouble::NoRoute, Trouble::Other] {
        let stage = Stage::new();
        stage.world.then(Act::Fail(trouble));
        charge_picky("o".into()).key("k").call(&stage.runtime).await.failed();
        assert_eq!(stage.world.attempts(), 1);
    }
    let stage = Stage::new();
    // A cause that is named leads to a second attempt, whose cause is not.
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::Down));
    assert_eq!(
        charge_picky("o".into()).key("k").call(&stage.runtime).await.failed(),
        Failure::Tool(Trouble::Down)
    );
    assert_eq!(stage.world.attempts(), 2);
}

#[tokio::test]
async fn an_exponential_backoff_without_jitter_is_exact() {
    let stage = Stage::new();
    for _ in 0..4 {
        stage.world.then(Act::Fail(Trouble::Busy));
    }
    assert_eq!(charge_picky("o".into()).key("k").call(&stage.runtime).await.unwrap().attempts(), 5);
    // Capped at 300 ms.
    assert_eq!(stage.clock.paused(), ms(100 + 200 + 300 + 300));
}

/// Charge with the default backoff.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable"),
    rollback = "none",
    state(World)
)]
async fn charge_spread(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn full_jitter_spreads_over_the_whole_delay_and_never_beyond() {
    let mut delays = BTreeSet::new();
    for _ in 0..64 {
        let stage = Stage::new();
        stage.world.then(Act::Fail(Trouble::Busy));
        charge_spread("o".into()).key("k").call(&stage.runtime).await.unwrap();
        delays.insert(stage.clock.paused());
    }
    assert!(delays.last().unwrap() <= &ms(200));
    // 64 draws from 200,000 values that are all on one side of the middle:
    // once in 2^63 runs.
    assert!(delays.first().unwrap() < &ms(100) && delays.last().unwrap() > &ms(100), "{delays:?}");
}

#[tokio::test]
async fn a_call_that_used_its_attempts_releases_the_key_until_after_the_backoff() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.world.then(Act::Fail(Trouble::Busy));
    }
    let call = || charge("o".into(), 1).key("k").call(&stage.runtime);
    assert_eq!(call().await.failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(stage.world.attempts(), 3);

    let rejected = call().await.refused(Code::NOT_BEFORE);
    assert_eq!(rejected.retry_after, Some(secs(1)));
    stage.clock.advance(ms(999));
    assert_eq!(call().await.refused(Code::NOT_BEFORE).retry_after, Some(ms(1)));
    assert_eq!(stage.world.attempts(), 3);
    stage.clock.advance(ms(1));
    let done = call().await.unwrap();
    assert_eq!((done.attempts(), done.replayed()), (4, false));
}

/// Charge at most five times under one key, three times in one call.
#[tool(
    side_effect = "write",
    idempotent,
    retry(
        max = 3,
        max_total = 5,
        on = "retryable",
        backoff = "constant",
        base = "1s",
        jitter = "none"
    ),
    rollback = "none",
    state(World)
)]
async fn charge_capped(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn one_key_never_has_more_attempts_than_its_cap_in_any_number_of_calls() {
    let stage = Stage::new();
    for _ in 0..20 {
        stage.world.then(Act::Fail(Trouble::Busy));
    }
    let another = stage.another_runtime();
    charge_capped("o".into()).key("k").call(&stage.runtime).await.failed();
    assert_eq!(stage.world.attempts(), 3);
    stage.clock.advance(secs(10));
    charge_capped("o".into()).key("k").call(&another).await.failed();
    assert_eq!(stage.world.attempts(), 5);
    for runtime in [&stage.runtime, &another, &stage.another_runtime()] {
        stage.clock.advance(secs(10));
        let rejected = charge_capped("o".into())
            .key("k")
            .call(runtime)
            .await
            .refused(Code::ATTEMPTS_EXHAUSTED);
        assert!(rejected.reason.contains("5 of its 5"), "{rejected}");
    }
    assert_eq!(stage.world.attempts(), 5);
}

#[tokio::test]
async fn attempts_that_were_not_used_are_given_back() {
    let stage = Stage::new();
    for _ in 0..5 {
        stage.world.then(Act::Fail(Trouble::Invalid));
    }
    // Each of these calls reserves three of five.
    for used in 1..=5 {
        charge_capped("o".into()).key("k").call(&stage.runtime).await.failed();
        assert_eq!(stage.record("charge_capped", "k").await.unwrap().attempts, used);
    }
    charge_capped("o".into()).key("k").call(&stage.runtime).await.refused(Code::ATTEMPTS_EXHAUSTED);
}

/// Charge within a minute.
#[tool(
    side_effect = "write",
    idempotent,
    retry(
        max = 9,
        on = "retryable",
        backoff = "constant",
        base = "1s",
        jitter = "none",
        budget = "60s"
    ),
    rollback = "none",
    state(World)
)]
async fn charge_within_a_minute(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn no_attempt_begins_once_the_budget_is_spent() {
    let stage = Stage::new();
    let gate = Gate::new();
    for _ in 0..9 {
        stage.world.then(gate.before(Act::Fail(Trouble::Busy)));
    }
    let call = tokio::spawn(charge_within_a_minute("o".into()).key("k").call(&stage.runtime));
    // Attempts of 25 s, and a second between them: at 0, 26 and 52 s.
    for _ in 0..3 {
        gate.reached().await;
        stage.pass(secs(25)).await;
        gate.open();
    }
    assert_eq!(soon(call).await.unwrap().failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(stage.world.attempts(), 3);
}

// ---- the delay that the other side asks for ----

fn busy_for(after: Duration) -> Act {
    Act::Fail(Trouble::BusyFor { after })
}

#[tokio::test]
async fn a_retry_waits_for_what_the_other_side_asked_and_the_backoff_after_it() {
    let stage = Stage::new();
    stage.world.then(busy_for(secs(40)));
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(stage.clock.paused(), secs(41));
}

/// Charge, and never come back for being too many.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "unavailable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    state(World)
)]
async fn charge_when_up(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

#[tokio::test]
async fn what_the_other_side_asked_for_is_no_licence_and_holds_for_the_next_call() {
    let stage = Stage::new();
    stage.world.then(busy_for(secs(40)));
    charge_when_up("o".into()).key("k").call(&stage.runtime).await.failed();
    assert_eq!((stage.world.attempts(), stage.clock.paused()), (1, Duration::ZERO));
    let rejected =
        charge_when_up("o".into()).key("k").call(&stage.runtime).await.refused(Code::NOT_BEFORE);
    assert_eq!(rejected.retry_after, Some(secs(41)));
    stage.clock.advance(secs(41));
    charge_when_up("o".into()).key("k").call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn what_the_other_side_asked_for_never_passes_the_budget() {
    let stage = Stage::new();
    stage.world.then(busy_for(secs(59)));
    charge_within_a_minute("o".into()).key("k").call(&stage.runtime).await.failed();
    assert_eq!((stage.world.attempts(), stage.clock.paused()), (1, Duration::ZERO));

    let stage = Stage::new();
    stage.world.then(busy_for(secs(58)));
    charge_within_a_minute("o".into()).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(stage.clock.paused(), secs(59));
}

// ---- reads ----

#[tokio::test]
async fn a_read_is_tried_again_and_then_given_up() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Down)).then(busy_for(secs(5)));
    let seen = look("o".into()).call(&stage.runtime).await.unwrap();
    assert_eq!((seen.attempts(), stage.clock.paused()), (3, secs(1 + 6)));

    let stage = Stage::new();
    for _ in 0..9 {
        stage.world.then(Act::Fail(Trouble::Down));
    }
    assert_eq!(look("o".into()).call(&stage.runtime).await.failed(), Failure::Tool(Trouble::Down));
    assert_eq!(stage.world.attempts(), 3);
}

#[tokio::test]
async fn a_read_whose_outcome_is_unknown_is_simply_repeated() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    assert_eq!(look("o".into()).call(&stage.runtime).await.unwrap().attempts(), 2);
    for _ in 0..9 {
        stage.world.then(Act::Fail(Trouble::NoAnswer));
    }
    assert_eq!(
        look("o".into()).call(&stage.runtime).await.failed(),
        Failure::Tool(Trouble::NoAnswer)
    );
}

#[tokio::test]
async fn each_failed_attempt_is_in_the_history() {
    let stage = Stage::new();
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::Down));
    put("o".into()).key("k").call(&stage.runtime).await.unwrap();
    let history = stage.history("put", "k").await;
    let kinds: Vec<_> = history.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Claimed, EventKind::Attempted, EventKind::Succeeded]);
    let attempts = history[1].attempts();
    let told: Vec<_> = attempts.iter().map(|attempt| (attempt.number, &*attempt.error)).collect();
    assert_eq!(told, [(1, "too many requests"), (2, "it is down")]);
}
