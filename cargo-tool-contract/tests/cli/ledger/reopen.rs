//! `ledger reopen`

use std::time::Duration;

use tool_contract_runtime::ledger::{StateName, Verdict};

use super::stage::{Stage, held, id, succeeded, terms, unknown};

fn finished() -> Stage {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-18"), terms(), succeeded(r#"{"charge":"ch_18"}"#));
    stage
}

fn state(stage: &Stage) -> StateName {
    stage.find(&id("charge_card", "order-18")).state.name()
}

const REOPEN: [&str; 4] = ["reopen", "order-18", "--why", "refunded by hand"];
const WARNING: &str = "warning: charge_card[order-18] is succeeded: reopened, the next call with this key makes it happen \
                       again\n";

#[test]
fn nobody_is_asked_where_nobody_is() {
    let stage = finished();
    let said = stage.ledger(&REOPEN);
    let expected = format!(
        "{WARNING}error: nothing was changed, for nobody is here to confirm it\n  = help: add `--yes` if it is meant\n"
    );
    assert_eq!((said.code, said.out.as_str(), said.err), (2, "", expected));
    assert_eq!(state(&stage), StateName::Succeeded);
}

#[test]
fn it_runs_again_when_that_is_meant() {
    let stage = finished();
    let said = stage.ledger(&[&REOPEN[..], &["--yes"]].concat());
    let expected = "charge_card[order-18]: succeeded → released, on the word of ada: refunded by hand; the next call with \
                    this key runs it\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, WARNING));
    assert_eq!(state(&stage), StateName::Released);
    let said = stage.ledger(&["show", "order-18"]);
    let event =
        "reopened                ada: refunded by hand; its result was {\"charge\":\"ch_18\"}\n";
    assert!(said.out.contains(event), "{}", said.out);
}

#[test]
fn programs_get_one_document() {
    let said = finished().ledger(&[&REOPEN[..], &["--yes", "--json"]].concat());
    let expected = r#"{
  "tenant": null,
  "tool": "charge_card",
  "key": "order-18",
  "before": "succeeded",
  "state": "released",
  "by": "ada",
  "why": "refunded by hand"
}
"#;
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
}

#[test]
fn what_is_not_at_rest_is_not_reopened() {
    let stage = Stage::new();
    stage.claim(&id("charge_card", "order-18"), held());
    let said = stage.ledger(&[&REOPEN[..], &["--yes"]].concat());
    let problem = "error: charge_card[order-18] is running, and only what is finished, refused, given up, expired or \
                   released can be reopened; nothing was changed\n";
    assert!(said.code == 1 && said.out.is_empty() && said.err.starts_with(problem), "{said:?}");
    assert_eq!(state(&stage), StateName::Running);

    let stage = Stage::new();
    stage.run(&id("charge_card", "order-18"), terms(), unknown("no answer"));
    let said = stage.ledger(&[&REOPEN[..], &["--yes"]].concat());
    assert!(
        said.code == 1 && said.err.contains("is unknown, and only what is finished"),
        "{said:?}"
    );
    assert_eq!(state(&stage), StateName::Unknown);
}

#[test]
fn what_never_happened_does_not_happen_again() {
    let (again, finished) = ("though its effect may then happen again", finished());
    assert!(finished.ledger(&["show", "order-18"]).out.contains(again));
    let stage = Stage::new();
    for _ in 0..2 {
        let nothing = Verdict::Released { delay: Duration::ZERO };
        stage.run(&id("charge_card", "order-18"), terms(), nothing);
    }
    assert_eq!(state(&stage), StateName::Exhausted);
    let said = stage.ledger(&["show", "order-18"]);
    assert!(said.out.contains("ledger reopen") && !said.out.contains(again), "{}", said.out);
}
