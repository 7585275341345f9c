//! A tool that calls itself.

use std::convert::Infallible;
use std::sync::Arc;

use tool_contract::ledger::MemoryLedger;
use tool_contract::{Cx, Runtime, tool};

use crate::stage::{effects, happen};

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
