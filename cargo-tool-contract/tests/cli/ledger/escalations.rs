//! `escalations`

use std::time::Duration;

use tool_contract_runtime::ledger::{State, StateName, Verdict};

use super::stage::{Stage, confirmed, held, id, of_acme, succeeded, terms, unknown};
use crate::shell::Said;

const NOTHING: Verdict = Verdict::Released { delay: Duration::ZERO };

/// One of each kind that waits, and of most that do not.
fn filled() -> Stage {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), unknown("no answer"));
    stage.run(&id("charge_card", "order-18"), terms(), succeeded("1"));
    stage.claim(&id("charge_card", "order-19"), held());
    stage.claim(&id("charge_card", "order-20"), terms());
    stage.admit(
        &id("delete_account", "account-7"),
        confirmed(),
        tool_contract_runtime::ledger::Intent::RequestApproval,
    );
    for _ in 0..2 {
        stage.run(&of_acme("refund", "order-17"), terms(), NOTHING);
    }
    stage
}

fn queue(stage: &Stage, args: &[&str]) -> serde_json::Value {
    let said = stage.tool("escalations", &[&["ls", "--json"], args].concat());
    assert_eq!((said.code, &*said.err), (0, ""));
    serde_json::from_str(&said.out).expect("JSON")
}

/// The ids of what waits.
fn ids(stage: &Stage) -> Vec<String> {
    let document = queue(stage, &[]);
    let listed = document["escalations"].as_array().expect("a list").iter();
    listed.filter_map(|each| each["escalation"].as_str()).map(str::to_owned).collect()
}

fn escalations(stage: &Stage, args: &[&str]) -> Said {
    stage.tool("escalations", args).timeless()
}

#[test]
fn what_waits_is_listed_with_why() {
    let said = escalations(&filled(), &["ls"]);
    let expected = "\
ESCALATION            TOOL         KEY       TENANT  STATE      AGE    CAUSE
esc_0123456789abcdef  charge_card  order-17          unknown    3d 2h  no answer
esc_0123456789abcdef  charge_card  order-20          unknown    3d 2h  the holder's lease ran out: its process died, froze or lost the ledger
esc_0123456789abcdef  refund       order-17  acme    exhausted  3d 2h  it failed without effect in all its 4 attempts
3 escalations
`tool-contract escalations show ESCALATION` tells the whole story, and what would resolve it
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    let said = escalations(&Stage::new(), &["ls"]);
    assert_eq!((said.code, said.out.as_str()), (0, "nothing waits for a person's word\n"));
}

