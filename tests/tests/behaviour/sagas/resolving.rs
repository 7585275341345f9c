//! A person's word on a saga as a whole, and on what it waits for.

use tool_contract::ledger::{Query, Reconciled, Resolved, StateName};
use tool_contract::{Escalation, Request, Status};

use super::shop::Act;
use super::yard::Yard;
use crate::world::Trouble;

/// An order that cannot be undone, for what is held cannot be let go.
async fn stuck(yard: &Yard) -> Escalation {
    yard.stick("o").await;
    let of_orders = Query { tool: Some("order".to_owned()), ..Query::default() };
    yard.runtime.escalations().list(of_orders).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_saga_that_is_half_done_is_not_resolved_as_a_whole() {
    Yard::each(|yard| async move {
        let (queue, saga) = (yard.runtime.escalations(), stuck(&yard).await);
        let happened = |result: &str| Resolved::Happened { result: result.into() };
        for said in [
            Resolved::DidNotHappen { holder_is_dead: true },
            Resolved::Abandoned,
            happened("null"),
            happened(r#"{"undone":true}"#),
        ] {
            let answer = queue.resolve(&saga, said.clone(), "ada", "away with it").await.unwrap();
            let Reconciled::OfItsSteps { cause } = answer else { panic!("{said:?}: {answer:?}") };
            assert!(cause.contains("`hold.rollback` [o/1]"), "{cause}");
        }
        assert_eq!(yard.state("order", "o").await, Some(StateName::Unknown));
        // It says what it waits for, and goes on once that is resolved.
        let waits = queue.waits_for(&saga).await.unwrap();
        let names: Vec<String> = waits.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["hold.rollback[o/1]"]);
        yard.resolve("hold.rollback", "o/1", happened("null")).await;
        assert_eq!(queue.waits_for(&saga).await.unwrap(), []);
        yard.order("o").await.undone(&[1, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_was_brought_to_its_end_by_hand_has_come_to_that() {
    let yard = Yard::new();
    let saga = stuck(&yard).await;
    let result = r#"{"undone":{"error":"by hand","steps":[{"step":1,"tool":"hold"}]}}"#;
    let said = Resolved::Happened { result: result.into() };
    let said = yard.runtime.escalations().resolve(&saga, said, "ada", "let go").await.unwrap();
    assert_eq!(said, Reconciled::Recorded { state: StateName::Succeeded, escalation: None });
    assert_eq!(yard.order("o").await.undone(&[1]), "by hand");
}

#[tokio::test]
async fn an_agent_sees_at_once_that_a_saga_was_undone() {
    let yard = Yard::new();
    yard.shop.then("pay 42", Act::Fail(Trouble::Closed));
    let order = serde_json::json!({ "item": "lamp", "cents": 42 });
    let of_key = |key: &str| {
        let key = Some(key.to_owned());
        let meta = tool_contract::Meta { idempotency_key: key, ..Default::default() };
        Request::new("order", &order, meta).unwrap()
    };
    for replayed in [false, true] {
        let response = yard.through(yard.runtime.dispatch(of_key("o"))).await;
        assert_eq!((response.status, response.replayed), (Status::Failed, replayed));
        let message = response.message.unwrap();
        assert!(message.contains("closed for good") && message.contains("new key"), "{message}");
        assert!(response.result.unwrap().get().starts_with(r#"{"undone":"#));
    }
    let response = yard.through(yard.runtime.dispatch(of_key("p"))).await;
    assert_eq!((response.status, response.message), (Status::Succeeded, None));
}

#[tokio::test]
async fn a_model_reads_no_markup_in_what_a_saga_returns() {
    use tool_contract::Tool as _;
    let yard = Yard::new();
    let name = &*super::shop::Order::contract().name;
    let tools = yard.runtime.tools();
    let order = tools.iter().find(|tool| tool.name == name).unwrap();
    let schema = order.output_schema.to_string();
    assert!(schema.contains("undone"), "{schema}");
    for markup in ["[`", "`]", "](", "::"] {
        assert!(!schema.contains(markup), "{markup} in {schema}");
    }
}
