//! `sagas`: what sagas did, as people see it.

mod resting;

use tool_contract_runtime::ledger::{
    Claim, Intent, Ledger as _, Note, Renewed, Settlement, StateName, Terms, Verdict,
};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::saga::{MOST_ATTEMPTS, Noted, Stepped};

use crate::ledger::stage::{AGO, Stage, held, id, of_acme, succeeded, terms, unknown};
use crate::shell::Said;

/// What a saga says.
fn saga() -> Terms {
    Terms { attempts: 3, max_total: MOST_ATTEMPTS, repeatable: true, saga: true, ..held() }
}

/// Notes something in the history of a saga.
fn note(stage: &Stage, id: &OperationId, claim: &Claim, note: Note) {
    let renewed = stage.with(async |ledger| {
        ledger.renew(id.clone(), claim.fence, Some(note)).await.expect("an answer")
    });
    assert!(matches!(renewed, Renewed::Until { .. }));
}

fn step(number: u32, tool: &str, pivot: bool, noted: Option<Noted>) -> Note {
    let hash = OperationHash::from_bytes([7; 32]);
    let tool = tool.to_owned();
    Note::Stepped(Stepped { step: number, tool, hash, pivot, noted }.to_detail())
}

fn settle(stage: &Stage, id: &OperationId, claim: &Claim, verdict: Verdict) {
    let (id, fence) = (id.clone(), claim.fence);
    let settlement = Settlement { id, fence, used: 1, verdict, attempts: Vec::new() };
    stage.with(async |ledger| ledger.settle(&settlement).await.expect("settlement"));
}

