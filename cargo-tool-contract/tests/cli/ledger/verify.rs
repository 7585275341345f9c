//! `ledger verify`

use tool_contract_runtime::ledger::{Ledger as _, Query};

use super::stage::{Stage, admission, id, of_acme, succeeded, terms, unknown};

fn filled() -> Stage {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), unknown("no answer"));
    stage.run(&id("charge_card", "order-18"), terms(), succeeded("1"));
    stage.run(&of_acme("refund", "order-17"), terms(), succeeded("2"));
    stage
}

/// Changes the file behind the ledger's back.
fn tamper(stage: &Stage, sql: &str) {
    let connection = rusqlite::Connection::open(stage.file()).expect("the file");
    assert_eq!(connection.execute(sql, []).expect("a change"), 1, "{sql}");
}

#[test]
fn histories_are_as_they_were_written() {
    let stage = filled();
    let all = "checked 3 histories: each is as it was written\n";
    let one = "checked 1 history: each is as it was written\n";
    for (args, expected) in [
        (&["verify"][..], all),
        (&["verify", "order-18"], one),
        (&["verify", "order-17", "--tenant", "acme"], one),
        (&["verify", "--tool", "refund"], one),
        (&["verify", "--json"], "{\n  \"checked\": 3,\n  \"broken\": []\n}\n"),
    ] {
        let said = stage.ledger(args);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    }
    let said = stage.ledger(&["verify", "--tool", "refnud"]);
    let expected = "error: there is no operation of `refnud`\n  = help: it has no tool `refnud`; did you mean `refund`?\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
}

#[test]
fn a_changed_event_is_named() {
    let stage = filled();
    tamper(&stage, "UPDATE events SET detail = 'all is well' WHERE kind = 'became_unknown'");
    let said = stage.ledger(&["verify"]);
    let expected = "\
charge_card[order-17]: event 3 is not the one that was written, or one before it is missing
checked 3 histories: 1 broken
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, expected, ""));
    let said = stage.ledger(&["verify", "--json"]);
    let expected = r#"{
  "checked": 3,
  "broken": [
    {
      "tenant": null,
      "tool": "charge_card",
      "key": "order-17",
      "event": 3,
      "problem": "event 3 is not the one that was written, or one before it is missing"
    }
  ]
}
"#;
    assert_eq!((said.code, said.out.as_str()), (1, expected));
    assert_eq!(stage.ledger(&["verify", "order-18"]).code, 0);
    let said = stage.ledger(&["show", "order-17", "--no-tenant"]);
    assert!(
        said.code == 1 && said.out.contains("\nHistory: 3 events, BROKEN: event 3"),
        "{said:?}"
    );
}

#[test]
fn a_missing_event_is_named() {
    let stage = filled();
    tamper(&stage, "DELETE FROM events WHERE kind = 'became_unknown'");
    tamper(&stage, "DELETE FROM events WHERE seq = 1 AND operation = 2");
    let said = stage.ledger(&["verify"]);
    let expected = "\
charge_card[order-17]: the history has 2 events, and its record speaks of 3
charge_card[order-18]: event 1 is not the one that was written, or one before it is missing
checked 3 histories: 2 broken
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, expected, ""));
}

#[test]
fn an_event_that_cannot_be_read_is_a_finding() {
    let stage = filled();
    tamper(&stage, "UPDATE events SET kind = 'f\u{1b}[2J' WHERE kind = 'became_unknown'");
    let said = stage.ledger(&["verify"]);
    assert!(said.code == 1 && said.out.contains("checked 3 histories: 1 broken"), "{said:?}");
    assert!(
        said.out.starts_with("charge_card[order-17]: ") && !said.out.contains('\u{1b}'),
        "{said:?}"
    );
}

#[test]
fn an_operation_is_shown_though_its_history_cannot_be_read() {
    let stage = filled();
    tamper(&stage, "UPDATE events SET kind = 'f' WHERE kind = 'became_unknown'");
    let said = stage.ledger(&["show", "order-17", "--no-tenant"]);
    assert!(said.code == 1 && said.out.contains("\nHistory: 0 events, BROKEN: "), "{said:?}");
    assert!(said.out.contains("resolve order-17"), "{said:?}");
}

#[test]
fn more_than_a_page_is_checked() {
    let stage = Stage::new();
    stage.with(async |ledger| {
        for number in 0..=Query::MOST {
            let id = id("charge_card", &format!("order-{number}"));
            ledger.admit(&admission(&id, terms())).await.expect("admission");
        }
    });
    let said = stage.ledger(&["verify"]);
    assert_eq!(said.out, "checked 1001 histories: each is as it was written\n");
}

#[test]
fn an_empty_ledger_has_nothing_to_check() {
    let said = Stage::new().ledger(&["verify"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "checked 0 histories: each is as it was written\n")
    );
}
