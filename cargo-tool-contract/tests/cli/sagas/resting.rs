//! What a saga that rests waits for, and what follows.

use std::time::Duration;

use tool_contract_runtime::ledger::{
    ApprovalId, ApprovalVerdict, Decision, Intent, Ledger as _, Note, SqliteLedger, Terms, Trust,
};

use super::{filled, note, resolve, saga, settle, step};
use crate::ledger::stage::{AGO, Stage, confirmed, id, succeeded, terms, unknown};

/// One whose step asked people for a yes, for so long, before its pivot or after it.
struct Asking {
    stage: Stage,
    request: ApprovalId,
}

const ASKING: &str = "order-9";

impl Asking {
    fn new(ttl: Duration) -> Self {
        let covered = Terms { covered: true, ..confirmed() };
        Self::at(0, Terms { confirm: Some((ttl, 1)), ..covered })
    }

    fn after_the_pivot() -> Self {
        Self::at(1, confirmed())
    }

    fn at(number: u32, terms: Terms) -> Self {
        let stage = Stage::new();
        let saga_id = id("place_order", ASKING);
        let claim = stage.claim(&saga_id, saga());
        if number > 0 {
            note(&stage, &saga_id, &claim, step(0, "charge", true, None));
            stage.run(&id("charge", "order-9/0"), self::terms(), succeeded("1"));
        }
        note(&stage, &saga_id, &claim, step(number, "wipe", false, None));
        let wipe = id("wipe", &format!("{ASKING}/{number}"));
        stage.admit(&wipe, terms, Intent::RequestApproval);
        let request = stage.find(&wipe).approval.expect("a request").id;
        let cause = unknown("step 0 waits for a person's yes");
        settle(&stage, &saga_id, &claim, cause);
        Self { stage, request }
    }

    /// What alice says to it, as those know who trust anybody.
    fn say(&self, number: u32, verdict: ApprovalVerdict) {
        let decision = Decision {
            id: id("wipe", &format!("{ASKING}/{number}")),
            request: self.request.clone(),
            by: "alice".into(),
            verdict,
            signature: None,
            trust: Trust::insecure(),
        };
        let ledger = async |ledger: &SqliteLedger| ledger.decide_approval(decision).await;
        self.stage.with(ledger).expect("a decision");
    }

    fn next(&self, group: &str) -> String {
        let said = self.stage.tool(group, &["show", ASKING]).timeless();
        let (_, next) = said.out.split_once("\nNext\n").expect("what is next");
        next.to_owned()
    }
}

fn no() -> ApprovalVerdict {
    ApprovalVerdict::Deny { why: "not today".into() }
}

#[test]
fn a_saga_that_waits_for_a_yes_says_for_which() {
    let asking = Asking::new(AGO * 2);
    for group in ["sagas", "escalations"] {
        let next = asking.next(group);
        for part in [
            "  it waits for wipe[order-9/0], which is awaiting_approval\n",
            &format!("approvals show {}\n", asking.request),
            "  then call it again with its key, or `runtime.recover()`: it goes on\n",
        ] {
            assert!(next.contains(part), "{part}\n{next}");
        }
    }
}

#[test]
fn who_was_not_answered_asks_people_anew() {
    let asking = Asking::new(AGO / 2);
    let next = asking.next("sagas");
    let expected = "  it waits for wipe[order-9/0], whose request expired
    tool-contract ledger show order-9/0 --tool wipe
  nobody answered in time, or the yes ran out unused: when the caller of its saga calls that again, people are asked anew \
(`recover` does not ask)
  if its steps were";
    assert!(next.starts_with(expected), "{next}");
    let said = asking.stage.tool_contract(&["sagas", "show", ASKING]);
    assert!(said.out.contains("order-9/0  request expired  0"), "{}", said.out);
    let said = asking.stage.ledger(&["show", "order-9/0"]);
    assert!(
        said.out.contains("  nobody answered in time, or the yes ran out unused: when the caller"),
        "{}",
        said.out
    );
}

#[test]
fn a_saga_goes_on_with_the_yes_that_its_step_has() {
    let asking = Asking::new(AGO * 2);
    asking.say(0, ApprovalVerdict::GRANT);
    let goes =
        "  step 0 is approved: call it again with its key, or `runtime.recover()`: it goes on\n";
    for group in ["sagas", "escalations", "ledger"] {
        assert!(asking.next(group).starts_with(goes), "{}", asking.next(group));
    }
    // A yes that ran out is none.
    let asking = Asking::new(AGO / 2);
    asking.say(0, ApprovalVerdict::GRANT);
    let next = asking.next("sagas");
    assert!(next.contains("people are asked anew") && !next.contains("it goes on"), "{next}");
}

#[test]
fn a_no_undoes_a_saga_that_can_be_undone() {
    let asking = Asking::new(AGO * 2);
    asking.say(0, no());
    let undone = "  step 0 was refused by alice: call it again with its key, or `runtime.recover()`: it is undone\n";
    assert!(asking.next("sagas").starts_with(undone), "{}", asking.next("sagas"));

    let asking = Asking::after_the_pivot();
    asking.say(1, no());
    let next = asking.next("sagas");
    for part in [
        "  it waits for wipe[order-9/1], which is denied\n",
        "  a person refused it. To let it be asked for again\n    tool-contract ledger reopen",
        "  then call it again with its key",
    ] {
        assert!(next.contains(part), "{part}\n{next}");
    }
}

