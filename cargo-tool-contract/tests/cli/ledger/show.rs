//! `ledger show`

use std::time::Duration;

use tool_contract_runtime::ledger::{Intent, Terms, Verdict};

use super::stage::{Stage, confirmed, held, id, of_acme, slow, succeeded, terms, unknown};
use crate::shell::{finish, plain_command};

#[test]
fn an_unknown_outcome_is_shown_with_what_would_resolve_it() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), unknown("no answer\u{1b}[2J\nforged: line"));
    let said = stage.ledger(&["show", "order-17"]);
    let expected = r"charge_card[order-17]: it may have happened

  tool        charge_card
  key         order-17
  state       unknown since 2026-11-19 01:02:03 UTC (3d 2h ago)
  cause       no answer\u{1b}[2J\nforged: line
  escalation  esc_0123456789abcdef
  attempts    2 of 4
  arguments   {'cents':4200,'order_id':'order-17'}
  sent as     charge_card/order-17
  first seen  2026-11-19 01:02:03 UTC (3d 2h ago)

Terms
  2 attempts a call, 4 under one key in all
  to repeat what may have happened may do it twice
  nothing but a person finds out what happened; an effect shows after 10s at most
  an attempt ends after 30s
  a claim holds for 15s unless it is renewed
  a finished key replays for 30d
  the same operation under another key runs, and is noted

History: 3 events, verified
    1  2026-11-19 01:02:03 UTC  claimed
    2  2026-11-19 01:02:03 UTC  attempted
       attempt 1, 1.5s: retryable_failure(network): connection refused\n\u{1b}[2J
         → stop: no time left
    3  2026-11-19 01:02:03 UTC  became_unknown          no answer\u{1b}[2J\nforged: line

Next
  if it happened (RESULT is what its callers get, as JSON)
    tool-contract ledger resolve order-17 --tool charge_card --happened RESULT --why WHY
  if it did not happen
    tool-contract ledger resolve order-17 --tool charge_card --did-not-happen --why WHY
  to give it up: it never runs again, and its callers are told why
    tool-contract ledger resolve order-17 --tool charge_card --abandon --why WHY
"
    .replace('\'', "\"");
    assert_eq!((said.code, said.out, said.err.as_str()), (0, expected, ""));
}

#[test]
fn programs_get_everything() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-18"), terms(), succeeded(r#"{"charge":"ch_18"}"#));
    let said = stage.ledger(&["show", "order-18", "--json"]);
    let expected = r#"{
  "tenant": null,
  "tool": "charge_card",
  "key": "order-18",
  "state": "succeeded",
  "stands": "succeeded",
  "since": "2026-11-19T01:02:03.456Z",
  "attempts": 2,
  "escalation": null,
  "approval": null,
  "arguments": {"cents":4200,"order_id":"order-17"},
  "result": {"charge":"ch_18"},
  "cause": null,
  "believed_from": null,
  "lease_until": null,
  "not_before": null,
  "expires_at": "2026-11-19T01:02:03.456Z",
  "downstream_key": "charge_card/order-18",
  "correlation_id": null,
  "created_at": "2026-11-19T01:02:03.456Z",
  "changed_at": "2026-11-19T01:02:03.456Z",
  "terms": {
    "attempts": 2,
    "max_total": 4,
    "repeatable": false,
    "reconcilable": false,
    "lease": "15s",
    "timeout": "30s",
    "stoppable": true,
    "settle": "10s",
    "ttl": "30d",
    "sliding": false,
    "remint": "warn",
    "confirm": null,
    "saga": false,
    "covered": false
  },
  "approval_request": null,
  "history": [
    {
      "seq": 1,
      "at": "2026-11-19T01:02:03.456Z",
      "kind": "claimed",
      "fence": 1,
      "detail": null,
      "attempts": []
    },
    {
      "seq": 2,
      "at": "2026-11-19T01:02:03.456Z",
      "kind": "attempted",
      "fence": 1,
      "detail": null,
      "attempts": [
        {
          "number": 1,
          "began_at": "2026-11-19T01:02:03.456Z",
          "took_ms": 1500,
          "class": "retryable_failure(network)",
          "error": "connection refused\n\u001b[2J",
          "decided": "stop: no time left"
        }
      ]
    },
    {
      "seq": 3,
      "at": "2026-11-19T01:02:03.456Z",
      "kind": "succeeded",
      "fence": 1,
      "detail": null,
      "attempts": []
    }
  ],
  "broken": null,
  "next": [
    {
      "when": "it happened, and nothing is left to do. To run it again, though its effect may then happen again",
      "command": "tool-contract ledger reopen order-18 --tool charge_card --why WHY"
    }
  ]
}
"#;
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
}