#[test]
fn programs_get_one_document() {
    let stage = filled();
    let document = queue(&stage, &["--tool", "refund"]);
    let listed = &document["escalations"][0];
    assert_eq!(document["escalations"].as_array().map(Vec::len), Some(1));
    assert!(listed["escalation"].as_str().is_some_and(|id| id.starts_with("esc_")));
    assert!(listed["since"].is_string());
    for (field, value) in [
        ("tenant", serde_json::json!("acme")),
        ("tool", serde_json::json!("refund")),
        ("key", serde_json::json!("order-17")),
        ("state", serde_json::json!("exhausted")),
        ("attempts", serde_json::json!(4)),
        ("max_total", serde_json::json!(4)),
        ("cause", serde_json::json!("it failed without effect in all its 4 attempts")),
        ("arguments", serde_json::json!({ "cents": 4200, "order_id": "order-17" })),
    ] {
        assert_eq!(listed[field], value, "{field}");
    }
    let first = queue(&stage, &["--limit", "1"]);
    assert_eq!(first["next"], "charge_card/order-17");
    let rest = queue(&stage, &["--after", "charge_card/order-17", "--tenant", "acme"]);
    assert_eq!(rest["escalations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_whole_story_is_shown_by_the_id_or_by_the_key() {
    let stage = filled();
    let ids = ids(&stage);
    let said = escalations(&stage, &["show", &ids[2]]);
    assert_eq!(said.code, 0, "{said:?}");
    for part in [
        "nothing happened, and it has had all its attempts\n",
        "  state       exhausted since",
        "  arguments   {\"cents\":4200,\"order_id\":\"order-17\"}\n",
        "       attempt 1, 1.5s: retryable_failure(network): connection refused",
        "\n         → stop: no time left\n",
        "\
Next
  it has had all its attempts. To allow as many again
    tool-contract ledger reopen order-17 --tool refund --tenant acme --why WHY
  if somebody did it by hand (RESULT is what its callers get, as JSON)
    tool-contract ledger resolve order-17 --tool refund --tenant acme --happened RESULT --why WHY
  to give it up: it never runs again, and its callers are told why
    tool-contract ledger resolve order-17 --tool refund --tenant acme --abandon --why WHY
",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    let by_key = escalations(&stage, &["show", "order-17", "--tool", "refund"]);
    assert_eq!(by_key.out, said.out);
    // One whose holder vanished unseen has an id, too.
    let vanished = escalations(&stage, &["show", &ids[1]]);
    assert!(
        vanished.out.starts_with("charge_card[order-20]: it may have happened"),
        "{vanished:?}"
    );
}

#[test]
fn it_is_resolved_by_its_id() {
    let stage = filled();
    let ids = ids(&stage);
    let said =
        escalations(&stage, &["resolve", &ids[2], "--happened", "7", "--why", "refunded by hand"]);
    let expected = "refund[order-17] of acme: exhausted → succeeded, on the word of ada: refunded by hand; its \
                    callers get this result\n";
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.ends_with(expected.split_once(": exhausted").expect("two").1), "{said:?}");
    let said = escalations(&stage, &["resolve", &ids[0], "--did-not-happen", "--why", "looked"]);
    assert!(said.out.contains("unknown → released"), "{said:?}");
    assert_eq!(queue(&stage, &[])["escalations"].as_array().map(Vec::len), Some(1));
    // What is over is not found by that id any more.
    let said = escalations(&stage, &["resolve", &ids[0], "--abandon", "--why", "late"]);
    assert!(said.code == 1 && said.err.contains("knows no operation"), "{said:?}");
}

#[test]
fn what_is_given_up_says_by_whom_and_why() {
    let stage = filled();
    let ids = ids(&stage);
    let said = escalations(
        &stage,
        &["resolve", &ids[0], "--abandon", "--why", "the order is gone", "--by", "eve"],
    );
    let expected = "charge_card[order-17]: unknown → abandoned, on the word of eve: the order is gone; it never runs \
                    again, and its callers are told why\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    let record = stage.find(&id("charge_card", "order-17"));
    let State::Abandoned { no, .. } = &record.state else { panic!("{record:?}") };
    assert_eq!((&*no.by, &*no.why), ("eve", "the order is gone"));
    let said = escalations(&stage, &["show", "order-17", "--no-tenant"]);
    assert!(said.out.contains("  given up    by eve: the order is gone\n"), "{}", said.out);
    assert!(said.out.contains("resolved_abandoned      eve: the order is gone\n"), "{}", said.out);
    let reopen = ["reopen", "order-17", "--no-tenant", "--yes", "--why", "it came back"];
    assert_eq!(stage.ledger(&reopen).code, 0);
    assert_eq!(stage.find(&id("charge_card", "order-17")).state.name(), StateName::Released);
}

#[test]
fn only_one_thing_is_said_at_a_time() {
    let stage = filled();
    for flags in [&["--abandon", "--did-not-happen"][..], &["--abandon", "--holder-is-dead"], &[]] {
        let args = [&["resolve", "order-20", "--why", "looked"], flags].concat();
        let said = escalations(&stage, &args);
        assert!(said.code == 2 && said.out.is_empty(), "{said:?}");
    }
    let args = ["resolve", "order-17", "--tool", "refund", "--did-not-happen", "--why", "looked"];
    let said = escalations(&stage, &args);
    assert!(said.code == 1 && said.err.contains("only of an unknown outcome"), "{said:?}");
    let said = escalations(&stage, &["resolve", "order-18", "--abandon", "--why", "looked"]);
    assert!(said.code == 1 && said.err.contains("only what waits for a person"), "{said:?}");
}
