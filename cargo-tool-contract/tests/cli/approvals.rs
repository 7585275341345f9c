//! `approvals`: what people who agree see and do.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tool_contract_runtime::approval::Approvers;
use tool_contract_runtime::ledger::{
    Admission, Admitted, ApprovalId, ApprovalVerdict, Decision, Ledger as _, Record, Refusal,
    Settlement, SqliteLedger, StateName, Terms, Timestamp, Trust,
};
use tool_contract_spec::key::OperationId;
use tool_contract_spec::operation::Preimage;

use crate::ledger::stage::{AGO, Stage, admission, id, succeeded, terms};
use crate::shell::{Said, finish, plain_command};

const ARGUMENTS: &str = r#"{"account":"a-7"}"#;
const IGNORED: &str = r#"{"memo":"as she asked"}"#;

/// A ledger, and the keys of people.
struct Office {
    stage: Stage,
    keys: TempDir,
}

impl Office {
    /// Ada and Bob have keys, and programs trust Ada and Bob.
    fn new() -> Self {
        let office = Self { stage: Stage::new(), keys: TempDir::new().expect("a directory") };
        office.stage.pass(AGO);
        let lines: String = ["ada", "bob", "eve"].map(|name| office.keygen(name).out).concat();
        let trusted: Vec<&str> = lines.lines().filter(|line| !line.ends_with(" eve")).collect();
        fs::write(office.approvers(), trusted.join("\n")).expect("a file");
        office
    }

    fn key(&self, name: &str) -> PathBuf {
        self.keys.path().join(format!("{name}.key"))
    }

    fn approvers(&self) -> PathBuf {
        self.keys.path().join("approvers")
    }

    fn keygen(&self, name: &str) -> Said {
        let mut command = plain_command();
        finish(command.args(["approvals", "keygen", "--as", name, "--file"]).arg(self.key(name)))
    }

    /// Runs `tool-contract approvals` on the ledger.
    fn run(&self, args: &[&str]) -> Said {
        let mut command = plain_command();
        command.env("TOOL_CONTRACT_LEDGER", self.stage.file()).arg("approvals");
        finish(command.args(args)).timeless()
    }

    /// Signs as somebody who knows whom programs trust.
    fn sign_among(&self, verb: &str, request: &ApprovalId, name: &str) -> Said {
        self.sign(verb, request, name, &["--approvers", path(&self.approvers())])
    }

    fn sign(&self, verb: &str, request: &ApprovalId, name: &str, more: &[&str]) -> Said {
        let key = self.key(name);
        let signing = [verb, &request.0, "--as", name, "--key", path(&key), "--yes"];
        self.run(&[&signing, more].concat())
    }

    fn call(&self, id: &OperationId) -> Admission {
        let preimage = Preimage {
            version: 1,
            arguments: ARGUMENTS.into(),
            fingerprint: None,
            ignored: Some(IGNORED.into()),
        };
        let trust = Approvers::read(self.approvers()).expect("approvers").into_trust();
        let confirm = Some((Duration::from_mins(15), 1));
        Admission {
            hash: preimage.hash(&id.tool),
            arguments: ARGUMENTS.into(),
            preimage: Some(preimage),
            trust,
            ..admission(id, Terms { confirm, ..terms() })
        }
    }

    fn admit(&self, call: &Admission) -> Admitted {
        self.stage.with(async |ledger| ledger.admit(call).await.expect("an answer"))
    }

