//! All calls of an objective share a budget of attempts and of time.

use tool_contract::ledger::{Attempt, StateName};
use tool_contract::spec::rulebook::Code;
use tool_contract::testing::{Fault, Step};
use tool_contract::{
    Budget, BuildError, Call, CallError, Cx, Failure, Runtime, Status, Tool, tool,
};

use crate::stage::{Ending, LEASE, Stage, ms, secs};
use crate::tools::{Books, book, charge, charge_anew, look, put};
use crate::world::{Act, Trouble, World};

fn within(stage: &Stage, budget: Budget) -> Runtime {
    stage.builder().state(Books::default()).budget(budget).build().unwrap()
}

/// A call that belongs to the objective `w`.
fn of<T: Tool, K, A>(call: Call<T, K, A>) -> Call<T, K, A> {
    call.workflow("w")
}

/// What the policy decided after each attempt that failed.
async fn decided(stage: &Stage, tool: &'static str, key: &str) -> Vec<String> {
    let history = stage.history(tool, key).await;
    let attempts = history.iter().flat_map(tool_contract::ledger::Event::attempts);
    attempts.map(|Attempt { decided, .. }| decided).collect()
}

#[tokio::test]
async fn tools_and_runtimes_share_the_attempts_of_an_objective() {
    let stage = Stage::new();
    let budget = || within(&stage, Budget::attempts(4));
    let (one, two) = (budget(), budget());
    of(charge("o".into(), 1)).key("k1").call(&one).await.unwrap();
    of(look("o".into())).call(&two).await.unwrap();
    of(put("o".into())).key("k1").call(&one).await.unwrap();
    of(charge_anew("o".into())).call(&two).await.unwrap();
    for runtime in [&one, &two] {
        let spent = of(charge("p".into(), 1)).key("k2").call(runtime).await;
        let rejected = spent.refused(Code::BUDGET_SPENT);
        assert!(rejected.reason.contains("workflow `w` is used up: 4 of 4"), "{rejected}");
        assert!(rejected.next.contains("ask a person"), "{rejected}");
        assert_eq!(rejected.retry_after, None);
        assert_eq!(stage.state("charge", "k2").await, None);
        of(look("o".into())).call(runtime).await.refused(Code::BUDGET_SPENT);
    }
    assert_eq!(stage.world.attempts(), 4);
    // Another objective has another, and so has one of another tenant.
    look("o".into()).workflow("v").call(&one).await.unwrap();
    of(look("o".into())).tenant("t").call(&one).await.unwrap();
    // One that declares nothing counts nothing.
    of(look("o".into())).call(&stage.runtime).await.unwrap();
}

#[tokio::test]
async fn a_retry_counts_and_without_room_the_last_outcome_is_reported() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(4));
    stage.world.then(Act::Fail(Trouble::Busy));
    assert_eq!(of(charge("o".into(), 1)).key("k1").call(&runtime).await.unwrap().attempts(), 2);
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::Down));
    let waited = stage.clock.paused();
    let error = of(charge("o".into(), 1)).key("k2").call(&runtime).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::BUDGET_SPENT));
    assert_eq!((error.about().attempts, error.about().retry_after), (2, None));
    assert!(error.to_string().contains("it is down; not tried again [TC0261]"), "{error}");
    assert_eq!(Err::<(), _>(error).failed(), Failure::Tool(Trouble::Down));
    assert_eq!(stage.world.attempts(), 4);
    // Nobody waits for an attempt that is not made.
    assert_eq!(stage.clock.paused() - waited, secs(1));
    assert_eq!(stage.state("charge", "k2").await, Some(StateName::Released));
    let decided = decided(&stage, "charge", "k2").await;
    assert!(decided[0].starts_with("retry"), "{decided:?}");
    assert!(decided[1].starts_with("stop") && decided[1].contains("4 of 4"), "{decided:?}");
}

#[tokio::test]
async fn a_read_that_is_tried_again_counts_too() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(2));
    for _ in 0..3 {
        stage.world.then(Act::Fail(Trouble::Down));
    }
    let error = of(look("o".into())).call(&runtime).await.unwrap_err();
    assert_eq!((error.code(), error.about().attempts), (Some(Code::BUDGET_SPENT), 2));
    assert_eq!(Err::<(), _>(error).failed(), Failure::Tool(Trouble::Down));
    assert_eq!((stage.world.attempts(), stage.clock.paused()), (2, secs(1)));
}

