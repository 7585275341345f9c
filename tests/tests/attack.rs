//! What somebody tries who wants it to break: garbage, races, drops, panics,
//! full and lost files, stolen approvals, secrets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tool_contract::ledger::{
    Ledger, LedgerError, MemoryLedger, Query, SqliteLedger, StateName, verify,
};
use tool_contract::spec::key::{IdempotencyKey, OperationId};
use tool_contract::testing::{self, ManualClock};
use tool_contract::{
    CallError, Cx, Meta, Request, Response, Runtime, SecretKey, Status, ToolError, tool,
};

/// How often each order was charged, over all tests of this process.
static EFFECTS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

fn happen(order: &str) {
    *EFFECTS.lock().unwrap().entry(order.to_owned()).or_default() += 1;
}

fn effects(order: &str) -> u32 {
    EFFECTS.lock().unwrap().get(order).copied().unwrap_or_default()
}

#[derive(Debug, thiserror::Error, ToolError)]
enum Trouble {
    #[error("busy")]
    #[outcome(retryable_failure(network))]
    Busy,
}

/// Charge an order.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn charge(order: String) -> Result<u32, Infallible> {
    happen(&order);
    Ok(effects(&order))
}

/// Charge an order, with a rest before and after.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    retry(max = 3, on = "retryable", base = "1ms", jitter = "none")
)]
async fn charge_slowly(cx: &Cx, order: String, rests: u32) -> Result<u32, Trouble> {
    for _ in 0..rests {
        tokio::task::yield_now().await;
    }
    if cx.attempt() == 1 && order.contains("busy") {
        return Err(Trouble::Busy);
    }
    happen(&order);
    for _ in 0..rests {
        tokio::task::yield_now().await;
    }
    Ok(effects(&order))
}

/// Takes whatever it is given.
#[tool(side_effect = "write", idempotent, rollback = "none")]
async fn swallow(
    value: Value,
    tree: Option<Tree>,
    #[arg(ignore)] number: Option<f64>,
) -> Result<Value, Infallible> {
    drop((tree, number));
    Ok(value)
}

/// Delete an order.
#[tool(
    side_effect = "destructive",
    idempotent,
    rollback = "none",
    confirm(by = "human", ttl = "15m")
)]
async fn delete(order: String) -> Result<u32, Infallible> {
    happen(&order);
    Ok(effects(&order))
}

/// Pay by card.
#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
async fn pay(order: String, #[arg(secret)] card: String) -> Result<usize, Trouble> {
    if order.contains("busy") {
        return Err(Trouble::Busy);
    }
    Ok(card.len())
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tree {
    Leaf,
    Node(Vec<Tree>),
}

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir()
            .join(format!("tool-contract-attack-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn ledger(&self) -> PathBuf {
        self.0.join("ledger.db")
    }

    /// Every byte that is in it.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.0).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn on(ledger: impl Ledger) -> Runtime {
    Runtime::builder()
        .ledger(ledger)
        .insecure_local_approvals()
        .secret_key(SecretKey::new([7; 32]).unwrap())
        .tool::<Charge>()
        .tool::<Swallow>()
        .tool::<Delete>()
        .tool::<Pay>()
        .build()
        .unwrap()
}

async fn in_file(path: &Path) -> Runtime {
    on(SqliteLedger::open(path).await.unwrap())
}

async fn send(runtime: &Runtime, request: &Value) -> Response {
    runtime.dispatch_json(&serde_json::to_vec(request).unwrap()).await
}

fn id(tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: None, tool: tool.into(), key: IdempotencyKey::new(key).unwrap() }
}