    fn request(&self, id: &OperationId) -> ApprovalId {
        match self.admit(&self.call(id)) {
            Admitted::Refused(Refusal::AwaitingApproval { request, .. }) => request,
            other => panic!("no request: {other:?}"),
        }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn account() -> OperationId {
    id("delete_account", "a-7/delete")
}

#[test]
fn a_key_is_its_owner_s_alone_and_never_overwritten() {
    let office = Office::new();
    let file = office.key("zoe");
    let said = office.keygen("zoe");
    let private = fs::read_to_string(&file).expect("a key");
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.starts_with("ed25519:") && said.out.ends_with(" zoe\n"), "{said:?}");
    assert!(said.err.contains("holds the private key"), "{said:?}");
    let digits = private.trim().rsplit(':').next().expect("digits");
    assert!(!format!("{said:?}").contains(digits));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let said = office.keygen("zoe");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no key is ever overwritten"), "{said:?}");
    assert_eq!(fs::read_to_string(&file).expect("a key"), private);
}

#[test]
fn a_person_looks_and_agrees() {
    let office = Office::new();
    let request = office.request(&account());
    let listed = office.run(&["ls"]);
    assert_eq!(listed.code, 0, "{listed:?}");
    assert!(listed.out.contains(&*request.0) && listed.out.contains("0 of 1"), "{listed:?}");
    let shown = office.run(&["show", &request.0]);
    for part in [ARGUMENTS, IGNORED, "agent-7", "nobody yet; 1 must", "delete_account"] {
        assert!(shown.out.contains(part), "{part}: {shown:?}");
    }
    let said = office.sign_among("grant", &request, "ada");
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains(ARGUMENTS) && said.err.contains("ada signs: it may run once"));
    let granted = format!("{request}: granted by ada; the call runs when it is made again, until ");
    assert!(said.out.starts_with(&granted), "{said:?}");
    let approvers = office.approvers();
    let shown = office.run(&["show", &request.0, "--approvers", path(&approvers)]);
    assert!(shown.out.contains("ada; 1 must"), "{shown:?}");
    assert!(matches!(office.admit(&office.call(&account())), Admitted::Claimed(_)));
}

#[test]
fn programs_read_json() {
    let office = Office::new();
    let request = office.request(&account());
    let json = |said: &Said| -> serde_json::Value {
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        serde_json::from_str(&said.out).expect("JSON")
    };
    let listed = json(&office.run(&["ls", "--json"]));
    assert_eq!(listed["requests"][0]["request"], *request.0);
    assert_eq!(listed["more"], false);
    let approvers = office.approvers();
    let among = ["--json", "--for", "1m", "--approvers", path(&approvers)];
    let granted = json(&office.sign("grant", &request, "ada", &among));
    assert_eq!(
        (&granted["by"], &granted["verdict"], &granted["missing"]),
        (&"ada".into(), &"grant".into(), &0.into())
    );
    let listed = json(&office.run(&["ls", "--json", "--approvers", path(&approvers)]));
    let agreed = &listed["requests"][0]["agreed"];
    assert_eq!((&listed["requests"][0]["signed"], agreed), (&1.into(), &1.into()));
    let listed = json(&office.run(&["ls", "--json"]));
    assert_eq!(listed["requests"][0]["agreed"], serde_json::Value::Null);
    let shown = json(&office.run(&["show", &request.0, "--json"]));
    assert_eq!((&shown["is_altered"], &shown["arguments"]), (&false.into(), &ARGUMENTS.into()));
    assert_eq!(shown["ignored"], IGNORED);
    assert_eq!(
        (&shown["grants"][0]["by"], &shown["grants"][0]["counts"]),
        (&"ada".into(), &().into())
    );
}

#[test]
fn a_person_refuses() {
    let office = Office::new();
    let request = office.request(&account());
    assert_eq!(office.sign("deny", &request, "ada", &["--why", " "]).code, 2);
    let said = office.sign("deny", &request, "ada", &["--why", "it is in use"]);
    assert_eq!((said.code, said.out), (0, format!("{request}: refused by ada\n")));
    let refusal = Refusal::Denied { by: "ada".into(), why: "it is in use".into() };
    let refused = Admitted::Refused(refusal);
    assert_eq!(office.admit(&office.call(&account())), refused);
    let late = office.sign_among("grant", &request, "bob");
    assert_eq!(late.code, 1, "{late:?}");
    // Who does not know whether her no counts may sign, and it makes no difference.
    assert_eq!(office.sign("grant", &request, "bob", &[]).code, 0);
    assert_eq!(office.admit(&office.call(&account())), refused);
}

