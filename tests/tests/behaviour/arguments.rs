//! Arguments that are left out of the hash, and arguments that nobody may see.

use tool_contract::ledger::Query;
use tool_contract::spec::operation::SecretKey;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Asked, BuildError, Cx, Meta, Request, Runtime, tool};

use crate::events::Collector;
use crate::stage::{Ending, Stage, others};
use crate::world::{Act, Trouble, World};

/// Charge, with words that a model chooses anew each time.
#[tool(side_effect = "write", idempotent, rollback = "none", state(World))]
async fn charge_with_memo(
    cx: &Cx,
    order: String,
    #[arg(ignore)] memo: String,
) -> Result<String, Trouble> {
    cx.state::<World>().act(&order).await?;
    Ok(memo)
}

#[tokio::test]
async fn ignored_arguments_make_no_other_operation() {
    let stage = Stage::new();
    let call = |memo: &str| charge_with_memo("o".into(), memo.into()).key("k").call(&stage.runtime);
    assert_eq!(*call("for the tea").await.unwrap(), "for the tea");
    // The first result, memo and all.
    let again = call("concerning tea").await.unwrap();
    assert!(again.replayed());
    assert_eq!(*again, "for the tea");
    charge_with_memo("p".into(), "for the tea".into())
        .key("k")
        .call(&stage.runtime)
        .await
        .refused(Code::CONFLICT);
    assert_eq!(stage.world.effects(), 1);
}

// ---- secrets ----

const CARD: &str = "4111-1111-1111-1111";

/// Pay with a card.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile(with = "find_payment"),
    retry(max = 2, on = "retryable"),
    state(World)
)]
async fn pay(cx: &Cx, #[arg(secret)] card: String, cents: u64) -> Result<u32, Trouble> {
    assert!(!card.is_empty());
    cx.state::<World>().act(&format!("pay-{cents}")).await
}

async fn find_payment(asked: Asked<Pay>) -> Result<Option<u32>, Trouble> {
    assert!(!format!("{asked:?}").contains(CARD));
    Err(Trouble::Down)
}

fn with_key(stage: &Stage, byte: u8) -> Runtime {
    stage.builder().secret_key(SecretKey::new([byte; 32]).unwrap()).tool::<Pay>().build().unwrap()
}

#[tokio::test]
async fn a_tool_with_a_secret_wants_a_key_to_hash_it_under() {
    let stage = Stage::new();
    let error = stage.builder().tool::<Pay>().build().unwrap_err();
    assert_eq!(error, BuildError::SecretKeyMissing { tool: "pay".into() });
    pay(CARD.into(), 5).key("k").call(&stage.runtime).await.refused(Code::STATE_MISSING);
    assert_eq!(stage.world.attempts(), 0);
}

#[tokio::test]
async fn a_secret_tells_operations_apart() {
    let stage = Stage::new();
    let runtime = with_key(&stage, 1);
    pay(CARD.into(), 5).key("k").call(&runtime).await.unwrap();
    assert!(pay(CARD.into(), 5).key("k").call(&runtime).await.unwrap().replayed());
    pay("4222".into(), 5).key("k").call(&runtime).await.refused(Code::CONFLICT);
    // Another process with the same key finds it, one with another key does not.
    assert!(pay(CARD.into(), 5).key("k").call(&with_key(&stage, 1)).await.unwrap().replayed());
    pay(CARD.into(), 5).key("k").call(&with_key(&stage, 2)).await.refused(Code::CONFLICT);
    assert_eq!(stage.world.effects(), 1);
}

/// All that can be seen of the operation `k` of [`pay`], and of calls of it.
async fn seen(stage: &Stage, runtime: &Runtime) -> Vec<String> {
    let mut seen = vec![
        format!("{:?}", stage.record("pay", "k").await.unwrap()),
        format!("{:?}", stage.history("pay", "k").await),
        format!("{:?}", stage.ledger.inner().list(Query::default()).await.unwrap()),
        format!("{:?}", pay(CARD.into(), 5)),
        format!("{:?}", pay(CARD.into(), 5).key("k").call(runtime)),
        format!("{:?}", pay(CARD.into(), 5).arguments()),
        serde_json::to_string(&runtime.tools()).unwrap(),
    ];
    for cents in [5, 6] {
        let called = pay(CARD.into(), cents).key("k").call(runtime).await;
        if let Err(error) = &called {
            seen.push(error.to_string());
        }
        seen.push(format!("{called:?}"));
    }
    let meta = Meta { idempotency_key: Some("k".into()), ..Meta::default() };
    for arguments in [
        serde_json::json!({ "card": CARD, "cents": 5 }),
        serde_json::json!({ "card": CARD, "cents": "five" }),
        serde_json::json!({ "card": { "number": CARD }, "cents": 5 }),
        serde_json::json!({ "card": [CARD], "cents": 5 }),
        serde_json::json!([CARD, 5]),
        serde_json::json!(format!("{{\"card\":\"{CARD}\"}}")),
        serde_json::json!({ "card": CARD, "cent": 5 }),
    ] {
        let response =
            runtime.dispatch(Request::new("pay", &arguments, meta.clone()).unwrap()).await;
        seen.push(format!("{response:?}"));
        seen.push(serde_json::to_string(&response).unwrap());
    }
    seen
}

#[tokio::test]
async fn a_secret_is_never_seen_again() {
    for act in [Act::Succeed, Act::Fail(Trouble::Busy), Act::Fail(Trouble::NoAnswer), Act::Panic] {
        let (collector, _guard) = Collector::install();
        let stage = Stage::new();
        let runtime = with_key(&stage, 1);
        stage.world.then(act);
        pay(CARD.into(), 5).key("k").call(&runtime).await.ok();
        let mut seen = seen(&stage, &runtime).await;
        others().await;
        let lines = collector.lines();
        assert!(lines.iter().any(|line| line.contains("pay[k]")), "{lines:?}");
        seen.extend(lines);
        for text in &seen {
            assert!(!text.contains("4111-1111"), "{text}");
        }
        // What is no secret is there.
        assert!(seen[0].contains(r#"{\"cents\":5}"#), "{}", seen[0]);
        assert!(seen[5].contains(r#""cents":5"#), "{}", seen[5]);
    }
}

/// Close what a secret opens.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human"),
    rollback = "none",
    state(World)
)]
async fn close_vault(cx: &Cx, #[arg(secret)] pin: String, vault: String) -> Result<u32, Trouble> {
    let _ = pin;
    cx.state::<World>().act(&vault).await
}

#[tokio::test]
async fn whoever_approves_does_not_see_secrets() {
    let stage = Stage::new();
    let runtime = with_key(&stage, 1);
    let call = || close_vault("open-sesame".into(), "v".into()).key("k");
    let pending = call().request_approval(&runtime).await.unwrap();
    let approver = runtime.insecure_local_approver("ann");
    let waiting = approver.waiting().await.unwrap();
    assert_eq!(&*waiting[0].arguments, r#"{"vault":"v"}"#);
    assert!(!format!("{waiting:?} {pending:?}").contains("sesame"));
    let approval = approver.grant(&pending).await.unwrap();
    // Another pin is another call.
    close_vault("open-barley".into(), "v".into())
        .key("k")
        .approved(approval)
        .call(&runtime)
        .await
        .refused(Code::CONFLICT);
}
