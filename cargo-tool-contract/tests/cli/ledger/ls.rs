//! `ledger ls`

use tool_contract_runtime::ledger::Intent;

use super::stage::{Stage, confirmed, held, id, of_acme, slow, succeeded, terms, unknown};

/// One operation of each kind.
fn filled() -> Stage {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), unknown("no answer"));
    stage.run(&id("charge_card", "order-18"), terms(), succeeded("1"));
    stage.claim(&id("charge_card", "order-19"), held());
    stage.claim(&id("charge_card", "order-20"), terms());
    stage.admit(&id("delete_account", "account-7"), confirmed(), Intent::RequestApproval);
    stage.run(&of_acme("refund", "order-17"), slow(), unknown("gone"));
    stage
}

#[test]
fn all_are_listed() {
    let said = filled().ledger(&["ls"]);
    let expected = "\
TOOL            KEY        TENANT  STATE                 ATTEMPTS  SINCE                    AGE    ESCALATION
charge_card     order-17           unknown               2         2026-11-19 01:02:03 UTC  3d 2h  esc_0123456789abcdef
charge_card     order-18           succeeded             2         2026-11-19 01:02:03 UTC  3d 2h
charge_card     order-19           running               2         2026-11-19 01:02:03 UTC  3d 2h
charge_card     order-20           running, now unknown  2         2026-11-19 01:02:03 UTC  3d 2h
delete_account  account-7          awaiting_approval     0         2026-11-19 01:02:03 UTC  3d 2h
refund          order-17   acme    unknown               2         2026-11-19 01:02:03 UTC  3d 2h  esc_0123456789abcdef
6 operations
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
}

#[test]
fn what_waits_for_a_person_is_listed_unknown_first() {
    let stage = filled();
    let said = stage.ledger(&["ls", "--attention"]);
    let expected = "\
TOOL            KEY        TENANT  STATE                 ATTEMPTS  SINCE                    AGE    ESCALATION
charge_card     order-17           unknown               2         2026-11-19 01:02:03 UTC  3d 2h  esc_0123456789abcdef
charge_card     order-20           running, now unknown  2         2026-11-19 01:02:03 UTC  3d 2h
refund          order-17   acme    unknown               2         2026-11-19 01:02:03 UTC  3d 2h  esc_0123456789abcdef
delete_account  account-7          awaiting_approval     0         2026-11-19 01:02:03 UTC  3d 2h
4 operations
`tool-contract ledger show KEY` says what would resolve one
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));

    let said = stage.ledger(&["ls", "--attention", "--limit", "1"]);
    assert!(said.out.contains("1 operation; there may be more: raise --limit\n"), "{}", said.out);
    let said = stage.ledger(&["ls", "--attention", "--tool", "charge_card"]);
    assert!(said.out.contains("2 operations\n"), "{}", said.out);
}

#[test]
fn filters_and_pages() {
    let stage = filled();
    for (args, keys) in [
        (&["--tool", "refund"][..], &["order-17"][..]),
        (&["--tenant", "acme"], &["order-17"]),
        (&["--state", "unknown"], &["order-17", "order-20", "order-17"]),
        (&["--state", "running"], &["order-19"]),
        (&["--state", "succeeded", "--tool", "charge_card"], &["order-18"]),
        (&["--after", "charge_card/order-20"], &["account-7", "order-17"]),
        (&["--after", "delete_account/account-7"], &["order-17"]),
        (&["--after", "@acme/refund/order-17"], &[]),
        (&["--limit", "2"], &["order-17", "order-18"]),
    ] {
        let said = stage.ledger(&[&["ls", "--json"], args].concat());
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let operations = document["operations"].as_array().expect("operations");
        let found: Vec<&str> = operations.iter().filter_map(|each| each["key"].as_str()).collect();
        assert_eq!((said.code, found.as_slice()), (0, keys), "{args:?}");
    }
    let said = stage.ledger(&["ls", "--limit", "2"]);
    let last = "2 operations; there may be more: add --after charge_card/order-18\n";
    assert!(said.out.ends_with(last), "{}", said.out);
}

#[test]
fn programs_get_one_document() {
    let said = filled().ledger(&["ls", "--json", "--tool", "charge_card", "--limit", "1"]);
    let expected = r#"{
  "operations": [
    {
      "tenant": null,
      "tool": "charge_card",
      "key": "order-17",
      "state": "unknown",
      "stands": "unknown",
      "since": "2026-11-19T01:02:03.456Z",
      "attempts": 2,
      "escalation": "esc_0123456789abcdef",
      "approval": null
    }
  ],
  "next": "charge_card/order-17"
}
"#;
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let stage = Stage::new();
    let said = stage.ledger(&["ls", "--attention"]);
    assert_eq!((said.code, said.out.as_str()), (0, "nothing waits for a person\n"));
    let said = stage.ledger(&["ls", "--json"]);
    assert_eq!(said.out, "{\n  \"operations\": [],\n  \"next\": null\n}\n");
    let said = stage.ledger(&["ls", "--tool", "x"]);
    assert_eq!(said.out, "no operations; it is empty\n");
    let said = filled().ledger(&["ls", "--tool", "chrage_card"]);
    let expected = "no operations; it has no tool `chrage_card`; did you mean `charge_card`?\n";
    assert_eq!((said.code, said.out.as_str()), (0, expected));
}

#[test]
fn wrong_usage_ends_with_2() {
    let stage = Stage::new();
    for (args, problem) in [
        (&["ls", "--state", "unkown"][..], "did you mean `unknown`?"),
        (&["ls", "--state", "blue"], "it is one of awaiting_approval, approved, denied, running,"),
        (&["ls", "--limit", "0"], "0 is not in 1..=1000"),
        (&["ls", "--limit", "1001"], "1001 is not in 1..=1000"),
        (&["ls", "--after", "order-17"], "`TOOL/KEY` or `@TENANT/TOOL/KEY`"),
        (&["ls", "--tenant", "ä"], "is not visible ASCII"),
        (&["ls", "--attention", "--state", "unknown"], "cannot be used with"),
        (&["show", "a b"], "is not visible ASCII"),
        (&["show", ""], "it is empty"),
    ] {
        let said = stage.ledger(args);
        assert!(said.code == 2 && said.out.is_empty() && said.err.contains(problem), "{said:?}");
    }
}