#[tokio::test]
async fn what_may_have_happened_stays_unknown_and_is_found_out() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(2));
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let unknown = of(put("o".into())).key("k").call(&runtime).await;
    // A retry is allowed, and made.
    assert_eq!(unknown.unwrap().attempts(), 2);
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let runtime = within(&stage, Budget::attempts(1));
    let unknown = of(put("p".into())).key("p").call(&runtime).await.unknown();
    assert!(unknown.to_string().contains("not tried again [TC0261]"), "{unknown}");
    assert_eq!(stage.state("put", "p").await, Some(StateName::Unknown));
    // To find out draws nothing.
    let runtime = within(&stage, Budget::attempts(3));
    stage.world.then(Act::Fail(Trouble::NoAnswer)).then(Act::Fail(Trouble::Busy));
    stage.world.then(Act::HappenThenFail(Trouble::NoAnswer));
    assert_eq!(of(book("A1".into())).key("A1").call(&runtime).await.unwrap().attempts(), 3);
    let runtime = within(&stage, Budget::attempts(1));
    let attempts = stage.world.attempts();
    stage.world.then(Act::Fail(Trouble::NoAnswer));
    let error = of(book("A2".into())).key("A2").workflow("x").call(&runtime).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::BUDGET_SPENT), "{error}");
    assert_eq!(Err::<(), _>(error).failed(), Failure::DidNotHappen);
    assert_eq!(stage.world.attempts(), attempts + 1);
}

#[tokio::test]
async fn the_time_of_an_objective_begins_with_its_first_attempt() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(9).within(secs(60)));
    stage.clock.advance(secs(1_000));
    of(look("o".into())).call(&runtime).await.unwrap();
    stage.clock.advance(secs(58));
    stage.world.then(Act::Fail(Trouble::Busy));
    // Its second attempt begins a second later, and so in time.
    of(charge("o".into(), 1)).key("k1").call(&runtime).await.unwrap();
    let waited = stage.clock.paused();
    stage.world.then(Act::Fail(Trouble::Busy));
    let error = of(charge("o".into(), 1)).key("k2").call(&runtime).await.unwrap_err();
    assert!(error.to_string().contains("the time of the workflow `w` is over"), "{error}");
    assert!(error.to_string().contains("9 attempts within 1m of the first, and 4 were made"));
    assert_eq!(Err::<(), _>(error).failed(), Failure::Tool(Trouble::Busy));
    stage.world.then(Act::Fail(Trouble::Busy));
    assert_eq!(of(look("o".into())).call(&runtime).await.failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(stage.clock.paused(), waited);
    stage.clock.advance(secs(1) - ms(1));
    of(look("o".into())).call(&runtime).await.unwrap();
    for _ in 0..3 {
        stage.clock.advance(ms(1));
        let rejected = of(look("o".into())).call(&runtime).await.refused(Code::BUDGET_SPENT);
        assert!(rejected.reason.contains("6 were made"), "{rejected}");
        of(put("o".into())).key("k").call(&runtime).await.refused(Code::BUDGET_SPENT);
        stage.clock.advance(secs(60 * 60 * 24));
    }
}

#[tokio::test]
async fn what_does_not_run_costs_nothing() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(2));
    of(charge("o".into(), 1)).key("k").call(&runtime).await.unwrap();
    for _ in 0..5 {
        assert!(of(charge("o".into(), 1)).key("k").call(&runtime).await.unwrap().replayed());
        of(charge("o".into(), 2)).key("k").call(&runtime).await.refused(Code::CONFLICT);
    }
    of(charge("p".into(), 1)).key("p").call(&runtime).await.unwrap();
    assert!(of(charge("o".into(), 1)).key("k").call(&runtime).await.unwrap().replayed());
    of(charge("q".into(), 1)).key("q").call(&runtime).await.refused(Code::BUDGET_SPENT);
    assert_eq!(stage.state("charge", "q").await, None);
}

