//! Calls by name, with JSON that nobody has checked: always an answer, never a
//! panic, and nothing runs that was not meant.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tool_contract::ledger::Query;
use tool_contract::spec::rulebook::Code;
use tool_contract::{Cx, Meta, Request, Response, Runtime, Status, tool};

use crate::stage::{Stage, secs};
use crate::tools::{Charge, ChargeAnew, Look};
use crate::world::{Act, Trouble, World};

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    count: u32,
}

/// Take arguments of every kind.
#[tool(side_effect = "write", idempotent, rollback = "none", allow(TC0104), state(World))]
#[allow(clippy::too_many_arguments, reason = "one of each kind")]
async fn take_all(
    cx: &Cx,
    number: i64,
    large: u128,
    fraction: f64,
    flag: bool,
    letter: char,
    lines: Vec<Line>,
    names: BTreeMap<String, u8>,
    anything: Value,
    maybe: Option<u8>,
) -> Result<u32, Trouble> {
    let _ = (number, large, fraction, flag, letter, lines, names, anything, maybe);
    cx.state::<World>().act("all").await
}

fn all_arguments() -> Value {
    json!({
        "number": -5, "large": 12, "fraction": 0.5, "flag": true, "letter": "x",
        "lines": [{ "sku": "s", "count": 2 }], "names": { "a": 1 }, "anything": [null, { "b": 1e3 }], "maybe": null,
    })
}

fn stage() -> (Stage, Runtime) {
    let stage = Stage::new();
    let builder =
        stage.builder().tool::<Charge>().tool::<ChargeAnew>().tool::<Look>().tool::<TakeAll>();
    let runtime = builder.largest_request(4_096).build().unwrap();
    (stage, runtime)
}

async fn send(runtime: &Runtime, request: Value) -> Response {
    runtime.dispatch_json(request.to_string().as_bytes()).await
}

fn charge_request() -> Value {
    json!({ "tool": "charge", "arguments": { "order": "o", "cents": 5 }, "meta": { "idempotency_key": "k" } })
}

/// It was refused with this code and for a reason that names the place, and
/// nothing ran.
#[track_caller]
fn refused(stage: &Stage, response: &Response, code: Code, place: &str) {
    assert_eq!((response.status, response.code), (Status::Refused, Some(code)), "{response:?}");
    let message = response.message.as_deref().unwrap_or_default();
    assert!(message.contains(place), "`{place}` is not in: {message}");
    assert_eq!((response.attempts, response.replayed, stage.world.attempts()), (0, false, 0));
}

#[tokio::test]
async fn an_answer_says_all_that_an_agent_needs() {
    let (stage, runtime) = stage();
    let response = send(&runtime, charge_request()).await;
    let written = serde_json::to_value(&response).unwrap();
    let hash = written["operation_hash"].as_str().unwrap().to_owned();
    assert_eq!(
        written,
        json!({
            "tool": "charge", "status": "succeeded", "result": 1, "replayed": false, "attempts": 1,
            "idempotency_key": "k", "operation_hash": hash,
        })
    );
    let written = serde_json::to_value(send(&runtime, charge_request()).await).unwrap();
    assert_eq!((&written["replayed"], &written["operation_hash"]), (&json!(true), &json!(hash)));
    assert_eq!(stage.world.effects(), 1);

    let mut other = charge_request();
    other["arguments"]["cents"] = json!(6);
    let written = serde_json::to_value(send(&runtime, other).await).unwrap();
    assert_eq!((&written["status"], &written["code"]), (&json!("refused"), &json!("TC0203")));
    assert_ne!(written["operation_hash"], json!(hash));
    assert!(written["message"].as_str().unwrap().contains("other arguments"));
    assert_eq!(written.get("result"), None);
}

