//! `check FILE`

use serde_json::Value;

use crate::shell::{ADVISED, BROKEN, CLEAN, command, file, run};

#[test]
fn a_clean_file_is_fine() {
    let path = file("clean.yaml", CLEAN);
    let said = run(&["check", &path]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(said.out, format!("{path}: 1 tool, no findings\n"));
    assert_eq!(run(&["check", &path, "--strict"]).code, 0);
}

#[test]
fn advice_is_fine_unless_strict() {
    let path = file("advised.yaml", ADVISED);
    let said = run(&["check", &path]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("note[TC0101]: "), "{}", said.out);
    assert!(said.out.contains("1 tool, 1 piece of advice;"), "{}", said.out);
    assert_eq!(run(&["check", &path, "--strict"]).code, 1);
}

/// As `emit` writes it, with or without what makes it one.
fn saga(max_total: u32) -> String {
    format!(
        "tools:
  order:
    description: Order.
    mode: write
    idempotent: true
    idempotency_key_required: true
    idempotency: {{ by: nature, ttl: 30d }}
    retry: {{ max_attempts: 3, max_total: {max_total}, retry_on: [retryable_failure, side_effect_unknown] }}
    timeout: 10m
    rate_limit: {{ per_tenant_per_minute: 20 }}
    rollback: {{ strategy: none }}
"
    )
}

#[test]
fn a_saga_gets_no_advice_that_it_cannot_take() {
    for (max_total, advice) in [(1_000_000, "no findings"), (999_999, "note[TC0103]")] {
        let path = file(&format!("saga-{max_total}.yaml"), saga(max_total));
        let said = run(&["check", &path]);
        assert!(said.out.contains(advice), "{}", said.out);
    }
}

#[test]
fn a_broken_rule_is_shown_as_rustc_shows_errors() {
    let path = file("broken.yaml", BROKEN);
    let said = run(&["check", &path]);
    assert_eq!(said.code, 1);
    let shown = format!(
        "error[TC0021]: `charge`: `timeout` must be a time span, not the number `30`
 --> {path}:6:14
  |
6 |     timeout: 30
  |              ^^
  |
  = help: write an integer and a unit, as in `timeout: 30s`
"
    );
    assert!(said.out.contains(&shown), "{}", said.out);
    assert!(said.out.contains("error[TC0004]: "), "{}", said.out);
    let summary =
        format!("\n{path}: 1 tool, 2 errors; `cargo tool-contract explain TC0021` says more\n");
    assert!(said.out.ends_with(&summary), "{}", said.out);
}

#[test]
fn findings_can_be_had_as_json() {
    let path = file("broken-json.yaml", BROKEN);
    let said = run(&["check", &path, "--json"]);
    assert_eq!(said.code, 1);
    let report: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(
        (&report["tools"], &report["deny"], &report["warn"]),
        (&1.into(), &2.into(), &0.into())
    );
    let first = &report["findings"][0];
    assert_eq!((&first["code"], &first["level"]), (&"TC0021".into(), &"deny".into()));
    assert_eq!((&first["line"], &first["column"]), (&6.into(), &14.into()));
}

#[test]
fn what_is_no_contract_ends_with_2() {
    for (name, text, error) in [
        ("bracket.yaml", "tools: [", "error: this is not YAML: unclosed bracket '['"),
        ("empty.yaml", "", "error: the file is empty"),
        (
            "version.yaml",
            "version: 2\ntools: {}",
            "error: this is a contract of version 2; only version 1 is read here",
        ),
        ("bytes.yaml", "tools: \u{1}", "error: this is not YAML"),
    ] {
        let path = file(name, text);
        let said = run(&["check", &path]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.starts_with(error) && said.err.contains(&path), "{}", said.err);
        let json = run(&["check", &path, "--json"]);
        assert_eq!(json.code, 2);
        let report: Value = serde_json::from_str(&json.out).expect("JSON");
        assert!(report["unreadable"]["message"].is_string(), "{report}");
    }
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    let missing = file("missing.yaml", "");
    std::fs::remove_file(&missing).expect("removed");
    let latin = file("latin.yaml", b"tools: {} # \xe4\n");
    let large = file("large.yaml", "#".repeat(2 << 20));
    for (path, error) in
        [(&missing, "cannot read"), (&latin, "is not UTF-8"), (&large, "has 2097152 bytes")]
    {
        let said = run(&["check", path]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.contains(error) && said.err.contains(path.as_str()), "{}", said.err);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let pipe = file("pipe.yaml", "");
    std::fs::remove_file(&pipe).expect("removed");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("it starts");
    assert!(made.success());
    let directory = env!("CARGO_TARGET_TMPDIR");
    for (path, kind) in [
        (pipe.as_str(), "a pipe or a device"),
        ("/dev/zero", "a pipe or a device"),
        (directory, "a directory"),
    ] {
        for command in [&["check"][..], &["check", "--json"], &DECIDE] {
            let said = run(&[command, &[path]].concat());
            assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
            assert_eq!(said.err, format!("error: {path} is {kind}; a contract is a file\n"));
        }
    }
    std::fs::remove_file(&pipe).expect("removed");
}

/// What cannot be written has not been said: a script must not take it for a
/// clean file.
#[cfg(target_os = "linux")]
#[test]
fn what_nobody_could_be_told_ends_with_2() {
    let clean = file("unsaid.yaml", CLEAN);
    let broken = file("unsaid_broken.yaml", BROKEN);
    for args in [
        &["explain"][..],
        &["explain", "TC0004"],
        &["check", &clean],
        &["check", &broken, "--json"],
        &[&DECIDE[..], &[&clean]].concat(),
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
        let mut child = command();
        child.args(args).stdout(full).stderr(std::process::Stdio::piped());
        let output = child.spawn().and_then(std::process::Child::wait_with_output);
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("cannot write to standard output"), "{args:?}: {error}");
    }
}

const DECIDE: [&str; 7] = ["decide", "--tool", "look", "--outcome", "success", "--attempt", "1"];

#[test]
fn wrong_usage_ends_with_2() {
    let path = file("usage.yaml", CLEAN);
    for args in [
        &[][..],
        &["chekc"],
        &["check", &path, "--strct"],
        &["check", &path, "-p", "x"],
        &["decide", &path],
        &["decide", &path, "--tool", "look", "--outcome", "sucess", "--attempt", "1"],
        &["decide", &path, "--tool", "look", "--outcome", "success", "--attempt", "0"],
        &["explain", "E0308"],
    ] {
        assert_eq!(run(args).code, 2, "{args:?}");
    }
}

#[test]
fn cargo_passes_the_name_of_the_subcommand_on() {
    let path = file("subcommand.yaml", CLEAN);
    assert_eq!(run(&["tool-contract", "check", &path]), run(&["check", &path]));
}
