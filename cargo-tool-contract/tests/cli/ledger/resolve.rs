//! `ledger resolve`

use tool_contract_runtime::ledger::{Ledger as _, State, StateName, Terms};

use super::stage::{Stage, held, id, slow, succeeded, terms, unknown};
use crate::shell::{file, finish, plain_command};

/// A ledger with an unknown outcome.
fn doubtful(terms: Terms) -> Stage {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms, unknown("no answer"));
    stage
}

fn state(stage: &Stage) -> StateName {
    stage.find(&id("charge_card", "order-17")).state.name()
}

/// The detail of the newest event.
fn newest(stage: &Stage) -> Option<String> {
    let id = id("charge_card", "order-17");
    let history = stage.with(async |ledger| ledger.history(id).await.expect("a history"));
    history.last().and_then(|event| event.detail.clone())
}

const HAPPENED: [&str; 6] = [
    "resolve",
    "order-17",
    "--happened",
    r#"{"charge":"ch_17"}"#,
    "--why",
    "the provider lists it",
];

#[test]
fn it_happened() {
    let stage = doubtful(terms());
    let said = stage.ledger(&HAPPENED);
    let expected = "charge_card[order-17]: unknown → succeeded, on the word of ada: the provider lists it; its callers \
                    get this result\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    let record = stage.find(&id("charge_card", "order-17"));
    let State::Succeeded { result, .. } = record.state else { panic!("{record:?}") };
    assert_eq!(&*result, r#"{"charge":"ch_17"}"#);
    assert_eq!(newest(&stage).as_deref(), Some("ada: the provider lists it"));
    assert_eq!(stage.ledger(&["verify"]).code, 0);
}

#[test]
fn it_did_not_happen() {
    let stage = doubtful(terms());
    let args =
        ["resolve", "order-17", "--did-not-happen", "--why", "not there", "--by", "eve", "--json"];
    let said = stage.ledger(&args);
    let expected = r#"{
  "tenant": null,
  "tool": "charge_card",
  "key": "order-17",
  "before": "unknown",
  "state": "released",
  "by": "eve",
  "why": "not there"
}
"#;
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    assert_eq!(newest(&stage).as_deref(), Some("eve: not there"));
}

#[test]
fn a_holder_that_vanished_unseen_can_be_resolved() {
    let stage = Stage::new();
    stage.claim(&id("charge_card", "order-17"), terms());
    let said = stage.ledger(&["resolve", "order-17", "--did-not-happen", "--why", "not there"]);
    assert!(said.code == 0 && said.out.contains("unknown → released"), "{said:?}");
}

#[test]
fn too_early_says_how_long_and_what_else() {
    let stage = doubtful(slow());
    let early = ["resolve", "order-17", "--did-not-happen", "--why", "not there"];
    let said = stage.ledger(&early);
    let expected = "\
error: charge_card[order-17]: too early to say that it did not happen, for its former holder may still act, or its effect \
not show yet; nothing was changed
  = help: wait 6d 22h, look again, and say it again. Only if you know that its process is dead, and not merely slow or cut \
off, add `--holder-is-dead`: if it still lives, what it does comes on top of what the next call does. `tool-contract ledger \
show order-17 --tool charge_card` says more
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
    assert_eq!(state(&stage), StateName::Unknown);

    let said = stage.ledger(&[&early[..], &["--json"]].concat());
    let error: serde_json::Value = serde_json::from_str(&said.err).expect("JSON");
    let wait = error["error"]["wait_ms"].as_u64().expect("a wait");
    assert_eq!((said.code, error["error"]["kind"].as_str()), (1, Some("too_early")));
    assert!((594_000_000..600_000_000).contains(&wait), "{wait}");

    let said = stage.ledger(&[&early[..], &["--holder-is-dead"]].concat());
    assert!(said.code == 0 && said.out.contains("unknown → released"), "{said:?}");
}

#[test]
fn what_cannot_be_stopped_takes_a_dead_process() {
    let stage = Stage::new();
    stage.claim(&id("charge_card", "order-17"), Terms { stoppable: false, ..terms() });
    let said = stage.ledger(&["resolve", "order-17", "--did-not-happen", "--why", "not there"]);
    assert!(
        said.code == 1 && said.err.contains("cannot be stopped, and may act at any time"),
        "{said:?}"
    );
    assert!(said.err.contains("--holder-is-dead"), "{said:?}");
}

