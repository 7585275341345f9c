//! Which tools a runtime knows, and what it refuses to be built without.

use tool_contract::ledger::MemoryLedger;
use tool_contract::spec::rulebook::Code;
use tool_contract::testing;
use tool_contract::{BuildError, Meta, Request, Runtime, Status, tool};

use crate::stage::{Ending, Stage};
use crate::tools::{Charge, Look, charge, look};
use crate::world::{Trouble, World};

#[test]
fn a_registered_tool_whose_state_is_missing_keeps_the_runtime_from_being_built() {
    let error =
        Runtime::builder().ledger(MemoryLedger::new()).tool::<Charge>().build().unwrap_err();
    assert_eq!(error.code(), Some(Code::STATE_MISSING));
    let text = error.to_string();
    assert!(text.contains("`charge`") && text.contains("World"), "{text}");
    assert!(
        Runtime::builder()
            .ledger(MemoryLedger::new())
            .state(World::default())
            .tool::<Charge>()
            .build()
            .is_ok()
    );
}

#[tokio::test]
async fn an_unregistered_call_whose_state_is_missing_is_refused() {
    let (builder, _clock) = testing::runtime();
    let runtime = builder.build().unwrap();
    let rejected = charge("o".into(), 1).key("k").call(&runtime).await.refused(Code::STATE_MISSING);
    assert!(rejected.reason.contains("World"), "{rejected}");
    look("o".into()).call(&runtime).await.refused(Code::STATE_MISSING);
    assert!(
        runtime
            .ledger()
            .unwrap()
            .list(tool_contract::ledger::Query::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn effects_want_a_ledger_and_reads_do_not() {
    let error = Runtime::builder().state(World::default()).tool::<Charge>().build().unwrap_err();
    assert_eq!(error, BuildError::LedgerMissing);
    let runtime = Runtime::builder().state(World::default()).tool::<Look>().build().unwrap();
    look("o".into()).call(&runtime).await.unwrap();
    charge("o".into(), 1).key("k").call(&runtime).await.ledgerless();
}

#[test]
fn two_tools_of_one_name_keep_the_runtime_from_being_built() {
    let stage = Stage::new();
    let error =
        stage.builder().tool::<Charge>().tool::<tool_contract_tests::Charge>().build().unwrap_err();
    assert_eq!(error.code(), Some(Code::DUPLICATE_TOOL));
    let text = error.to_string();
    assert!(
        text.contains("behaviour::tools::charge") && text.contains("tool_contract_tests::charge"),
        "{text}"
    );
    assert!(stage.builder().tool::<Charge>().tool::<Charge>().build().is_ok());
}

#[tokio::test]
async fn a_second_type_of_one_name_is_refused_and_the_first_goes_on() {
    let stage = Stage::new();
    charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap();
    tool_contract_tests::charge("o".into(), 1)
        .key("k2")
        .call(&stage.runtime)
        .await
        .refused(Code::DUPLICATE_TOOL);
    assert!(charge("o".into(), 1).key("k").call(&stage.runtime).await.unwrap().replayed());
    assert_eq!(stage.state("charge", "k2").await, None);
}

/// Nobody registers this one.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn unregistered(text: String) -> Result<String, Trouble> {
    Ok(text)
}

#[tokio::test]
async fn the_first_typed_call_of_a_tool_registers_it() {
    let stage = Stage::new();
    let request = || {
        let meta = Meta { idempotency_key: Some("k".to_owned()), ..Meta::default() };
        Request::new("unregistered", &serde_json::json!({ "text": "t" }), meta).unwrap()
    };
    let names = || stage.runtime.tools().into_iter().map(|tool| tool.name).collect::<Vec<_>>();
    assert!(names().is_empty());
    assert_eq!(stage.runtime.dispatch(request()).await.code, Some(Code::UNKNOWN_TOOL));
    unregistered("t".into()).key("k").call(&stage.runtime).await.unwrap();
    assert_eq!(names(), ["unregistered"]);
    let response = stage.runtime.dispatch(request()).await;
    assert_eq!((response.status, response.replayed), (Status::Succeeded, true));
}

#[test]
fn a_tool_is_described_as_model_providers_want_it() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<Charge>().build().unwrap();
    let described = serde_json::to_value(runtime.tools()).unwrap();
    assert_eq!(described[0]["name"], "charge");
    assert_eq!(described[0]["description"], "Charge an order.");
    let schema = &described[0]["input_schema"];
    assert_eq!(schema["required"], serde_json::json!(["order", "cents"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["order"]["type"], "string");
    assert_eq!(described[0]["output_schema"]["type"], "integer");
}

/// A day.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Day(u16);

/// Print a page.
#[tool(side_effect = "read")]
async fn print_page(
    /// Which of them,
    /// from 1.
    #[arg(ignore)]
    number: u16,
    /// When it is printed.
    day: Day,
    other_day: Day,
    #[doc = "Anything."] anything: serde_json::Value,
) -> Result<u16, Trouble> {
    let _ = (day, other_day, anything);
    Ok(number)
}

#[test]
fn what_is_said_of_an_argument_reaches_its_schema() {
    let runtime = Stage::new().builder().tool::<PrintPage>().build().unwrap();
    let tools = runtime.tools();
    let said =
        |argument: &str| tools[0].input_schema["properties"][argument]["description"].clone();
    assert_eq!(said("number"), "Which of them,\nfrom 1.");
    assert_eq!(said("day"), "When it is printed.");
    assert_eq!(said("other_day"), "A day.", "what is said of the type");
    assert_eq!(said("anything"), "Anything.", "though its schema is only `true`");
}
