//! `sagas`: what sagas did, as people see it.

use tool_contract_runtime::ledger::{
    Claim, Ledger as _, Note, Renewed, Settlement, Terms, Verdict,
};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::saga::{MOST_ATTEMPTS, Noted, Stepped};

use crate::ledger::stage::{Stage, held, id, of_acme, succeeded, terms, unknown};

/// What a saga says.
fn saga() -> Terms {
    Terms { attempts: 3, max_total: MOST_ATTEMPTS, repeatable: true, ..held() }
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
  it could not undo step 2
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
  tool-contract ledger show order-7/2 --tool hold.rollback
  then call it again with its key, or `runtime.recover()`
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, expected, ""));
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