#[test]
fn who_does_not_count_is_told_so() {
    let office = Office::new();
    let request = office.request(&account());
    // Who asked.
    let key = office.key("ada");
    let own = ["grant", &request.0, "--as", "agent-7", "--key", path(&key), "--yes"];
    let said = office.run(&own);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("agent-7 asked for"), "{said:?}");
    // Whom programs do not trust, where it is known; and where it is not, the
    // programs know.
    let approvers = office.approvers();
    let said = office.sign("grant", &request, "eve", &["--approvers", path(&approvers)]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("is your line"), "{said:?}");
    assert_eq!(office.sign("grant", &request, "eve", &[]).code, 0);
    let admitted = office.admit(&office.call(&account()));
    assert!(
        matches!(admitted, Admitted::Refused(Refusal::AwaitingApproval { .. })),
        "{admitted:?}"
    );
    let shown = office.run(&["show", &request.0, "--approvers", path(&approvers)]);
    let why = "eve (DOES NOT COUNT: signed with a key that is not theirs among the approvers)";
    assert!(shown.out.contains(why), "{shown:?}");
    assert!(office.run(&["ls"]).out.contains(&*request.0), "it still waits");
    // Whose key it is comes before what would be signed with it.
    let (ada, bob) = (office.key("ada"), office.key("bob"));
    for (name, key, wanted) in [
        (
            "ada",
            &bob,
            "bob.key: this is not the key of `ada`, but that of `bob`; nothing was changed",
        ),
        ("ada", &office.key("eve"), "not the key of `ada`, but of nobody among the approvers"),
        ("eve", &ada, "programs trust nobody called `eve`; sign as `ada`"),
    ] {
        let known = ["--key", path(key), "--yes", "--approvers", path(&approvers)];
        let said = office.run(&[&["grant", &request.0, "--as", name], &known[..]].concat());
        assert_eq!(said.code, 1);
        assert!(said.err.contains(wanted) && !said.err.contains("signs:"), "{said:?}");
    }
    // Another's name with one's own key.
    let eve = office.key("eve");
    let false_ada = ["grant", &request.0, "--as", "ada", "--key", path(&eve), "--yes"];
    assert_eq!(office.run(&false_ada).code, 0);
    assert_eq!(office.admit(&office.call(&account())), admitted);
    assert_eq!(office.sign("grant", &request, "ada", &[]).code, 0);
    assert!(matches!(office.admit(&office.call(&account())), Admitted::Claimed(_)));
}

#[test]
fn what_would_run_is_what_is_signed() {
    let office = Office::new();
    let request = office.request(&account());
    let db = rusqlite::Connection::open(office.stage.file()).expect("the ledger");
    let swap = "UPDATE operations SET approval = replace(approval, 'a-7', 'b-7')";
    assert_eq!(db.execute(swap, []).expect("an update"), 1);
    let shown = office.run(&["show", &request.0]);
    assert_eq!(shown.code, 1);
    assert!(shown.out.contains("ALTERED"), "{shown:?}");
    let said = office.sign("grant", &request, "ada", &[]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("do not agree to it"), "{said:?}");
    assert_eq!(office.stage.find(&account()).state.name(), StateName::AwaitingApproval);
}

#[test]
fn nothing_is_signed_unseen() {
    let office = Office::new();
    let request = office.request(&account());
    let key = office.key("ada");
    let said = office.run(&["grant", &request.0, "--as", "ada", "--key", path(&key)]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("add `--yes` if it is meant"), "{said:?}");
    assert_eq!(office.stage.find(&account()).state.name(), StateName::AwaitingApproval);
}