#[test]
fn what_none_of_its_records_shows_its_cause_says() {
    let stage = Stage::new();
    let saga_id = id("place_order", "order-9");
    for (cause, first) in [
        (
            "step 1: a budget is spent [TC0261]",
            "give its workflow a larger budget first; then call it again",
        ),
        (
            "[TC0231] the saga's code changed",
            "run the code that began it first; then call it again",
        ),
        ("the ledger could not be asked", "call it again"),
    ] {
        let claim = stage.claim(&saga_id, saga());
        settle(&stage, &saga_id, &claim, unknown(cause));
        let said = stage.tool_contract(&["sagas", "show", "order-9"]);
        assert!(said.out.contains(&format!("\nNext\n  {first}")), "{}", said.out);
    }
}

#[test]
fn a_saga_that_gave_up_after_its_pivot_waits_for_a_word_on_the_whole() {
    let stage = Stage::new();
    let saga_id = id("place_order", "order-9");
    let claim = stage.claim(&saga_id, saga());
    note(&stage, &saga_id, &claim, step(0, "charge", true, None));
    note(&stage, &saga_id, &claim, Note::Unwinding("sold out".into()));
    stage.run(&id("charge", "order-9/0"), terms(), succeeded("1"));
    settle(&stage, &saga_id, &claim, unknown("it goes neither forward nor back"));
    let said = stage.tool_contract(&["sagas", "show", "order-9"]);
    assert!(said.out.contains("\nNext\n  if its steps were finished"), "{}", said.out);
}

#[test]
fn a_saga_rests_wherever_it_is_shown() {
    let stage = filled();
    for args in [&["ledger", "ls"][..], &["ledger", "show", "order-7"], &["sagas", "ls"]] {
        let said = stage.tool_contract(args);
        let line = said.out.lines().find(|line| line.contains("rests"));
        assert!(line.is_some(), "{args:?} {}", said.out);
    }
    let said = stage.ledger(&["show", "order-7"]);
    assert!(said.out.starts_with("place_order[order-7]: it goes no further for now"), "{said:?}");
    for meaningless in ["attempt", "may have happened", "to repeat", "shows after"] {
        let (told, _) = said.out.split_once("\nHistory").expect("a history");
        assert!(!told.replace("an attempt ends", "").contains(meaningless), "{told}");
    }
    let said = stage.ledger(&["show", "order-7", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(document["state"], "unknown");
}

#[test]
fn a_step_of_a_saga_that_has_ended_is_not_reopened() {
    let stage = filled();
    let undone = r#"{"undone":{"error":"let go by hand","steps":[]}}"#;
    let reopen = "ledger reopen order-7/1 --tool reserve";
    let show = || stage.ledger(&["show", "order-7/1", "--tool", "reserve"]).out;
    assert!(show().contains(reopen), "{}", show());
    assert_eq!(resolve(&stage, "ledger", &["--happened", undone]).code, 0);
    assert!(!show().contains(reopen), "{}", show());
    assert!(show().ends_with("a new try is a new key\n"), "{}", show());
    let said = stage.ledger(&["reopen", "order-7", "--why", "once more"]);
    assert!(said.err.contains("answers the same again"), "{said:?}");
    for group in ["ledger", "sagas"] {
        let said = stage.tool(group, &["show", "order-7"]);
        let next = "\nNext\n  it is undone, and answers the same again: a new try is a new key\n";
        assert!(said.out.ends_with(next), "{}", said.out);
    }
}

#[test]
fn a_saga_that_waits_for_what_is_listed_is_not_listed_itself() {
    let list = |stage: &Stage, args: &[&str]| {
        let said = stage.tool("escalations", &[&["ls", "--json"], args].concat());
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let listed = document["escalations"].as_array().expect("a list").clone();
        let tools = listed.iter().filter_map(|each| each["tool"].as_str());
        tools.map(str::to_owned).collect::<Vec<_>>()
    };
    let stage = filled();
    assert_eq!(list(&stage, &[]), ["hold.rollback"]);
    assert_eq!(list(&stage, &["--tool", "place_order"]), ["place_order"]);
    let word = ["resolve", "order-7/2", "--tool", "hold.rollback", "--happened", "null"];
    assert_eq!(stage.tool("ledger", &[&word[..], &["--why", "let go"]].concat()).code, 0);
    assert_eq!(list(&stage, &[]), ["place_order"], "it waits for no step");
    // Nobody says what happened of that, but yes or no.
    let asking = Asking::new(AGO * 2);
    assert_eq!(list(&asking.stage, &[]), ["place_order"]);
    let said = asking.stage.tool_contract(&["escalations", "ls"]);
    assert!(said.out.contains("  rests  "), "{}", said.out);
}

#[test]
fn whom_a_step_asked_in_vain_is_told_who_asks_again() {
    let asking = Asking::new(AGO / 2);
    let said = asking.stage.tool("approvals", &["show", &asking.request.0]);
    let next = "\nNext\n  nobody answered in time, or the yes ran out unused: when the caller of its saga calls that again, \
                people are asked anew (`recover` does not ask)\n";
    assert!(said.out.ends_with(next) && said.out.contains("state       expired"), "{}", said.out);
}

#[test]
fn a_saga_that_waits_for_a_saga_is_led_to_it() {
    let stage = filled();
    let outer = id("fulfil", "week-3");
    let claim = stage.claim(&outer, saga());
    note(&stage, &outer, &claim, step(0, "place_order", false, None));
    let inner = id("place_order", "week-3/0");
    let claimed = stage.claim(&inner, saga());
    settle(&stage, &inner, &claimed, unknown("somebody has to look"));
    settle(&stage, &outer, &claim, unknown("it is not known what came of step 0"));
    let said = stage.tool_contract(&["sagas", "show", "week-3"]);
    let next = "\nNext\n  it waits for place_order[week-3/0], which rests
    tool-contract sagas show week-3/0 --tool place_order
  then call it again";
    assert!(said.out.contains(next), "{}", said.out);
}
