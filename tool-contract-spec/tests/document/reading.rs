//! What the reader makes of files, and where it says what is wrong.

use tool_contract_spec::document::{Position, read};
use tool_contract_spec::draft::Field;
use tool_contract_spec::rulebook::Level;

use crate::samples::{FULL, HANDBOOK, denied, full, only};

#[test]
fn contracts_of_handbooks_are_valid_as_they_are() {
    let document = read(HANDBOOK).expect("readable");
    assert_eq!(denied(&document.findings), Vec::<String>::new());
    let policy = |tool: &str| {
        let entry = document.entry(tool).expect("the entry");
        entry.contract.clone().expect("a contract").policy
    };
    assert_eq!(policy("open_incident").retry.max, 4);
    assert!(policy("open_incident").is_idempotent());
    assert!(!policy("page_on_call").is_idempotent());
    assert!(policy("page_on_call").retry.on.is_empty());
}

#[test]
fn every_field_is_read() {
    let entry = only(FULL);
    assert_eq!(entry.contract, Some(full()));
    assert_eq!(entry.schemas.output, Some(serde_json::json!({ "type": "string" })));
    let schema = entry.schemas.arguments.expect("a schema");
    assert_eq!(schema["properties"]["memo"]["type"], "string");
}

#[test]
fn roles_are_read_without_a_schema_too() {
    let entry =
        only("tools: { look: { mode: read, arguments: { ignored: [memo], secret: [card] } } }");
    let arguments = entry.contract.expect("a contract").arguments;
    let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_ref()).collect();
    assert_eq!((entry.draft.arguments, names), (None, vec!["memo", "card"]));
}

#[test]
fn no_limits_are_as_good_as_none() {
    assert!(only("tools: { look: { mode: read, rate_limit: {} } }").draft.rate_limit.is_absent());
}

/// What is said against a tool with this body, as
/// `line:column code message (help)`. The body begins at line 3, column 5.
fn said(body: &str) -> String {
    let document = read(&format!("tools:\n  t:\n    {body}\n")).expect("readable");
    let denied = document.findings.iter().filter(|finding| finding.level == Level::Deny);
    let said: Vec<String> =
        denied.map(|it| format!("{} {} {} ({})", it.at, it.code, it.message, it.help)).collect();
    said.join("\n")
}

#[test]
fn a_misspelt_field_is_one_finding_with_the_likely_name() {
    for (body, finding) in [
        ("mdoe: read", "3:5 TC0021 `t`: there is no field `mdoe` (did you mean `mode`?)"),
        (
            "mode: read\n    retry: { max_attemps: 3, retry_on: [network] }",
            "4:14 TC0021 `t`: there is no field `retry.max_attemps` (did you mean `max_attempts`?)",
        ),
        (
            "mode: read\n    rate_limit: { per_tool_per_minut: 3 }",
            "4:19 TC0021 `t`: there is no field `rate_limit.per_tool_per_minut` (did you mean `per_tool_per_minute`?)",
        ),
        (
            "mode: read\n    <<: { timeout: 3s }",
            "4:5 TC0021 `t`: there is no field `<<` (merge keys are not read here: write the fields out)",
        ),
    ] {
        assert_eq!(said(body), finding, "{body}");
    }
}