#[test]
fn a_key_that_cannot_be_used_is_not_quoted() {
    let office = Office::new();
    let request = office.request(&account());
    fs::write(office.key("none"), "hush-hush").expect("a file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let said = office.sign("grant", &request, "none", &[]);
        assert!(said.err.contains("others than its owner may read"), "{said:?}");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(office.key("none"), private).expect("a file");
    }
    let said = office.sign("grant", &request, "none", &[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no private key") && !said.err.contains("hush"), "{said:?}");
    let said = office.sign("grant", &request, "nobody", &[]);
    assert!(said.err.contains("cannot be read"), "{said:?}");
}

#[test]
fn what_is_over_is_not_there() {
    let office = Office::new();
    let stale = Office { stage: Stage::new(), keys: TempDir::new().expect("a directory") };
    fs::copy(office.approvers(), stale.approvers()).expect("a file");
    let request = stale.request(&account());
    assert_eq!(stale.run(&["ls"]).out, "nothing waits for approval\n");
    fs::copy(office.key("ada"), stale.key("ada")).expect("a file");
    let said = stale.sign("grant", &request, "ada", &[]);
    let expired = format!(
        "error: {request} has expired; nothing was changed\n  = help: nobody answered in time, or the yes ran out unused: when its caller calls it \
         again, people are asked anew\n"
    );
    assert_eq!((said.code, said.out, said.err), (1, String::new(), expired));
    let shown = stale.run(&["show", &request.0]);
    assert!(shown.out.contains("  state       expired\n"), "{shown:?}");
    for verb in [&["show", "apr_00"][..], &["grant", "apr_00", "--as", "ada", "--key", "none"]] {
        let said = office.run(verb);
        assert_eq!(said.code, 1);
        let unknown = "error: the ledger knows no request apr_00; nothing was changed\n";
        assert!(said.err.starts_with(unknown), "{said:?}");
    }
    assert_eq!(office.run(&["show", "order-17"]).code, 2);
}

#[test]
fn what_was_used_is_said_to_be() {
    let office = Office::new();
    let request = office.request(&account());
    let next = |trusted: &[&str]| office.run(&[&["show", &request.0], trusted].concat()).out;
    let sign =
        format!("\n    tool-contract approvals grant {request} --as NAME --key FILE --approvers ");
    assert!(next(&[]).contains(&format!("{sign}FILE\n")), "{}", next(&[]));
    let approvers = office.approvers();
    let trusted = next(&["--approvers", path(&approvers)]);
    assert!(trusted.contains(&format!("{sign}{}\n", path(&approvers))), "{trusted}");
    assert!(
        trusted.contains(&format!("deny {request} --as NAME")) && trusted.contains("--why WHY")
    );
    assert_eq!(office.sign("deny", &request, "ada", &["--why", "WHY"]).code, 2);

    assert_eq!(office.sign_among("grant", &request, "ada").code, 0);
    assert!(office.run(&["ls"]).out.contains("  approved  "), "{}", office.run(&["ls"]).out);
    let shown = next(&[]);
    assert!(shown.contains("\nNext\n  it is approved") && !shown.contains("grant apr"), "{shown}");

    let Admitted::Claimed(claim) = office.admit(&office.call(&account())) else {
        panic!("it has its yes")
    };
    let used = |verb| {
        let said = office.sign_among(verb, &request, "bob");
        let used = format!("error: {request} was used: its call has begun; nothing was changed\n");
        assert!(said.code == 1 && said.err.starts_with(&used), "{said:?}");
    };
    used("grant");
    let settlement = Settlement {
        id: account(),
        fence: claim.fence,
        used: 1,
        verdict: succeeded("1"),
        attempts: Vec::new(),
    };
    let settle = async |ledger: &SqliteLedger| ledger.settle(&settlement).await.map(drop);
    office.stage.with(settle).expect("it is settled");
    used("grant");
}

#[test]
fn a_yes_that_is_over_says_so() {
    let office = Office::new();
    let stage = Stage::new();
    let confirm = Some((AGO * 2, 2));
    let call = Admission { terms: Terms { confirm, ..terms() }.into(), ..office.call(&account()) };
    let decided = stage.with(async |ledger| {
        let asked = ledger.admit(&call).await.expect("an answer");
        let Admitted::Refused(Refusal::AwaitingApproval { request, expires_at }) = asked else {
            panic!("no request: {asked:?}")
        };
        let decision = Decision {
            id: account(),
            request: request.clone(),
            by: "eve".into(),
            // Half of the way is behind us.
            verdict: ApprovalVerdict::Grant {
                until: Timestamp(expires_at.0 - millis(AGO + AGO / 2)),
            },
            signature: None,
            trust: Trust::insecure(),
        };
        ledger.decide_approval(decision).await.map(|_| request)
    });
    let request = decided.expect("a decision");
    let args = ["show", &*request.0, "--approvers", path(&office.approvers())].map(str::to_owned);
    let said = stage.tool("approvals", &args.each_ref().map(String::as_str));
    assert!(said.out.contains("eve (DOES NOT COUNT: it has expired); 2 must"), "{}", said.out);
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("milliseconds")
}

#[test]
fn who_is_late_is_told_whom_to_ask() {
    let office = Office::new();
    let request = office.request(&account());
    assert_eq!(office.sign_among("grant", &request, "ada").code, 0);
    // By the ledger's clock it ran out, and people were asked anew.
    office.stage.pass(Duration::from_hours(1));
    let newer = office.request(&account());
    let late = office.sign_among("grant", &request, "bob");
    let message = format!(
        "error: {request} has expired; nothing was changed\n  = help: people were asked anew: `tool-contract approvals \
         show {newer}`\n"
    );
    assert_eq!((late.code, late.err), (1, message));
}

#[test]
fn who_does_not_know_whom_programs_trust_grants_nothing() {
    let office = Office::new();
    let request = office.request(&account());
    let stood = office.stage.find(&account());
    // Anybody can make a key, and signs for a year or for a second.
    for (name, within) in [("eve", "1s"), ("ada", "365d")] {
        let said = office.sign("grant", &request, name, &["--for", within]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.out.contains("whose yes counts is not known here"), "{said:?}");
        assert!(said.out.contains("`--approvers FILE`") && !said.out.contains("granted"));
        // Once more says what it is.
        let again = office.sign("grant", &request, name, &[]);
        assert_eq!(again.code, 1, "{again:?}");
        assert!(again.err.contains(&format!("{name}, or somebody with the same key")), "{again:?}");
    }
    let stands = office.stage.find(&account());
    let expiry = |record: &Record| record.approval.as_ref().expect("a request").expires_at;
    assert_eq!((stands.state.name(), expiry(&stands)), (stood.state.name(), expiry(&stood)));
    let listed = office.run(&["ls"]);
    assert!(listed.out.contains("0 of 1 (2 not checked)"), "{listed:?}");
    assert!(listed.out.contains("whose yes counts is not known here"), "{listed:?}");
    let listed = office.run(&["ls", "--approvers", path(&office.approvers())]);
    assert!(listed.out.contains("1 of 1 "), "{listed:?}");
    // What programs know is another matter: Ada's yes counts where the call is made.
    assert!(matches!(office.admit(&office.call(&account())), Admitted::Claimed(_)));
}

#[test]
fn who_has_granted_is_told_so() {
    let office = Office::new();
    let request = office.request(&account());
    assert_eq!(office.sign_among("grant", &request, "ada").code, 0);
    let again = office.sign_among("grant", &request, "ada");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("has agreed to"), "{again:?}");
    let late = office.sign_among("grant", &request, "bob");
    assert_eq!(late.code, 1);
    assert!(late.err.contains("enough people have agreed"), "{late:?}");
    // Who agreed may take it back until the call has begun.
    let approvers = office.approvers();
    let among = ["--approvers", path(&approvers), "--why", "stop"];
    assert_eq!(office.sign("deny", &request, "ada", &among).code, 0);
    let denied = Refusal::Denied { by: "ada".into(), why: "stop".into() };
    assert_eq!(office.admit(&office.call(&account())), Admitted::Refused(denied));
}

#[test]
fn a_refusal_that_comes_too_late_is_told_so() {
    let office = Office::new();
    let request = office.request(&account());
    assert_eq!(office.sign_among("grant", &request, "ada").code, 0);
    assert!(matches!(office.admit(&office.call(&account())), Admitted::Claimed(_)));
    let late = office.sign("deny", &request, "ada", &["--why", "stop"]);
    assert_eq!(late.code, 1);
    assert!(late.err.contains("has begun"), "{late:?}");
}

/// As the documentation of `approval` promises: who does not put back the history, too,
/// leaves a trace.
#[test]
fn a_grant_that_is_put_back_is_found_out() {
    let office = Office::new();
    let request = office.request(&account());
    office.sign_among("grant", &request, "ada");
    let db = rusqlite::Connection::open(office.stage.file()).expect("the ledger");
    let run = |sql: &str| db.execute_batch(sql).expect("a change");
    run("CREATE TEMP TABLE kept AS SELECT * FROM operations");
    assert!(matches!(office.admit(&office.call(&account())), Admitted::Claimed(_)));
    let verify = || office.stage.ledger(&["verify"]);
    assert_eq!(verify().code, 0);
    run(
        "PRAGMA foreign_keys = OFF; DELETE FROM operations; INSERT INTO operations SELECT * FROM kept",
    );
    let found = verify();
    assert_eq!(found.code, 1, "{found:?}");
    assert!(found.out.contains("a-7/delete"), "{found:?}");
}