#[tokio::test]
async fn a_call_that_belongs_to_no_objective_is_refused_before_anything_is_asked() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(9));
    for step in [Step::Admit, Step::Draw] {
        stage.ledger.fail(step, Fault::Lost, usize::MAX);
    }
    let rejected = charge("o".into(), 1).key("k").call(&runtime).await;
    let rejected = rejected.refused(Code::OBJECTIVE_MISSING);
    let told = rejected.to_string();
    assert!(told.starts_with("`charge` [k] was not run [TC0262]: "), "{told}");
    assert!(rejected.next.contains(".workflow("), "{told}");
    look("o".into()).call(&runtime).await.refused(Code::OBJECTIVE_MISSING);
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn nothing_is_tried_again_if_the_ledger_cannot_be_asked() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(9));
    stage.ledger.fail(Step::Draw, Fault::Lost, usize::MAX);
    stage.world.then(Act::Fail(Trouble::Busy));
    let error = of(charge("o".into(), 1)).key("k").call(&runtime).await.unwrap_err();
    assert!(error.about().budget.as_deref().unwrap().contains("could not be asked"));
    assert_eq!(Err::<(), _>(error).failed(), Failure::Tool(Trouble::Busy));
    assert_eq!(stage.world.attempts(), 1);
    of(look("o".into())).call(&runtime).await.ledgerless();
    // Nor waits longer for it than the claim holds.
    stage.ledger.heal();
    stage.ledger.fail(Step::Draw, Fault::Hang, usize::MAX);
    stage.world.then(Act::Fail(Trouble::Busy));
    let call = of(charge("p".into(), 1)).key("p").call(&runtime);
    let call = tokio::spawn(call);
    stage.ledger.hangs().await;
    stage.pass(LEASE).await;
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Failed(Failure::Tool(Trouble::Busy), _)), "{error}");
}

#[tokio::test]
async fn an_agent_is_told_to_stop_and_ask() {
    let stage = Stage::new();
    let builder = stage.builder().budget(Budget::attempts(2));
    let runtime = builder.tool::<crate::tools::Charge>().build().unwrap();
    let send = async |key: &str, workflow: &str| {
        let request = format!(
            r#"{{"tool":"charge","arguments":{{"order":"o","cents":1}},"meta":{{"idempotency_key":"{key}"{workflow}}}}}"#
        );
        runtime.dispatch_json(request.as_bytes()).await
    };
    stage.world.then(Act::Fail(Trouble::Busy)).then(Act::Fail(Trouble::Busy));
    let failed = send("k1", r#","workflow":"w""#).await;
    let refused = send("k2", r#","workflow":"w""#).await;
    for (response, status) in [(failed, Status::Failed), (refused, Status::Refused)] {
        assert_eq!((response.status, response.code), (status, Some(Code::BUDGET_SPENT)));
        assert_eq!(response.retry_after_ms, None);
        assert!(response.message.unwrap().contains("stop, and ask a person"));
    }
    let nameless = send("k3", "").await;
    assert_eq!(nameless.code, Some(Code::OBJECTIVE_MISSING));
    assert!(nameless.message.unwrap().contains("`workflow` in `meta`"));
}

/// Charge by another tool.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn charge_through(cx: &Cx, order: String) -> Result<u32, Trouble> {
    let inner = charge(order, 1).key(format!("{}/inner", cx.idempotency_key()));
    let inner = inner.workflow(cx.workflow().unwrap_or_default());
    inner.call(cx.runtime()).await.map(|done| *done).map_err(|_| Trouble::Closed)
}

#[tokio::test]
async fn a_body_hands_its_objective_on() {
    let stage = Stage::new();
    let runtime = within(&stage, Budget::attempts(3));
    of(charge_through("o".into())).key("k1").call(&runtime).await.unwrap();
    let failure = of(charge_through("p".into())).key("k2").call(&runtime).await.failed();
    assert_eq!((failure, stage.world.attempts()), (Failure::Tool(Trouble::Closed), 1));
}

#[test]
fn a_budget_lets_something_through_and_wants_a_ledger() {
    for nothing in [Budget::attempts(0), Budget::attempts(1).within(secs(0))] {
        let refused = Stage::new().builder().budget(nothing).build();
        assert_eq!(refused.err(), Some(BuildError::BudgetUnkeepable));
    }
    let refused = Runtime::builder().budget(Budget::attempts(1)).build();
    assert_eq!(refused.err(), Some(BuildError::LedgerMissing));
}