#[test]
fn a_misspelt_field_beside_the_right_one_leaves_that_in_force() {
    let document = read("tools:\n  t:\n    mode: read\n    mdoe: write\n").expect("readable");
    assert_eq!(denied(&document.findings), ["4:5 TC0021"]);
    assert!(
        matches!(&document.entries[0].draft.side_effect, Field::Given { value, .. } if value.value == "read")
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_named_at_its_place() {
    for (body, finding) in [
        (
            "mode: [read]",
            "3:11 TC0021 `t`: `mode` must be text, not a list (write for instance `mode: write`)",
        ),
        (
            "mode: read\n    timeout: 30",
            "4:14 TC0021 `t`: `timeout` must be a time span, not the number `30` \
             (write an integer and a unit, as in `timeout: 30s`)",
        ),
        (
            "mode: read\n    retry: { max_attempts: 3.5, retry_on: [network] }",
            "4:28 TC0021 `t`: `retry.max_attempts` must be a whole number, not the number `3.5` \
             (write it without quotes, as in `3`)",
        ),
        (
            "mode: read\n    retry: { max_attempts: 3, retry_on: network }",
            "4:41 TC0021 `t`: `retry.retry_on` must be a list of words, not the text `network` \
             (write `retry_on: [network]`)",
        ),
        (
            "mode: read\n    retry: { max_attempts: 3, retry_on: [network, 3] }",
            "4:51 TC0021 `t`: `retry.retry_on` must be a list of words, not the number `3` \
             (quote what is meant as text)",
        ),
        (
            "mode: read\n    rollback: none",
            "4:15 TC0021 `t`: `rollback` must be a map of fields, not the text `none` \
             (write `rollback: { strategy: none }`)",
        ),
        (
            "mode: read\n    output: { schema: [] }",
            "4:23 TC0021 `t`: `output.schema` must be a JSON Schema, not a list \
             (a JSON Schema is a map, or `true` where anything fits)",
        ),
        (
            "mode: read\n    description: 3",
            "4:18 TC0021 `t`: `description` must be text, not the number `3` \
             (write for instance `description: What it does, for the model that chooses it.`)",
        ),
    ] {
        assert_eq!(said(body), finding, "{body}");
    }
}

#[test]
fn yes_and_no_are_no_booleans() {
    for word in ["yes", "no", "on", "off", "y", "True!"] {
        let body = format!("mode: read\n    reconcile_on_unknown: {word}");
        let finding = format!(
            "4:27 TC0021 `t`: `reconcile_on_unknown` must be `true` or `false`, not the text `{word}` \
             (`yes`, `no`, `on` and `off` are text in YAML 1.2)"
        );
        assert_eq!(said(&body), finding);
    }
}

#[test]
fn names_that_look_like_booleans_are_names() {
    let document = read("tools: { no: { mode: read }, on: { mode: read }, 1: { mode: read } }")
        .expect("readable");
    let names: Vec<&str> =
        document.entries.iter().map(tool_contract_spec::document::Entry::name).collect();
    assert_eq!(names, ["no", "on", "1"]);
}

#[test]
fn what_is_given_twice_is_reported_at_the_second() {
    for (body, finding) in [
        (
            "mode: read\n    timeout: 30s\n    timeout: 40s",
            "5:5 TC0021 `t`: `timeout` is given twice (the first one stands at 4:5; keep one)",
        ),
        (
            "mode: read\n    retry: { max_attempts: 3, retry_on: [network], max_attempts: 4 }",
            "4:52 TC0021 `t`: `retry.max_attempts` is given twice (the first one stands at 4:14; keep one)",
        ),
        (
            "mode: read\n    output: { schema: { a: 1, a: 2 } }",
            "4:31 TC0021 `t`: `output.schema.a` is given twice ()",
        ),
        (
            "mode: read\n    arguments: { ignored: [memo], secret: [memo] }",
            "4:44 TC0021 `t`: `memo` is given twice (the first one stands at 4:28; keep one)",
        ),
        (
            "mode: read\n    rate_limit: { per_tool_per_minute: 3, per_tool_per_hour: 5 }",
            "4:43 TC0021 `t`: `rate_limit` has two rates per tool (a scope has one rate: keep one)",
        ),
    ] {
        assert_eq!(said(body), finding, "{body}");
    }
}

#[test]
fn a_tool_that_is_there_twice_is_reported_at_the_second() {
    let document = read("tools:\n  t: { mode: read }\n  t: { mode: write }\n").expect("readable");
    assert_eq!(denied(&document.findings), ["3:3 TC0017"]);
    assert_eq!(document.entries.len(), 1);
    let same = read("tools:\n  t: { mode: read }\n  't': { mode: read }\n").expect("readable");
    assert_eq!(denied(&same.findings), ["3:3 TC0017"]);
}

#[test]
fn a_role_names_an_argument_of_the_schema() {
    let body = "mode: read\n    arguments: { ignored: [mmo], schema: { properties: { memo: { type: string } } } }";
    assert_eq!(said(body), "4:28 TC0021 `t`: `mmo` is no argument of it (did you mean `memo`?)");
}

#[test]
fn how_a_tool_is_idempotent_does_not_say_that_it_is() {
    for mode in ["read", "write\n    rollback: { strategy: none }"] {
        let body = format!("idempotency: {{ ttl: 30d, by: nature }}\n    mode: {mode}");
        let finding = "3:30 TC0021 `t`: `idempotency` says how it is idempotent, and nothing says that it is \
                       (write `idempotent: true` beside it)";
        assert_eq!(said(&body), finding, "{mode}");
    }
}

#[test]
fn a_schema_that_names_no_properties_leaves_the_arguments_open() {
    for schema in ["{ $ref: \"#/$defs/Order\" }", "{ oneOf: [{ properties: { a: {} } }] }", "true"]
    {
        let entry = only(&format!(
            "tools: {{ t: {{ mode: write, idempotent: true, rollback: {{ strategy: none }}, \
             idempotency: {{ key: \"{{order_id}}\" }}, arguments: {{ schema: {schema} }} }} }}"
        ));
        assert_eq!(entry.draft.arguments, None, "{schema}");
    }
}

#[test]
fn a_rollback_says_what_it_means() {
    let write = "mode: write\n    idempotent: false\n    rollback:";
    for (rollback, finding) in [
        (
            "{ strategy: compensate }",
            "5:27 TC0016 `t`: `strategy: compensate` names no function (name it: `with: refund_card`)",
        ),
        (
            "{ strategy: none, with: refund }",
            "5:33 TC0021 `t`: `rollback.with` names a function, but `strategy: none` calls none \
             (write `strategy: compensate`, or leave `with` out)",
        ),
        (
            "{ strategy: manual }",
            "5:27 TC0021 `t`: `manual` is no rollback strategy (did you mean `manual_only`?)",
        ),
        (
            "{ strategy: refund_card }",
            "5:27 TC0021 `t`: `refund_card` is no rollback strategy (it is one of `none`, `manual_only` \
             and `compensate`; a function is named as in `strategy: compensate, with: refund_card`)",
        ),
        (
            "refund_card",
            "5:15 TC0021 `t`: `rollback` must be a map of fields, not the text `refund_card` \
             (write `rollback: { strategy: compensate, with: refund_card }`)",
        ),
        (
            "manual_only",
            "5:15 TC0021 `t`: `rollback` must be a map of fields, not the text `manual_only` \
             (write `rollback: { strategy: manual_only }`)",
        ),
        (
            "{ with: refund }",
            "5:5 TC0021 `t`: `rollback` has no `strategy` \
             (write `strategy: ..` with one of `none`, `manual_only` and `compensate`)",
        ),
        (
            "{ strateg: none }",
            "5:17 TC0021 `t`: there is no field `rollback.strateg` (did you mean `strategy`?)",
        ),
    ] {
        assert_eq!(said(&format!("{write} {rollback}")), finding, "{rollback}");
    }
}

#[test]
fn a_mistake_leaves_no_contract_and_the_other_tools_alone() {
    let document = read("tools:\n  a: { mode: read, timeout: 3 }\n  b: 3\n  c: { mode: read }\n")
        .expect("readable");
    assert_eq!(denied(&document.findings), ["2:29 TC0021", "3:6 TC0021"]);
    let contracts: Vec<bool> =
        document.entries.iter().map(|entry| entry.contract.is_some()).collect();
    assert_eq!(contracts, [false, false, true]);
}

/// What is said of a file that is no contract at all.
fn unreadable(text: &str) -> String {
    let unreadable = read(text).expect_err("unreadable");
    format!("{unreadable} ({})", unreadable.help)
}

#[test]
fn what_is_no_contract_is_unreadable() {
    const SKELETON: &str =
        "a contract begins with `version: 1` and lists its tools by name under `tools:`";
    for (text, message) in [
        ("", format!("the file is empty ({SKELETON})")),
        ("\n# nothing\n", format!("the file is empty ({SKELETON})")),
        ("---\n", format!("the file is empty ({SKELETON})")),
        ("version: 1\n", format!("1:1: the contract has no `tools` ({SKELETON})")),
        ("version: 1\ntool: {}\n", "2:1: the contract has no `tools` (did you mean `tools` by `tool`?)".to_owned()),
        ("[]", format!("1:1: a contract must be a map with `tools`, not a list ({SKELETON})")),
        (
            "tools:\n",
            "1:6: `tools` must be a map of tools by name, not nothing (where there are no tools yet, write `tools: {}`)"
                .to_owned(),
        ),
        (
            "version: 2\ntools: {}",
            "1:10: this is a contract of version 2; only version 1 is read here (write `version: 1`)".to_owned(),
        ),
        (
            "version: '1'\ntools: {}",
            "1:10: `version` must be the number 1, not the text `1` (write `version: 1`)".to_owned(),
        ),
    ] {
        assert_eq!(unreadable(text), message, "{text:?}");
    }
}

#[test]
fn what_is_not_yaml_is_unreadable_at_its_place() {
    for (text, at) in [
        ("tools:\n\tt: {}\n", (2, 2)),
        ("tools: { t: [a, b }", (1, 13)),
        ("tools:\n  t:\n    mode: a: b\n", (3, 12)),
        ("tools: @x", (1, 8)),
        ("tools: *x", (1, 8)),
        ("tools: !!set {a}\n", (1, 14)),
        ("tools: \u{1}", (1, 8)),
        ("? [tools]\n: {}\n", (1, 3)),
        ("tools: {}\n---\ntools: {}\n", (2, 1)),
        ("tools: { t: { mode: .nan } }", (1, 21)),
    ] {
        let at = Position { line: at.0, column: at.1 };
        assert_eq!(read(text).expect_err("unreadable").at, Some(at), "{text:?}");
    }
}

#[test]
fn strangers_at_the_top_are_findings() {
    let document =
        read("tools: {}\nfoo: 1\nversion: 1\nversion: 1\nverison: 1\n").expect("readable");
    assert_eq!(denied(&document.findings), ["2:1 TC0021", "4:1 TC0021", "5:1 TC0021"]);
    assert_eq!(document.findings[2].help, "did you mean `version`?");
}

#[test]
fn windows_files_and_byte_order_marks_are_read() {
    let windows = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    assert_eq!(only(&windows).contract, Some(full()));
    let document = read("\u{feff}tools:\r\n  t:\r\n    mdoe: read\r\n").expect("readable");
    assert_eq!(denied(&document.findings), ["3:5 TC0021"]);
}

#[test]
fn aliases_stand_for_what_they_repeat() {
    let text = "tools:\n  a: { mode: read, retry: &retry { max_attempts: 2, retry_on: [network] } }\n  \
                b: { mode: read, retry: *retry }\n";
    let document = read(text).expect("readable");
    assert_eq!(denied(&document.findings), Vec::<String>::new());
    let retries: Vec<_> = document
        .entries
        .iter()
        .map(|entry| entry.contract.clone().map(|it| it.policy.retry))
        .collect();
    assert_eq!(retries[0], retries[1]);
}

#[test]
fn columns_count_characters() {
    let document =
        read("tools: { t: { description: \"äöü → 漢字\", mdoe: read } }").expect("readable");
    assert_eq!(denied(&document.findings)[0], "1:40 TC0021");
}