#[tokio::test]
async fn an_answer_says_when_to_come_again() {
    let (stage, runtime) = stage();
    stage.world.then(Act::Fail(Trouble::BusyFor { after: secs(50) }));
    let mut request = charge_request();
    request["meta"]["deadline_ms"] = json!(20_000);
    let response = send(&runtime, request).await;
    assert_eq!((response.status, response.attempts), (Status::Failed, 1));
    let response = send(&runtime, charge_request()).await;
    assert_eq!((response.code, response.retry_after_ms), (Some(Code::NOT_BEFORE), Some(51_000)));

    stage.world.then(Act::Fail(Trouble::NoAnswer));
    stage.clock.advance(secs(51));
    let response = send(&runtime, charge_request()).await;
    assert_eq!((response.status, response.code), (Status::Unknown, Some(Code::UNKNOWN_OUTCOME)));
    assert!(response.escalation.is_some());
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_refused_with_the_likely_one() {
    let (stage, runtime) = stage();
    for (tool, place) in
        [("chrage", "`charge`"), ("zzzzzzzz", "take_all"), ("", "charge"), ("CHARGE", "charge")]
    {
        let mut request = charge_request();
        request["tool"] = json!(tool);
        refused(&stage, &send(&runtime, request).await, Code::UNKNOWN_TOOL, place);
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_with_their_place() {
    let (stage, runtime) = stage();
    for (arguments, place) in [
        (json!({ "order": "o" }), "`cents` is missing"),
        (json!({}), "`order` is missing"),
        (
            json!({ "order": "o", "cents": 5, "cent": 5 }),
            "`cent` is no argument of the tool; did you mean `cents`?",
        ),
        (json!({ "order": "o", "cents": "5" }), "`cents`: invalid type: string"),
        (json!({ "order": 17, "cents": 5 }), "`order`: invalid type: integer"),
        (json!({ "order": null, "cents": 5 }), "`order`"),
        (json!({ "order": "o", "cents": -1 }), "`cents`"),
        (json!({ "order": "o", "cents": 1.5 }), "`cents`"),
        (json!({ "order": "o", "cents": 1e3 }), "`cents`"),
        (json!([]), "an array"),
        (json!("{}"), "a text"),
        (json!(5), "a number"),
        (json!(null), "null"),
        (json!(true), "a boolean"),
    ] {
        let request =
            json!({ "tool": "charge", "arguments": arguments, "meta": { "idempotency_key": "k" } });
        refused(&stage, &send(&runtime, request).await, Code::ARGUMENTS_MALFORMED, place);
    }
}

#[tokio::test]
async fn text_that_no_value_can_hold_is_refused_with_its_place() {
    let (stage, runtime) = stage();
    for (arguments, place) in [
        (r#"{"order":"o","cents":5,"cents":6}"#, "`cents` is given twice"),
        (r#"{"order":"o","order":"o","cents":5}"#, "`order` is given twice"),
        (r#"{"order":"o","cents":99999999999999999999999}"#, "`cents`"),
        (r#"{"order":"o","cents":1e999}"#, "`cents`"),
        (r#"{"order":"\ud800","cents":5}"#, "`order`"),
    ] {
        let request = format!(
            r#"{{"tool":"charge","arguments":{arguments},"meta":{{"idempotency_key":"k"}}}}"#
        );
        let response = runtime.dispatch_json(request.as_bytes()).await;
        refused(&stage, &response, Code::ARGUMENTS_MALFORMED, place);
    }
}

#[tokio::test]
async fn what_may_be_null_may_be_left_out() {
    let (stage, runtime) = stage();
    let mut arguments = all_arguments();
    arguments.as_object_mut().unwrap().remove("maybe");
    let request =
        json!({ "tool": "take_all", "arguments": arguments, "meta": { "idempotency_key": "k" } });
    assert_eq!(send(&runtime, request).await.status, Status::Succeeded);
    // It is the same operation, said in other words.
    let request = json!({ "tool": "take_all", "arguments": all_arguments(), "meta": { "idempotency_key": "k" } });
    assert!(send(&runtime, request).await.replayed);
    assert_eq!(stage.world.effects(), 1);
}

#[tokio::test]
async fn a_request_of_another_form_is_refused_with_its_place() {
    let (stage, runtime) = stage();
    let valid = charge_request().to_string();
    let text = |text: &str| text.as_bytes().to_vec();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (text(""), "line 1"),
        (text("null"), "line 1"),
        (text("[]"), "line 1"),
        (text("{}"), "missing field `tool`"),
        (text(r#"{"tool":"charge"}"#), "missing field `arguments`"),
        (text(r#"{"tool":5,"arguments":{}}"#), "line 1 column 9"),
        (text(r#"{"tool":"charge","tool":"look","arguments":{}}"#), "duplicate field `tool`"),
        (text(r#"{"tool":"charge","arguments":{},"arguments":{}}"#), "duplicate field `arguments`"),
        (text(r#"{"tool":"charge","arguments":{},"args":{}}"#), "unknown field `args`"),
        (text(r#"{"tool":"charge","arguments":{},"meta":[1]}"#), "line 1"),
        (text(r#"{"tool":"charge","arguments":{},"meta":{"key":"k"}}"#), "unknown field `key`"),
        (
            text(r#"{"tool":"charge","arguments":{},"meta":{"deadline_ms":"1"}}"#),
            "line 1 column 57",
        ),
        (text(r#"{"tool":"charge","arguments":{},"meta":{"deadline_ms":-1}}"#), "line 1 column 56"),
        (text(r#"{"tool":"charge","arguments":{},"meta":{"attempt_number":1e9}}"#), "line 1"),
        (text(r#"{"tool":"charge","arguments":{},"meta":{"idempotency_key":7}}"#), "line 1"),
        (valid.as_bytes()[..valid.len() - 1].to_vec(), "line 1"),
        ([valid.as_bytes(), b"x"].concat(), "trailing characters"),
        ([b"\xef\xbb\xbf", valid.as_bytes()].concat(), "line 1 column 1"),
        ([b"\xff", valid.as_bytes()].concat(), "line 1 column 1"),
        (text(r#"{"tool":"charge","arguments":{"order":"#), "line 1"),
    ];
    for (bytes, place) in cases {
        let response = runtime.dispatch_json(&bytes).await;
        refused(&stage, &response, Code::ARGUMENTS_MALFORMED, place);
    }
    assert!(stage.ledger.inner().list(Query::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_caller_is_checked_as_the_types_would() {
    let (stage, runtime) = stage();
    for (meta, code, place) in [
        (json!({}), Code::KEY_MISSING, "send `idempotency_key` in `meta`"),
        (json!({ "idempotency_key": null }), Code::KEY_MISSING, "send `idempotency_key` in `meta`"),
        (json!({ "idempotency_key": "" }), Code::KEY_MALFORMED, "empty"),
        (json!({ "idempotency_key": "a b" }), Code::KEY_MALFORMED, "byte 1"),
        (json!({ "idempotency_key": "k", "tenant": "ü" }), Code::KEY_MALFORMED, "tenant"),
        (json!({ "idempotency_key": "k", "user": "" }), Code::KEY_MALFORMED, "user"),
        (json!({ "idempotency_key": "k", "workflow": "\n" }), Code::KEY_MALFORMED, "workflow"),
        (json!({ "idempotency_key": "k", "deadline_ms": 0 }), Code::DEADLINE_PASSED, "deadline"),
    ] {
        let request =
            json!({ "tool": "charge", "arguments": { "order": "o", "cents": 5 }, "meta": meta });
        refused(&stage, &send(&runtime, request).await, code, place);
    }
}

#[tokio::test]
async fn too_much_is_refused_unread() {
    let (stage, runtime) = stage();
    let padded = |size: usize| {
        let mut request = charge_request().to_string();
        request.push_str(&" ".repeat(size - request.len()));
        request
    };
    let response = runtime.dispatch_json(padded(4_097).as_bytes()).await;
    refused(&stage, &response, Code::TOO_LARGE, "4097 bytes");
    // Not even whether it is JSON is looked at.
    refused(&stage, &runtime.dispatch_json(&[b'x'; 5_000]).await, Code::TOO_LARGE, "5000 bytes");
    let request =
        Request::new("charge", &json!({ "order": "o".repeat(4_096) }), Meta::default()).unwrap();
    refused(&stage, &runtime.dispatch(request).await, Code::TOO_LARGE, "4108 bytes");
    assert_eq!(runtime.dispatch_json(padded(4_096).as_bytes()).await.status, Status::Succeeded);
}

#[tokio::test]
async fn the_default_limit_is_a_mebibyte() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<Charge>().build().unwrap();
    let response = runtime.dispatch_json(&vec![b' '; (1 << 20) + 1]).await;
    refused(&stage, &response, Code::TOO_LARGE, "1048577 bytes");
    let response = runtime.dispatch_json(&vec![b' '; 1 << 20]).await;
    refused(&stage, &response, Code::ARGUMENTS_MALFORMED, "line 1");
}

#[tokio::test]
async fn however_deep_it_is_the_stack_holds() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<TakeAll>().build().unwrap();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [100, 126, 127, 128, 129, 1_000, 100_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let mut arguments = all_arguments();
            arguments["anything"] = json!("DEEP");
            let arguments = arguments.to_string().replace("\"DEEP\"", &deep);
            let key = format!("{}{depth}", open.len());
            let request = format!(
                r#"{{"tool":"take_all","arguments":{arguments},"meta":{{"idempotency_key":"{key}"}}}}"#
            );
            let attempts = stage.world.attempts();
            let response = runtime.dispatch_json(request.as_bytes()).await;
            if depth <= 100 {
                assert_eq!(response.status, Status::Succeeded, "{response:?}");
                continue;
            }
            let ran = stage.world.attempts() - attempts;
            assert_eq!(usize::from(response.status == Status::Succeeded), ran, "{response:?}");
            if depth > 128 {
                assert_eq!(
                    (response.status, response.code),
                    (Status::Refused, Some(Code::ARGUMENTS_MALFORMED))
                );
                assert!(response.message.unwrap().contains("`anything`"));
            }
            // The whole request as deep.
            let response = runtime.dispatch_json(deep.as_bytes()).await;
            assert_eq!(
                (response.status, response.code),
                (Status::Refused, Some(Code::ARGUMENTS_MALFORMED))
            );
        }
    }
}

#[tokio::test]
async fn numbers_of_every_size_are_read_or_refused() {
    let stage = Stage::new();
    let runtime = stage.builder().tool::<TakeAll>().build().unwrap();
    let digits = "9".repeat(400);
    for (number, member) in [
        ("9223372036854775807", "number"),
        ("-9223372036854775808", "number"),
        ("340282366920938463463374607431768211455", "large"),
        ("1e308", "fraction"),
        ("-0.0", "fraction"),
        ("1e-999", "fraction"),
        ("9007199254740993", "anything"),
    ] {
        let key = format!("{member}/{number}");
        let response = with_member(&runtime, member, number, &key).await;
        assert_eq!(response.status, Status::Succeeded, "{member} = {number}: {response:?}");
    }
    let attempts = stage.world.attempts();
    for (number, member) in [
        ("9223372036854775808", "number"),
        ("340282366920938463463374607431768211456", "large"),
        ("1e999", "fraction"),
        ("-1e999", "fraction"),
        (&*digits, "number"),
        (&*digits, "large"),
        ("1e999", "anything"),
        ("NaN", "fraction"),
        ("0x10", "number"),
        ("01", "number"),
        ("+1", "number"),
    ] {
        let response = with_member(&runtime, member, number, "k").await;
        assert_eq!(
            (response.status, response.code),
            (Status::Refused, Some(Code::ARGUMENTS_MALFORMED)),
            "{member} = {number}"
        );
    }
    assert_eq!(stage.world.attempts(), attempts);
}

async fn with_member(runtime: &Runtime, member: &str, text: &str, key: &str) -> Response {
    let mut arguments = all_arguments();
    arguments[member] = json!("HERE");
    let arguments = arguments.to_string().replace("\"HERE\"", text);
    let request = format!(
        r#"{{"tool":"take_all","arguments":{arguments},"meta":{{"idempotency_key":"{key}"}}}}"#
    );
    runtime.dispatch_json(request.as_bytes()).await
}

// ---- whatever comes ----

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Whatever the answer is, it is one, and it is true.
async fn answers(stage: &Stage, runtime: &Runtime, bytes: &[u8]) -> Result<Status, TestCaseError> {
    let attempts = stage.world.attempts();
    let response = runtime.dispatch_json(bytes).await;
    let ran = stage.world.attempts() - attempts;
    serde_json::to_string(&response).unwrap();
    match response.status {
        Status::Succeeded => {
            prop_assert!(ran == usize::from(!response.replayed) && response.code.is_none())
        }
        Status::Refused => {
            prop_assert_eq!(ran, 0);
            prop_assert!(response.code.is_some());
            prop_assert!(response.message.is_some_and(|message| !message.is_empty()));
        }
        other => prop_assert!(false, "{:?}", other),
    }
    Ok(response.status)
}

/// Any JSON, small.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        proptest::sample::select(vec!["order", "cents", "k", "charge", "look", "o"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            4 => proptest::sample::select(vec![
                "tool", "arguments", "meta", "order", "cents", "idempotency_key", "tenant", "user", "workflow",
                "approval", "deadline_ms", "attempt_number", "correlation_id", "number", "lines", "sku", "count",
            ]).prop_map(str::to_owned),
            1 => "\\PC{0,6}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn requests() -> impl Strategy<Value = Value> {
    let tools =
        proptest::sample::select(vec!["charge", "look", "charge_anew", "take_all", "nothing"]);
    let meta = prop_oneof![
        2 => Just(json!({ "idempotency_key": "k" })),
        1 => values(),
    ];
    let arguments = prop_oneof![
        1 => Just(json!({ "order": "o", "cents": 1 })),
        1 => Just(json!({ "order": "o" })),
        1 => Just(all_arguments()),
        4 => values(),
        // One member of good arguments is anything.
        4 => (proptest::sample::select(vec!["number", "large", "fraction", "letter", "lines", "names", "anything", "maybe"]), values())
            .prop_map(|(member, value)| {
                let mut arguments = all_arguments();
                arguments[member] = value;
                arguments
            }),
    ];
    (tools, arguments, meta).prop_map(
        |(tool, arguments, meta)| json!({ "tool": tool, "arguments": arguments, "meta": meta }),
    )
}

/// Damage to a text.
#[derive(Debug, Clone)]
enum Damage {
    Change(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Insert(usize, Vec<u8>),
    Cut(usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let tokens: Vec<&[u8]> = vec![
        b"\"", b"{", b"}", b"[", b"]", b",", b":", b"null", b"-", b"1e999", b"\\u0000", b"\\ud800",
        b"\0", b"\xff",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        (any::<usize>(), 1usize..20).prop_map(|(at, many)| Damage::Remove(at, many)),
        (any::<usize>(), 1usize..40).prop_map(|(at, many)| Damage::Repeat(at, many)),
        (any::<usize>(), proptest::sample::select(tokens))
            .prop_map(|(at, token)| Damage::Insert(at, token.to_vec())),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages.iter().cloned() {
        let length = bytes.len().max(1);
        let span = |at: usize, many: usize| at.min(bytes.len())..(at + many).min(bytes.len());
        match damage {
            Damage::Change(at, byte) if !bytes.is_empty() => bytes[at % length] = byte,
            Damage::Change(..) => {}
            Damage::Remove(at, many) => drop(bytes.drain(span(at % length, many))),
            Damage::Repeat(at, many) => {
                let piece = bytes[span(at % length, many)].to_vec();
                let end = span(at % length, many).end;
                bytes.splice(end..end, piece);
            }
            Damage::Insert(at, token) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, token);
            }
            Damage::Cut(at) => bytes.truncate(at % length),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (stage, runtime) = stage();
        let status = block_on(answers(&stage, &runtime, &bytes))?;
        prop_assert_eq!(status, Status::Refused);
    }

    #[test]
    fn any_json_is_answered(value in values()) {
        let (stage, runtime) = stage();
        block_on(answers(&stage, &runtime, value.to_string().as_bytes()))?;
    }

    #[test]
    fn any_request_is_answered_and_repeated_without_a_second_effect(request in requests()) {
        let (stage, runtime) = stage();
        let bytes = request.to_string().into_bytes();
        let first = block_on(answers(&stage, &runtime, &bytes))?;
        let effects = stage.world.effects();
        let second = block_on(answers(&stage, &runtime, &bytes))?;
        prop_assert_eq!(first, second);
        let repeats = request["tool"] == "look" || request["tool"] == "charge_anew";
        prop_assert!(repeats || stage.world.effects() == effects);
    }

    #[test]
    fn a_damaged_request_is_answered(
        request in prop_oneof![Just(charge_request()), requests()],
        damages in proptest::collection::vec(damages(), 1..6),
    ) {
        let (stage, runtime) = stage();
        let bytes = damaged(request.to_string().into_bytes(), &damages);
        block_on(answers(&stage, &runtime, &bytes))?;
    }
}