/// One that finished, one of a tenant that is under way, and one that rests, for
/// its second step could not be undone.
fn filled() -> Stage {
    let stage = Stage::new();
    let done = id("place_order", "order-6");
    let claim = stage.claim(&done, saga());
    settle(&stage, &done, &claim, succeeded(r#"{"finished":{"parcel":6}}"#));

    let rests = id("place_order", "order-7");
    let claim = stage.claim(&rests, saga());
    note(&stage, &rests, &claim, step(0, "look_up", false, Some(Noted::Read("42".into()))));
    note(&stage, &rests, &claim, step(1, "reserve", false, None));
    stage.run(&id("reserve", "order-7/1"), terms(), succeeded("1"));
    note(&stage, &rests, &claim, step(2, "hold", false, None));
    stage.run(&id("hold", "order-7/2"), terms(), succeeded("2"));
    note(&stage, &rests, &claim, step(3, "charge", true, None));
    let failed = Some(Noted::Failed("card declined".into()));
    note(&stage, &rests, &claim, step(3, "charge", true, failed));
    note(&stage, &rests, &claim, Note::Unwinding("card declined\u{1b}[2J".into()));
    stage.run(&id("hold.rollback", "order-7/2"), terms(), unknown("it is down"));
    stage.run(&id("reserve.rollback", "order-7/1"), terms(), succeeded("null"));
    settle(&stage, &rests, &claim, unknown("it could not undo step 2"));

    let running = of_acme("place_order", "order-8");
    let claim = stage.claim(&running, saga());
    note(&stage, &running, &claim, step(0, "reserve", false, None));
    stage
}

#[test]
fn sagas_are_listed_and_nothing_else() {
    let said = filled().tool_contract(&["sagas", "ls"]);
    let expected = "\
SAGA         KEY      TENANT  STATE     STEPS  UNDONE  SINCE                    AGE    ESCALATION
place_order  order-6          finished  0              2026-11-19 01:02:03 UTC  3d 2h
place_order  order-7          rests     4      1       2026-11-19 01:02:03 UTC  3d 2h  esc_0123456789abcdef
place_order  order-8  acme    running   1              2026-11-19 01:02:03 UTC  3d 2h
3 sagas
`tool-contract sagas show KEY` shows the steps of one
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
}

#[test]
fn a_ledger_says_of_a_saga_what_it_came_to() {
    let stage = filled();
    let undone = id("place_order", "order-9");
    let claim = stage.claim(&undone, saga());
    let result = r#"{"undone":{"error":"sold out","steps":[]}}"#;
    settle(&stage, &undone, &claim, succeeded(result));
    // What such a result means, only a saga's contract says.
    stage.run(&id("charge", "c-1"), terms(), succeeded(result));

    let listed = stage.ledger(&["ls", "--state", "succeeded"]);
    for (key, state) in [("order-6", "finished"), ("order-9", "undone"), ("c-1", "succeeded")] {
        let line = listed.out.lines().find(|line| line.contains(key));
        assert!(line.is_some_and(|line| line.contains(state)), "{key}: {listed:?}");
    }
    let shown = stage.ledger(&["show", "order-9"]);
    assert!(shown.out.contains("it failed, and what had happened of it was undone"), "{shown:?}");
    assert!(shown.out.contains("  state       undone since"), "{shown:?}");
    let shown = stage.ledger(&["show", "order-9", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!((&document["state"], &document["ended"]), (&"succeeded".into(), &"undone".into()));
}

#[test]
fn they_are_filtered_and_paged() {
    let stage = filled();
    for (args, keys) in [
        (&["--resting"][..], &["order-7"][..]),
        (&["--tenant", "acme"], &["order-8"]),
        (&["--limit", "2"], &["order-6", "order-7"]),
        (&["--after", "place_order/order-6"], &["order-7", "order-8"]),
        (&["--after", "place_order/order-7"], &["order-8"]),
        (&["--tool", "reserve"], &[]),
    ] {
        let said = stage.tool_contract(&[&["sagas", "ls", "--json"], args].concat());
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let listed = document["sagas"].as_array().expect("sagas");
        let found: Vec<_> = listed.iter().filter_map(|saga| saga["key"].as_str()).collect();
        assert_eq!(found, keys, "{args:?}");
    }
}

#[test]
fn the_steps_of_one_are_shown_in_their_order() {
    let said = filled().tool_contract(&["sagas", "show", "order-7"]);
    let expected = "\
place_order[order-7]: rests since 2026-11-19 01:02:03 UTC (3d 2h ago)
  when it came to rest: it could not undo step 2
  arguments {\"cents\":4200,\"order_id\":\"order-17\"}

STEP  TOOL            KEY        STATE      ATTEMPTS  BEGAN                    SINCE                    ERROR
0     look_up         order-7/0  read                 2026-11-19 01:02:03 UTC
1     reserve         order-7/1  succeeded  2         2026-11-19 01:02:03 UTC  2026-11-19 01:02:03 UTC
2     hold            order-7/2  succeeded  2         2026-11-19 01:02:03 UTC  2026-11-19 01:02:03 UTC
3     charge (pivot)  order-7/3  failed               2026-11-19 01:02:03 UTC                           card declined

It gave up 2026-11-19 01:02:03 UTC: card declined\\u{1b}[2J
STEP  UNDOING           KEY        STATE      ATTEMPTS  BEGAN                    SINCE                    ESCALATION
2     hold.rollback     order-7/2  unknown    2         2026-11-19 01:02:03 UTC  2026-11-19 01:02:03 UTC  esc_0123456789abcdef
1     reserve.rollback  order-7/1  succeeded  2         2026-11-19 01:02:03 UTC  2026-11-19 01:02:03 UTC

Next
  it waits for hold.rollback[order-7/2], which is unknown
    tool-contract ledger show order-7/2 --tool hold.rollback
  if it happened (RESULT is what its callers get, as JSON)
    tool-contract ledger resolve order-7/2 --tool hold.rollback --happened RESULT --why WHY
  if it did not happen
    tool-contract ledger resolve order-7/2 --tool hold.rollback --did-not-happen --why WHY
  to give it up: it never runs again, and its callers are told why
    tool-contract ledger resolve order-7/2 --tool hold.rollback --abandon --why WHY
  then call it again with its key, or `runtime.recover()`: it goes on
  if its steps were finished or undone by hand (OUTCOME is what it came to, {\"finished\":RESULT} or {\"undone\":{\"error\":WHY,\"steps\":[]}}, as JSON)
    tool-contract ledger resolve order-7 --tool place_order --happened OUTCOME --why WHY
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
    // So it does in the queue.
    let said = filled().tool("escalations", &["show", "order-7"]);
    let (_, next) = expected.split_once("Next").expect("what is next");
    assert!(said.code == 0 && said.out.ends_with(next), "{}", said.out);
}

/// What a person says of order-7 as a whole.
fn resolve(stage: &Stage, group: &str, said: &[&str]) -> Said {
    stage.tool(group, &[&["resolve", "order-7"], said, &["--why", "looked"]].concat())
}

#[test]
fn a_saga_is_resolved_by_what_it_waits_for() {
    let stage = filled();
    for group in ["escalations", "ledger"] {
        for word in [
            &["--did-not-happen", "--holder-is-dead"][..],
            &["--abandon"],
            &["--happened", "null"],
            &["--happened", r#"{"finished":1,"more":2}"#],
        ] {
            let said = resolve(&stage, group, word);
            assert_eq!((said.code, said.out.as_str()), (1, ""), "{word:?}");
            for part in [
                "place_order[order-7] is a saga",
                "it could not undo step 2; nothing was changed",
                "it waits for hold.rollback[order-7/2], which is unknown",
                "ledger resolve order-7/2 --tool hold.rollback --did-not-happen --why WHY",
            ] {
                assert!(said.err.contains(part), "{part}\n{}", said.err);
            }
        }
    }
    let undone = r#"{"undone":{"error":"let go by hand","steps":[]}}"#;
    let said = resolve(&stage, "ledger", &["--happened", undone]);
    assert!(said.out.contains("unknown → undone"), "{said:?}");
    let said = stage.tool_contract(&["sagas", "show", "order-7"]);
    assert!(said.out.starts_with("place_order[order-7]: undone since"), "{}", said.out);
}

#[test]
fn a_saga_that_waits_for_nothing_is_called_again() {
    let stage = filled();
    let args = ["resolve", "order-7/2", "--tool", "hold.rollback", "--happened", "null"];
    assert_eq!(stage.tool("ledger", &[&args[..], &["--why", "let go"]].concat()).code, 0);
    let said = stage.tool_contract(&["sagas", "show", "order-7"]);
    let next = "\nNext\n  call it again with its key, or `runtime.recover()`: it goes on\n";
    assert!(said.out.contains(next), "{}", said.out);
}

#[test]
fn what_failed_for_good_after_the_pivot_is_what_a_saga_waits_for() {
    let stage = Stage::new();
    let saga_id = id("place_order", "order-9");
    let claim = stage.claim(&saga_id, saga());
    note(&stage, &saga_id, &claim, step(0, "charge", true, None));
    stage.run(&id("charge", "order-9/0"), terms(), succeeded("1"));
    note(&stage, &saga_id, &claim, step(1, "ship", false, None));
    stage.run(&id("ship", "order-9/1"), terms(), Verdict::Exhausted);
    settle(&stage, &saga_id, &claim, unknown("nobody ships there"));
    let said = stage.tool_contract(&["sagas", "show", "order-9"]);
    for part in [
        "  it waits for ship[order-9/1], which is exhausted\n",
        "  it failed for good, and its saga cannot do without it. To let it be tried again\n",
        "  to give it up: it never runs again, and its saga then waits for your word on the whole\n",
        "    tool-contract ledger reopen order-9/1 --tool ship --why WHY\n",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    let said = stage.tool("ledger", &["show", "order-9/1", "--tool", "ship"]);
    assert!(
        said.out.contains("ship[order-9/1]: nothing happened, and it failed for good"),
        "{said:?}"
    );
    assert!(said.out.contains("its saga then waits for your word on the whole\n"), "{said:?}");
}

#[test]
fn an_undoing_that_was_given_up_has_not_undone_anything() {
    let stage = filled();
    let undoing = id("hold.rollback", "order-7/2");
    let args = ["resolve", "order-7/2", "--tool", "hold.rollback", "--abandon", "--why", "let be"];
    assert_eq!(stage.tool("ledger", &args).code, 0);
    // It is past its ttl, and somebody has noticed.
    stage.pass(AGO + terms().ttl * 2);
    stage.admit(&undoing, terms(), Intent::Claim);
    assert_eq!(stage.find(&undoing).state.name(), StateName::Expired);
    let said = stage.tool_contract(&["sagas", "show", "order-7", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(document["undone"], 1, "it is what undid the other step");
}

#[test]
fn programs_read_the_same() {
    let said = filled().tool_contract(&["sagas", "show", "order-7", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(document["saga"], "rests");
    assert_eq!(document["undone"], 1);
    assert_eq!(document["error"], "card declined\u{1b}[2J");
    let states: Vec<_> =
        document["timeline"].as_array().expect("steps").iter().map(|step| &step["state"]).collect();
    assert_eq!(states, ["read", "succeeded", "succeeded", "failed"]);
    assert_eq!(document["timeline"][2]["undoing"]["state"], "unknown");
    assert_eq!(document["timeline"][3]["pivot"], true);
}

#[test]
fn what_is_no_saga_says_so() {
    let said = filled().tool_contract(&["sagas", "show", "order-7/1", "--tool", "reserve"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("reserve[order-7/1] is no saga"), "{}", said.err);
    assert!(said.err.contains("ledger show order-7/1 --tool reserve"), "{}", said.err);
}