/// What `show` proposes.
fn next(stage: &Stage, args: &[&str]) -> String {
    let said = stage.ledger(&[&["show"], args].concat());
    assert_eq!(said.code, 0, "{said:?}");
    said.out.split_once("\nNext\n").expect("what is next").1.to_owned()
}

#[test]
fn what_is_next_depends_on_where_it_stands() {
    let stage = Stage::new();
    stage.run(&of_acme("refund", "slow"), slow(), unknown("gone"));
    let expected = "  \
  if it happened (RESULT is what its callers get, as JSON)
    tool-contract ledger resolve slow --tool refund --tenant acme --happened RESULT --why WHY
  if it did not happen: from 2026-11-19 01:02:03 UTC (in 6d 22h) on
    tool-contract ledger resolve slow --tool refund --tenant acme --did-not-happen --why WHY
  if it did not happen, and its process is known to be dead (if that still lives, it may act on top of the next call)
    tool-contract ledger resolve slow --tool refund --tenant acme --did-not-happen --holder-is-dead --why WHY
  to give it up: it never runs again, and its callers are told why
    tool-contract ledger resolve slow --tool refund --tenant acme --abandon --why WHY
";
    assert_eq!(next(&stage, &["slow"]), expected);

    let covered = Terms { covered: true, ..terms() };
    stage.run(&id("reserve", "o/1"), covered, Verdict::Released { delay: Duration::ZERO });
    let expected = "  nothing happened, and its saga goes by that\n";
    assert_eq!(next(&stage, &["o/1"]), expected);

    let unstoppable = Terms { stoppable: false, ..terms() };
    stage.claim(&id("mail", "lost"), unstoppable);
    let expected = "  \
  if it happened (RESULT is what its callers get, as JSON)
    tool-contract ledger resolve lost --tool mail --happened RESULT --why WHY
  if it did not happen, and its process is known to be dead (if that still lives, it may act on top of the next call)
    tool-contract ledger resolve lost --tool mail --did-not-happen --holder-is-dead --why WHY
  to give it up: it never runs again, and its callers are told why
    tool-contract ledger resolve lost --tool mail --abandon --why WHY
";
    assert_eq!(next(&stage, &["lost"]), expected);

    stage.claim(&id("mail", "held"), held());
    let expected = "  \
  somebody is at it, until 2026-11-19 01:02:03 UTC (in 6d 22h) unless that is renewed; look again then
    tool-contract ledger show held --tool mail
";
    assert_eq!(next(&stage, &["held"]), expected);

    stage.admit(&id("delete_account", "asked"), confirmed(), Intent::RequestApproval);
    let expected = "  people have to agree; this says to what\n    tool-contract approvals show apr_00000000000000000000000000000001\n";
    assert_eq!(next(&stage, &["asked"]), expected);
}