#[test]
fn a_state_of_which_that_cannot_be_said_ends_with_1() {
    let stage = Stage::new();
    stage.claim(&id("charge_card", "order-17"), held());
    let said = stage.ledger(&["resolve", "order-17", "--did-not-happen", "--why", "not there"]);
    let expected = "\
error: charge_card[order-17] is running, and only of an unknown outcome can that be said; nothing was changed
  = help: somebody is at it. If that process is gone, its lease runs out at 2026-11-19 01:02:03 UTC (in 6d 22h) and it \
becomes unknown; then a person's word counts
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
    let dead = ["--did-not-happen", "--holder-is-dead", "--why", "not there"];
    assert_eq!(stage.ledger(&[&["resolve", "order-17"], &dead[..]].concat()).code, 1);
    assert_eq!(state(&stage), StateName::Running);

    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), succeeded("1"));
    let said = stage.ledger(&HAPPENED);
    let expected = "\
error: charge_card[order-17] is succeeded, and only what waits for a person's word can be resolved; nothing was changed
  = help: `tool-contract ledger reopen order-17 --tool charge_card --why WHY` lets it run again, though its effect may then \
happen again
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
}

#[test]
fn a_word_without_a_person_or_a_reason_is_refused() {
    let stage = doubtful(terms());
    let long = "x".repeat(4_097);
    for (more, problem) in [
        (&["--why", "  "][..], "`--why` gives no reason; nothing was changed"),
        (&["--why", "WHY"], "`--why` gives no reason"),
        (&["--why", &long], "`--why` has 4097 bytes, of at most 4096"),
        (&["--why", "x", "--by", ""], "`--by` is 1 to 255 bytes without control characters"),
        (&["--why", "x", "--by", "a\u{1b}[2J"], "`--by` is 1 to 255 bytes"),
        (&["--why", "x", "--by", &long], "`--by` is 1 to 255 bytes"),
        (&[], "--why <TEXT>"),
    ] {
        let said = stage.ledger(&[&["resolve", "order-17", "--did-not-happen"], more].concat());
        assert!(said.code == 2 && said.out.is_empty() && said.err.contains(problem), "{said:?}");
    }
    let mut nobody = plain_command();
    nobody.env("TOOL_CONTRACT_LEDGER", stage.file()).env_remove("USER").env_remove("LOGNAME");
    let said = finish(nobody.arg("ledger").args(HAPPENED));
    assert!(said.code == 2 && said.err.contains("nobody is named who says so"), "{said:?}");
    assert_eq!(state(&stage), StateName::Unknown);
}

#[test]
fn a_result_is_json() {
    let stage = doubtful(terms());
    for result in ["", "RESULT", "ok", "{", "1 2", "{'a':1}", "\u{1b}[2J"] {
        let said = stage.ledger(&["resolve", "order-17", "--happened", result, "--why", "x"]);
        assert!(
            said.code == 2 && said.err.contains("the result is not JSON"),
            "{result}: {said:?}"
        );
    }
    assert_eq!(state(&stage), StateName::Unknown);
    // As it was written: no number loses a digit.
    let result = "-123456789012345678901234567890";
    assert_eq!(stage.ledger(&["resolve", "order-17", "--happened", result, "--why", "x"]).code, 0);
    let record = stage.find(&id("charge_card", "order-17"));
    assert!(matches!(record.state, State::Succeeded { result: kept, .. } if *kept == *result));
}

const CONTRACT: &str = "\
tools:
  charge_card:
    description: Charge.
    mode: write
    idempotent: true
    idempotency_key_required: true
    rollback: { strategy: manual_only }
    output: { schema: { type: object, required: [charge], properties: { charge: { type: string } } } }
  mail:
    description: Send.
    mode: read
";

#[test]
fn a_result_fits_the_contract_where_that_is_at_hand() {
    let stage = doubtful(terms());
    let path = file("resolve.yaml", CONTRACT);
    let resolve = |result, path: &str| {
        stage.ledger(&[
            "resolve",
            "order-17",
            "--happened",
            result,
            "--why",
            "x",
            "--contract",
            path,
        ])
    };
    let said = resolve(r#"{"charge":17}"#, &path);
    let problem =
        "the result.charge is not of the type string, by the output schema of `charge_card` in";
    assert!(said.code == 2 && said.err.contains(problem), "{said:?}");
    let said = resolve("1", &format!("{path}.missing"));
    assert!(said.code == 2 && said.err.contains("cannot read"), "{said:?}");
    assert_eq!(state(&stage), StateName::Unknown);
    assert_eq!(resolve(r#"{"charge":"ch_17"}"#, &path).code, 0);
}

#[test]
fn it_happened_or_it_did_not() {
    let stage = doubtful(terms());
    for more in [
        &["--why", "x"][..],
        &["--happened", "1", "--did-not-happen", "--why", "x"],
        &["--happened", "1", "--holder-is-dead", "--why", "x"],
    ] {
        let said = stage.ledger(&[&["resolve", "order-17"], more].concat());
        assert!(said.code == 2 && said.out.is_empty(), "{said:?}");
    }
    assert_eq!(state(&stage), StateName::Unknown);
}
