//! The tools that are attacked, and where.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tool_contract::ledger::{Ledger, SqliteLedger, StateName};
use tool_contract::spec::key::{IdempotencyKey, OperationId};
use tool_contract::{Cx, Response, Runtime, SecretKey, ToolError, tool};

/// How often each order was charged, over all tests of this process.
static EFFECTS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

pub(crate) fn happen(order: &str) {
    *EFFECTS.lock().unwrap().entry(order.to_owned()).or_default() += 1;
}

pub(crate) fn effects(order: &str) -> u32 {
    EFFECTS.lock().unwrap().get(order).copied().unwrap_or_default()
}

#[derive(Debug, thiserror::Error, ToolError)]
pub(crate) enum Trouble {
    #[error("busy")]
    #[outcome(retryable_failure(network))]
    Busy,
}

/// Charge an order.
#[tool(side_effect = "write", idempotent, rollback = "none")]
pub(crate) async fn charge(order: String) -> Result<u32, Infallible> {
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
pub(crate) async fn charge_slowly(cx: &Cx, order: String, rests: u32) -> Result<u32, Trouble> {
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
pub(crate) async fn swallow(
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
pub(crate) async fn delete(order: String) -> Result<u32, Infallible> {
    happen(&order);
    Ok(effects(&order))
}

/// Pay by card.
#[tool(side_effect = "destructive", idempotent, rollback = "none", confirm(by = "human"))]
pub(crate) async fn pay(order: String, #[arg(secret)] card: String) -> Result<usize, Trouble> {
    if order.contains("busy") {
        return Err(Trouble::Busy);
    }
    Ok(card.len())
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tree {
    Leaf,
    Node(Vec<Tree>),
}

/// A folder of its own, gone at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir()
            .join(format!("tool-contract-attack-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("ledger.db")
    }

    /// Every byte that is in it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.0).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) fn on(ledger: impl Ledger) -> Runtime {
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

pub(crate) async fn in_file(path: &Path) -> Runtime {
    on(SqliteLedger::open(path).await.unwrap())
}

pub(crate) async fn send(runtime: &Runtime, request: &Value) -> Response {
    runtime.dispatch_json(&serde_json::to_vec(request).unwrap()).await
}

pub(crate) fn id(tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: None, tool: tool.into(), key: IdempotencyKey::new(key).unwrap() }
}

pub(crate) async fn state(runtime: &Runtime, tool: &'static str, key: &str) -> Option<StateName> {
    runtime.ledger().unwrap().find(id(tool, key)).await.unwrap().map(|record| record.state.name())
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