async fn state(runtime: &Runtime, tool: &'static str, key: &str) -> Option<StateName> {
    runtime.ledger().unwrap().find(id(tool, key)).await.unwrap().map(|record| record.state.name())
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

// ---- garbage ----

#[tokio::test]
async fn strange_requests_are_refused_and_run_nothing() {
    let runtime = on(MemoryLedger::new());
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let tree = |depth: usize| "{\"node\":[".repeat(depth) + "\"leaf\"" + &"]}".repeat(depth);
    let swallow = |arguments: String| {
        format!(r#"{{"tool":"swallow","arguments":{arguments},"meta":{{"idempotency_key":"k"}}}}"#)
    };
    let requests = [
        String::new(),
        "null".into(),
        "\u{0}".into(),
        nested(400_000),
        "[".repeat(900_000),
        "{\"tool\":".repeat(100_000),
        format!(r#"{{"tool":"{}","arguments":{{}}}}"#, "x".repeat(1_000_000)),
        r#"{"tool":"charge","tool":"charge","arguments":{}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never","order":"never"},"meta":{"idempotency_key":"k"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"\ud800"},"meta":{"idempotency_key":"k"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"a\u0000b"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":""}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","tenant":"a b"}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","deadline_ms":18446744073709551616}}"#.into(),
        r#"{"tool":"charge","arguments":{"order":"never"},"meta":{"idempotency_key":"k","deadline_ms":0}}"#.into(),
        format!(r#"{{"tool":"charge","arguments":{{"order":"never"}},"meta":{{"idempotency_key":"{}"}}}}"#, "k".repeat(256)),
        swallow(nested(300_000)),
        swallow(format!(r#"{{"value":{}}}"#, nested(300_000))),
        swallow(format!(r#"{{"value":{}}}"#, nested(127))),
        swallow(format!(r#"{{"value":0,"tree":{}}}"#, tree(60_000))),
        swallow(r#"{"value":1e999}"#.into()),
        swallow(r#"{"value":0,"number":1e999}"#.into()),
        swallow(format!(r#"{{"value":0,{}"x":0}}"#, r#""y":0,"#.repeat(100_000))),
    ];
    for request in &requests {
        let response = runtime.dispatch_json(request.as_bytes()).await;
        let start: String = request.chars().take(100).collect();
        assert_eq!(response.status, Status::Refused, "{start}: {:?}", response.message);
        assert!(response.code.is_some(), "{start}");
        serde_json::to_string(&response).unwrap();
    }
    assert_eq!(effects("never"), 0);
    assert_eq!(runtime.ledger().unwrap().list(Query::default()).await.unwrap(), []);
}

#[tokio::test]
async fn numbers_that_floats_would_merge_are_apart() {
    let runtime = on(MemoryLedger::new());
    let mut hashes = Vec::new();
    for value in [
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551617",
        "\"\\u0000\"",
        "0",
        "null",
        "[0]",
    ] {
        let request = format!(
            r#"{{"tool":"swallow","arguments":{{"value":{value}}},"meta":{{"idempotency_key":"k"}}}}"#
        );
        hashes.push(runtime.dispatch_json(request.as_bytes()).await.operation_hash.unwrap());
    }
    let minus = runtime
        .dispatch_json(
            br#"{"tool":"swallow","arguments":{"value":-0.0},"meta":{"idempotency_key":"k"}}"#,
        )
        .await;
    assert_eq!(minus.operation_hash.unwrap(), hashes[5]);
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

fn garbage() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["charge", "swallow", "delete", "order", "fuzz", "k1"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let names = prop_oneof![
            prop::sample::select(vec![
                "order",
                "value",
                "tree",
                "number",
                "idempotency_key",
                "tenant",
                "approval",
                "node"
            ])
            .prop_map(String::from),
            "\\PC{0,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let response = block_on(on(MemoryLedger::new()).dispatch_json(&bytes));
        prop_assert_eq!(response.status, Status::Refused);
    }

    #[test]
    fn any_json_is_answered_the_same_way_twice(
        tool in prop::sample::select(vec!["charge", "swallow", "delete", "pay", "nothing"]),
        arguments in garbage(),
        meta in prop_oneof![garbage(), Just(json!({"idempotency_key": "k1"}))],
        cut in any::<prop::sample::Index>(),
    ) {
        let runtime = on(MemoryLedger::new());
        let bytes = serde_json::to_vec(&json!({"tool": tool, "arguments": arguments, "meta": meta})).unwrap();
        let (first, second) = block_on(async {
            (runtime.dispatch_json(&bytes).await, runtime.dispatch_json(&bytes).await)
        });
        prop_assert_eq!(first.status, second.status);
        prop_assert_eq!(second.replayed, second.status == Status::Succeeded);
        let cut = cut.index(bytes.len());
        prop_assert_eq!(block_on(runtime.dispatch_json(&bytes[..cut])).status, Status::Refused);
    }
}

// ---- drops ----

/// Polls a future so often at most, and drops it then.
async fn poll_then_drop<F: Future>(future: F, polls: u32) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let poll = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if poll.is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

async fn drop_at_every_poll(runtime: Runtime, name: &str, rests: u32) {
    for polls in 0..40 {
        let order = format!("{name}/{polls}");
        let call = || charge_slowly(order.clone(), rests).key(&order).call(&runtime);
        let done = poll_then_drop(call(), polls).await;
        runtime.drain().await;
        let before = effects(&order);
        assert!(before <= 1, "{order}: {before}");
        let recorded = state(&runtime, "charge_slowly", &order).await;
        let expected = if before == 1 {
            [None, Some(StateName::Succeeded)]
        } else {
            [None, Some(StateName::Released)]
        };
        assert!(
            expected.contains(&recorded) && (before == 0 || recorded.is_some()),
            "{order}: {before}, {recorded:?}"
        );
        if done {
            assert_eq!(before, 1);
            return;
        }
        let again = loop {
            match call().await {
                Err(CallError::Rejected(rejected)) if rejected.retry_after.is_some() => {
                    tokio::task::yield_now().await
                }
                other => break other.unwrap(),
            }
        };
        assert_eq!(again.replayed(), before == 1, "{order}");
        assert_eq!(effects(&order), 1, "{order}");
    }
}

#[tokio::test]
async fn dropped_at_any_poll_it_happens_once_and_is_recorded() {
    for name in ["drop", "drop-busy"] {
        drop_at_every_poll(on(MemoryLedger::new()), &format!("{name}/memory"), 3).await;
        let folder = Folder::new();
        drop_at_every_poll(in_file(&folder.ledger()).await, &format!("{name}/file"), 1).await;
    }
}

#[test]
fn a_runtime_that_ends_under_a_call_leaves_it_unknown_or_done() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::new());
    for polls in 0..12 {
        let order = format!("shutdown/{polls}");
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let runtime = Runtime::builder()
            .shared_ledger(Arc::clone(&ledger))
            .lease(Duration::from_secs(1))
            .build()
            .unwrap();
        let call = charge_slowly(order.clone(), 4).key(&order).call(&runtime);
        tokio.spawn(poll_then_drop(call, polls));
        for _ in 0..polls {
            std::thread::yield_now();
        }
        tokio.shutdown_background();
        let again = block_on(async {
            let runtime = Runtime::builder().shared_ledger(Arc::clone(&ledger)).build().unwrap();
            charge_slowly(order.clone(), 4)
                .key(&order)
                .deadline(Duration::from_secs(3))
                .call(&runtime)
                .await
        });
        assert!(effects(&order) <= 1, "{again:?}");
        assert!(matches!(&again, Ok(_) | Err(CallError::Unknown(_))), "{order}: {again:?}");
    }
}

// ---- races ----

/// Calls a few keys from many tasks on several runtimes and threads.
fn race(runtimes: Vec<Runtime>, name: &str) {
    const KEYS: usize = 8;
    let threads: Vec<_> = runtimes
        .into_iter()
        .enumerate()
        .map(|(thread, runtime)| {
            let name = name.to_owned();
            std::thread::spawn(move || {
                block_on(async {
                    let calls: Vec<_> = (0..KEYS * 40)
                        .map(|call| {
                            let order = format!("{name}/{}", (call + thread) % KEYS);
                            tokio::spawn(charge(order.clone()).key(order).call(&runtime))
                        })
                        .collect();
                    let mut ran = 0;
                    for call in calls {
                        let done = call.await.unwrap().unwrap();
                        assert_eq!(*done, 1);
                        ran += u32::from(!done.replayed());
                    }
                    ran
                })
            })
        })
        .collect();
    let ran: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(ran as usize, KEYS);
    for key in 0..KEYS {
        assert_eq!(effects(&format!("{name}/{key}")), 1);
    }
}

#[test]
fn of_many_threads_on_one_ledger_one_runs_each_key() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::new());
    let memory =
        (0..4).map(|_| Runtime::builder().shared_ledger(Arc::clone(&ledger)).build().unwrap());
    race(memory.collect(), "race/memory");
    let folder = Folder::new();
    let files = (0..4).map(|_| block_on(in_file(&folder.ledger())));
    race(files.collect(), "race/file");
}

const WORKER: &str = "TOOL_CONTRACT_ATTACK_WORKER";

/// Makes calls until all are done; what it does counts only if the environment
/// names a folder.
#[test]
fn worker() {
    let Some(folder) = std::env::var_os(WORKER) else { return };
    let folder = PathBuf::from(folder);
    block_on(async {
        let runtime = in_file(&folder.join("ledger.db")).await;
        for key in 0..40 {
            let order = format!("process/{key}");
            let done = charge(order.clone()).key(&order).call(&runtime).await.unwrap();
            if !done.replayed() {
                let mut file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(folder.join("ran"))
                    .unwrap();
                writeln!(file, "{order}").unwrap();
            }
        }
    });
}

fn start_worker(folder: &Folder) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker"])
        .env(WORKER, &folder.0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn of_many_processes_on_one_file_one_runs_each_key() {
    let folder = Folder::new();
    let mut workers: Vec<_> = (0..4).map(|_| start_worker(&folder)).collect();
    for worker in &mut workers {
        assert!(worker.wait().unwrap().success());
    }
    let ran = std::fs::read_to_string(folder.0.join("ran")).unwrap();
    let mut lines: Vec<_> = ran.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((ran.lines().count(), lines.len()), (40, 40));
}

// ---- files ----

#[tokio::test]
async fn a_full_file_admits_nothing_and_loses_nothing() {
    let folder = Folder::new();
    let ledger = SqliteLedger::options().most_bytes(120_000).open(folder.ledger()).await.unwrap();
    let runtime = on(ledger);
    let (mut ran, mut full, mut unknown) = (Vec::new(), 0, 0);
    for number in 0..300 {
        let order = format!("full/{number}/{}", "x".repeat(900));
        let key = format!("full/{number}");
        match charge(order.clone()).key(&key).call(&runtime).await {
            Ok(_) => ran.push((order, key)),
            Err(CallError::Ledger(failure)) => {
                assert!(matches!(failure.error, LedgerError::Full(_)), "{failure}");
                assert_eq!(effects(&order), 0);
                full += 1;
            }
            Err(CallError::Unknown(_)) => unknown += 1,
            Err(other) => panic!("{other}"),
        }
        if full > 5 {
            break;
        }
    }
    assert!(!ran.is_empty() && full > 5 && unknown <= 1, "{} {full} {unknown}", ran.len());
    for (order, key) in ran {
        assert!(charge(order.clone()).key(&key).call(&runtime).await.unwrap().replayed());
        assert_eq!(effects(&order), 1);
    }
}

#[tokio::test]
async fn damage_is_answered_and_never_a_panic() {
    let folder = Folder::new();
    {
        let runtime = in_file(&folder.ledger()).await;
        for number in 0..30 {
            charge(format!("damage/{number}"))
                .key(format!("damage/{number}"))
                .call(&runtime)
                .await
                .unwrap();
        }
    }
    let good = std::fs::read(folder.ledger()).unwrap();
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for round in 0..40 {
        let mut bytes = good.clone();
        match round % 4 {
            0 => bytes.truncate(random(bytes.len())),
            1 => (0..200)
                .for_each(|_| bytes[random(good.len())] = u8::try_from(random(256)).unwrap()),
            2 => {
                let at = random(bytes.len() / 4_096) * 4_096;
                bytes[at..at + 4_096].fill(0);
            }
            _ => bytes[100..].iter_mut().for_each(|byte| *byte = !*byte),
        }
        let place = Folder::new();
        std::fs::write(place.ledger(), &bytes).unwrap();
        match SqliteLedger::open(place.ledger()).await {
            Ok(ledger) => {
                let runtime = on(ledger);
                for number in 0..30 {
                    let call = charge(format!("damage/{number}"))
                        .key(format!("damage/{number}"))
                        .call(&runtime);
                    let ended = tokio::time::timeout(Duration::from_secs(10), call)
                        .await
                        .expect("it answers");
                    if let Err(CallError::Ledger(failure)) = &ended {
                        assert!(
                            !failure.to_string().contains("is closed"),
                            "the writer is gone: {failure}"
                        );
                    }
                }
                let _ = runtime.ledger().unwrap().list(Query::default()).await;
            }
            Err(error) => assert!(error.to_string().contains("ledger.db"), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_file_that_vanishes_is_not_made_anew_under_a_ledger() {
    let folder = Folder::new();
    let runtime = in_file(&folder.ledger()).await;
    charge("vanished".into()).key("vanished").call(&runtime).await.unwrap();
    for file in std::fs::read_dir(&folder.0).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let again = charge("vanished".into()).key("vanished").call(&runtime).await;
    assert!(again.is_err() || again.is_ok_and(|again| again.replayed()));
    for key in ["vanished", "vanished-2"] {
        let new = charge("vanished-2".into()).key(format!("{key}-2")).call(&runtime).await;
        assert!(
            matches!(&new, Err(CallError::Ledger(failure)) if failure.to_string().contains("ledger.db")),
            "{new:?}"
        );
    }
    assert_eq!((effects("vanished"), effects("vanished-2")), (1, 0));
    assert!(!folder.ledger().exists(), "an empty one would let every key run again");
}

// ---- panics ----

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

/// Never ends, and must not be dropped.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "5s")]
async fn hang_with_a_bomb(order: String) -> Result<u32, Infallible> {
    let _bomb = Bomb;
    happen(&order);
    std::future::pending().await
}

/// Panics with something that must not be dropped.
#[tool(side_effect = "write", idempotent, rollback = "none", timeout = "5s")]
async fn panic_with_a_bomb(order: String) -> Result<u32, Infallible> {
    happen(&order);
    std::panic::panic_any(Bomb)
}

#[derive(Debug, Clone, JsonSchema)]
struct Moody(u8);

impl Serialize for Moody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 != 1, "not today");
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for Moody {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mood = u8::deserialize(deserializer)?;
        assert!(mood != 2, "not today");
        Ok(Self(mood))
    }
}

/// Has moods.
#[tool(side_effect = "write", idempotent, rollback = "none", args = "MoodyCall")]
async fn moody(order: String, moody: Moody) -> Result<Moody, Infallible> {
    happen(&order);
    Ok(Moody(moody.0 / 2))
}

#[tokio::test]
async fn what_panics_when_dropped_takes_no_call_down() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.build().unwrap();
    let call = tokio::spawn(hang_with_a_bomb("bomb".into()).key("bomb").call(&runtime));
    for _ in 0..100 {
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    let ended = call.await.expect("no panic");
    assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    assert_eq!(state(&runtime, "hang_with_a_bomb", "bomb").await, Some(StateName::Unknown));
    runtime.drain().await;
}

#[tokio::test]
async fn a_panic_that_panics_takes_no_call_down() {
    let runtime = on(MemoryLedger::new());
    let ended = tokio::spawn(panic_with_a_bomb("bomb2".into()).key("bomb").call(&runtime))
        .await
        .expect("no panic");
    assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    assert_eq!(state(&runtime, "panic_with_a_bomb", "bomb").await, Some(StateName::Unknown));
    runtime.drain().await;
}

#[tokio::test]
async fn what_panics_when_written_runs_at_most_once() {
    let runtime = on(MemoryLedger::new());
    for _ in 0..3 {
        let call = moody("moody".into(), Moody(2)).key("k").call(&runtime);
        let ended = call.await;
        assert!(matches!(ended, Err(CallError::Unknown(_))), "{ended:?}");
    }
    assert_eq!(effects("moody"), 1);
}

// ---- approvals ----

fn asking(tenant: Option<&str>, order: &str, approval: Option<&str>) -> Value {
    let mut meta = json!({"idempotency_key": "k"});
    if let Some(tenant) = tenant {
        meta["tenant"] = tenant.into();
    }
    if let Some(approval) = approval {
        meta["approval"] = approval.into();
    }
    json!({"tool": "delete", "arguments": {"order": order}, "meta": meta})
}

#[tokio::test]
async fn an_approval_is_good_for_its_own_call_once() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let approver = runtime.insecure_local_approver("alice");
    let asked = send(&runtime, &asking(Some("a"), "approved", None)).await;
    assert_eq!(asked.status, Status::AwaitingApproval);
    let request = asked.approval.unwrap();
    // Not granted yet, and not by saying so.
    assert_eq!(
        send(&runtime, &asking(Some("a"), "approved", Some(&request.0))).await.status,
        Status::AwaitingApproval
    );
    approver.grant_request(&request).await.unwrap();
    approver.grant_request(&request).await.unwrap_err();
    for (tenant, order) in
        [(None, "approved"), (Some("b"), "approved"), (Some("a"), "other"), (None, "other")]
    {
        let stolen = send(&runtime, &asking(tenant, order, Some(&request.0))).await;
        assert_eq!(stolen.status, Status::Refused, "{stolen:?}");
    }
    for made_up in ["", "apr_0", "\u{0}", &"x".repeat(100_000)] {
        assert_eq!(
            send(&runtime, &asking(Some("a"), "approved", Some(made_up))).await.status,
            Status::Refused
        );
    }
    assert_eq!(effects("approved") + effects("other"), 0);
    let call = asking(Some("a"), "approved", Some(&request.0));
    let racers = (0..20).map(|_| {
        let (runtime, call) = (runtime.clone(), call.clone());
        tokio::spawn(async move { send(&runtime, &call).await })
    });
    let mut ran = 0;
    for racer in racers.collect::<Vec<_>>() {
        let response = racer.await.unwrap();
        assert_eq!(response.status, Status::Succeeded);
        ran += u32::from(!response.replayed);
    }
    assert_eq!((ran, effects("approved")), (1, 1));
    // The key may be used anew neither with the spent approval nor after its time.
    clock.advance(Duration::from_hours(25));
    assert_eq!(send(&runtime, &call).await.status, Status::Refused);
    assert_eq!(effects("approved"), 1);
}

#[tokio::test]
async fn a_denied_or_expired_approval_lets_nothing_run() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let approver = runtime.insecure_local_approver("alice");
    let request = send(&runtime, &asking(Some("denied"), "denied", None)).await.approval.unwrap();
    approver.deny_request(&request, "no").await.unwrap();
    approver.grant_request(&request).await.unwrap_err();
    assert_eq!(
        send(&runtime, &asking(Some("denied"), "denied", Some(&request.0))).await.status,
        Status::Refused
    );
    let request = send(&runtime, &asking(Some("late"), "denied", None)).await.approval.unwrap();
    approver.grant_request(&request).await.unwrap();
    clock.advance(Duration::from_mins(16));
    let late = send(&runtime, &asking(Some("late"), "denied", Some(&request.0))).await;
    assert_ne!(late.status, Status::Succeeded);
    assert_eq!(effects("denied"), 0);
}

#[tokio::test]
async fn a_crowd_of_requests_does_not_hide_one_from_who_decides() {
    let (builder, clock) = testing::runtime();
    let runtime = builder.insecure_local_approvals().tool::<Delete>().build().unwrap();
    let ask = |key: String| {
        let runtime = runtime.clone();
        async move {
            let request = json!({"tool": "delete", "arguments": {"order": "crowd"}, "meta": {"idempotency_key": key, "tenant": "crowd"}});
            send(&runtime, &request).await.approval.unwrap()
        }
    };
    for number in 0..Query::MOST {
        ask(format!("a/{number:06}")).await;
    }
    let approver = runtime.insecure_local_approver("alice");
    let last = ask("z".into()).await;
    approver.grant_request(&last).await.unwrap();
    approver.deny_request(&ask("zz".into()).await, "no").await.unwrap();
    let call = json!({"tool": "delete", "arguments": {"order": "crowd"}, "meta": {"idempotency_key": "z", "tenant": "crowd", "approval": last}});
    assert_eq!(send(&runtime, &call).await.status, Status::Succeeded);
    // What nobody has answered in time does not hide what came later.
    clock.advance(Duration::from_mins(16));
    let last = ask("zzz".into()).await;
    let waiting = approver.waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|waiting| &waiting.request).collect::<Vec<_>>(), [&last]);
}

// ---- secrets ----

#[tokio::test]
async fn a_secret_is_nowhere_in_clear() {
    const SECRET: &str = "4111-1111-1111-1234";
    let folder = Folder::new();
    let runtime = in_file(&folder.ledger()).await;
    let mut seen = Vec::new();
    let approver = runtime.insecure_local_approver("alice");
    for (key, order) in [("s1", "secret"), ("s2", "secret-busy")] {
        let arguments = json!({"order": order, "card": SECRET});
        let meta = Meta { idempotency_key: Some(key.into()), ..Meta::default() };
        let request = Request::new("pay", &arguments, meta).unwrap();
        seen.push(format!("{request:?}"));
        let asked = runtime.dispatch(request.clone()).await;
        seen.push(format!("{asked:?} {}", serde_json::to_string(&asked).unwrap()));
        seen.push(format!("{:?}", approver.waiting().await.unwrap()));
        approver.grant_request(asked.approval.as_ref().unwrap()).await.unwrap();
        let done = runtime.dispatch(request).await;
        assert_ne!(done.status, Status::Refused, "{done:?}");
        seen.push(format!("{done:?} {}", serde_json::to_string(&done).unwrap()));
        let call = pay("another".into(), SECRET.into());
        seen.push(format!("{call:?} {:?}", call.arguments()));
        let call = call.key(key);
        seen.push(format!("{:?}", call.request_approval(&runtime).await));
    }
    // Of the wrong type, in the wrong place, twice.
    for arguments in [
        json!({"order": "o", "card": [SECRET]}).to_string(),
        json!({"order": "o", "card": {"number": SECRET}}).to_string(),
        json!({"order": "o", "card": SECRET, "carb": SECRET}).to_string(),
        json!([SECRET]).to_string(),
        json!(SECRET).to_string(),
        format!(r#"{{"order":"o","card":"{SECRET}","card":"{SECRET}"}}"#),
        format!(r#"{{"order":"o","card":"{SECRET}"#),
    ] {
        let request = format!(
            r#"{{"tool":"pay","arguments":{arguments},"meta":{{"idempotency_key":"s3"}}}}"#
        );
        seen.push(format!("{:?}", runtime.dispatch_json(request.as_bytes()).await));
    }
    let ledger = runtime.ledger().unwrap();
    for (id, record) in ledger.list(Query::default()).await.unwrap() {
        let history = ledger.history(id.clone()).await.unwrap();
        verify(&history, &record.chain).unwrap();
        seen.push(format!("{record:?} {history:?}"));
    }
    for text in &seen {
        assert!(!text.contains(SECRET), "{text}");
    }
    let bytes = folder.bytes();
    assert!(bytes.windows(6).any(|window| window == b"secret"), "the file is searched");
    assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
}

// ---- clocks ----

#[tokio::test]
async fn a_wall_clock_that_is_set_decides_nothing() {
    for step in [-3_600_000, 3_600_000] {
        let clock = Arc::new(ManualClock::new());
        let folder = Folder::new();
        let memory: Arc<dyn Ledger> = Arc::new(MemoryLedger::with_clock(Arc::clone(&clock) as _));
        let file = SqliteLedger::options()
            .clock(Arc::clone(&clock) as _)
            .open(folder.ledger())
            .await
            .unwrap();
        for (ledger, name) in [(memory, "memory"), (Arc::new(file) as _, "file")] {
            let runtime = Runtime::builder()
                .clock(Arc::clone(&clock) as _)
                .shared_ledger(ledger)
                .build()
                .unwrap();
            for number in 0..20 {
                let order = format!("clock/{step}/{name}/{number}");
                let call = || charge_slowly(order.clone(), 20).key(&order).call(&runtime);
                let first = tokio::spawn(call());
                for _ in 0..number {
                    tokio::task::yield_now().await;
                }
                clock.step_wall(if number % 2 == 0 { step } else { -step });
                let second = tokio::spawn(call());
                clock.advance(Duration::from_millis(10));
                first.await.unwrap().unwrap();
                second.await.unwrap().unwrap();
                assert_eq!(effects(&order), 1, "{order}");
            }
        }
    }
}

// ---- more panics ----

#[derive(Debug)]
struct Rude;

impl std::fmt::Display for Rude {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("unspeakable")
    }
}

impl ToolError for Rude {
    fn outcome(&self) -> tool_contract::Outcome {
        tool_contract::OutcomeClass::SideEffectUnknown.into()
    }
}

/// Fails with what cannot be said, and cannot find out why.
#[tool(
    side_effect = "write",
    idempotent,
    rollback = "none",
    reconcile = "find_rude",
    args = "RudeCall"
)]
async fn rude(order: String) -> Result<u32, Rude> {
    happen(&order);
    Err(Rude)
}

fn find_rude(
    asked: tool_contract::Asked<RudeCall>,
) -> std::future::Ready<Result<Option<u32>, Rude>> {
    assert!(asked.args.order.is_empty(), "no idea");
    std::future::ready(Err(Rude))
}

#[tokio::test]
async fn what_panics_when_asked_or_shown_leaves_it_unknown() {
    let (builder, _clock) = testing::runtime();
    let runtime = builder.build().unwrap();
    for order in ["rude", ""] {
        for _ in 0..2 {
            let key = format!("k{order}");
            let call = tokio::spawn(rude(order.into()).key(&key).call(&runtime));
            let ended = call.await.expect("no panic");
            let Err(CallError::Unknown(unknown)) = &ended else { panic!("it is unknown") };
            assert!(unknown.escalation.is_some());
            assert_eq!(state(&runtime, "rude", &key).await, Some(StateName::Unknown));
        }
        assert_eq!(effects(order), 1);
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Unclonable(u32);

impl Clone for Unclonable {
    fn clone(&self) -> Self {
        panic!("one of a kind")
    }
}

/// Takes what cannot be given twice, as a second attempt would have it.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 2, on = "retryable"),
    rollback = "none",
    args = "UnclonableCall"
)]
async fn unclonable(order: String, thing: Unclonable) -> Result<u32, Infallible> {
    happen(&order);
    Ok(thing.0)
}

#[tokio::test]
async fn what_cannot_be_cloned_is_settled_all_the_same() {
    let runtime = on(MemoryLedger::new());
    let call = tokio::spawn(unclonable("unclonable".into(), Unclonable(1)).key("k").call(&runtime));
    assert!(matches!(call.await.expect("no panic"), Err(CallError::Unknown(_))));
    assert_eq!(state(&runtime, "unclonable", "k").await, Some(StateName::Unknown));
}

#[tokio::test]
async fn what_panics_when_read_or_hashed_is_refused() {
    let runtime =
        Runtime::builder().ledger(MemoryLedger::new()).tool::<MoodyCall>().build().unwrap();
    for mood in [1, 2] {
        let call = json!({"tool": "moody", "arguments": {"order": "moody?", "moody": mood}, "meta": {"idempotency_key": "k"}});
        let sent = tokio::spawn({
            let runtime = runtime.clone();
            async move { send(&runtime, &call).await }
        });
        let response = sent.await.expect("it always answers");
        assert_eq!(response.status, Status::Refused);
    }
    assert_eq!((effects("moody?"), state(&runtime, "moody", "k").await), (0, None));
}

// ---- within one another ----

/// Calls itself, as deep as it is told.
#[tool(side_effect = "write", idempotent, rollback = "none", state(OnceRuntime))]
async fn recurse(cx: &Cx, depth: u32) -> Result<u32, Infallible> {
    happen(&format!("recurse/{depth}"));
    let runtime = cx.state::<OnceRuntime>().0.get().unwrap();
    if depth > 0 {
        let inner = recurse(depth - 1).key(format!("recurse/{}", depth - 1)).call(runtime);
        return Ok(*inner.await.unwrap() + 1);
    }
    Ok(0)
}

#[derive(Clone, Default)]
struct OnceRuntime(Arc<std::sync::OnceLock<Runtime>>);

#[tokio::test]
async fn a_tool_may_call_itself_deeply() {
    let once = OnceRuntime::default();
    let runtime =
        Runtime::builder().ledger(MemoryLedger::new()).state(once.clone()).build().unwrap();
    once.0.set(runtime.clone()).unwrap();
    let done = recurse(15).key("recurse/15").call(&runtime).await.unwrap();
    assert_eq!(*done, 15);
    assert!((0..=15).all(|depth| effects(&format!("recurse/{depth}")) == 1));
}