#[test]
fn a_request_for_approval_is_shown() {
    let stage = Stage::new();
    stage.admit(&id("delete_account", "account-7"), confirmed(), Intent::RequestApproval);
    let said = stage.ledger(&["show", "account-7"]);
    let expected = "  approval    apr_00000000000000000000000000000001 asked by agent-7 2026-11-19 01:02:03 UTC \
                    (3d 2h ago); 1 must agree, nobody did; good until 2026-11-19 01:02:03 UTC (in 6d 22h)\n";
    assert!(said.out.contains(expected), "{}", said.out);
    let said = stage.ledger(&["show", "account-7", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let expected = serde_json::json!({
        "id": "apr_00000000000000000000000000000001",
        "requested_by": "agent-7",
        "requested_at": "2026-11-19T01:02:03.456Z",
        "expires_at": "2026-11-19T01:02:03.456Z",
        "quorum": 1,
        "grants": [],
        "denied": null,
    });
    assert_eq!(document["approval_request"], expected);
}

#[test]
fn an_expired_key_still_tells_its_result() {
    let stage = Stage::new();
    let short = Terms { ttl: Duration::from_mins(1), ..terms() };
    stage.run(&id("charge_card", "old"), short, succeeded(r#"{"charge":"ch_1"}"#));
    assert_eq!(stage.ledger(&["prune"]).code, 0);
    let said = stage.ledger(&["show", "old"]);
    assert!(said.out.contains("  state       expired since"), "{}", said.out);
    assert!(said.out.contains("  result      {\"charge\":\"ch_1\"}\n"), "{}", said.out);
    assert!(said.out.contains("  arguments   {\"cents\":4200"), "{}", said.out);
}

#[test]
fn a_key_of_two_tools_has_to_be_told_apart() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), unknown("no answer"));
    stage.run(&id("refund", "order-17"), terms(), succeeded("1"));
    stage.run(&of_acme("refund", "order-17"), terms(), succeeded("2"));
    let said = stage.ledger(&["show", "order-17"]);
    let expected = "\
error: several operations have the key `order-17`
  = help: say which:
    --tool charge_card --no-tenant (unknown)
    --tool refund --no-tenant (succeeded)
    --tool refund --tenant acme (succeeded)
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected));
    for (args, result) in [
        (&["--tool", "refund", "--no-tenant"][..], "result      1"),
        (&["--tenant", "acme"], "result      2"),
        (&["--tool", "charge_card"], "unknown"),
    ] {
        let said = stage.ledger(&[&["show", "order-17"], args].concat());
        assert!(said.code == 0 && said.out.contains(result), "{args:?}: {said:?}");
    }
    let command = "reopen order-17 --tool refund --no-tenant --why WHY\n";
    assert!(next(&stage, &["order-17", "--tool", "refund", "--no-tenant"]).ends_with(command));
}

#[test]
fn no_key_hides_the_tools_behind_it() {
    let stage = Stage::new();
    let last = "~".repeat(255);
    stage.run(&id("a", "~~"), terms(), succeeded("1"));
    stage.run(&id("a", &last), terms(), succeeded("1"));
    stage.run(&id("b", "order-17"), terms(), succeeded("17"));
    for (key, result) in [("order-17", "result      17\n"), (&last, "result      1\n")] {
        let said = stage.ledger(&["show", key]);
        assert!(said.code == 0 && said.out.contains(result), "{said:?}");
    }
}

#[test]
fn a_key_that_is_not_there_ends_with_1() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-17"), terms(), succeeded("1"));
    let said = stage.ledger(&["show", "order-71"]);
    let expected = "error: the ledger knows no operation `order-71`\n  = help: `tool-contract ledger ls` lists what it \
                    knows\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
    let said = stage.ledger(&["show", "order-17", "--tool", "charge"]);
    let expected = "error: the ledger knows no operation `order-17` of `charge`\n  = help: it has no tool `charge`; it \
                    has charge_card\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (1, "", expected));
}

#[test]
fn a_proposed_command_does_what_it_says() {
    let stage = Stage::new();
    let keys = ["-rf", "it's;$(x)"];
    for key in keys {
        stage.run(&id("charge_card", key), terms(), unknown("no answer"));
    }
    for key in keys {
        let path = stage.file();
        let mut show = plain_command();
        show.env_remove("TOOL_CONTRACT_LEDGER").args(["ledger", "--ledger"]).arg(&path);
        let said = finish(show.args(["show", "--tool", "charge_card", "--", key]));
        let next = said.out.split_once("\nNext\n").expect("what is next").1;
        let command = next.lines().find(|line| line.contains("--did-not-happen")).expect("one");
        let command = command.replace("WHY", "looked").replacen("tool-contract", "\"$TOOL\"", 1);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", command.trim()]).env("TOOL", env!("CARGO_BIN_EXE_tool-contract"));
        let said = finish(shell.env("USER", "ada"));
        assert!(said.code == 0 && said.out.contains("unknown → released"), "{command}: {said:?}");
    }
}
