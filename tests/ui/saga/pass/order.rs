use tool_contract::{Done, Saga, StepError, saga, tool};
use tool_contract_tests::ui::{Provider, Receipt, ShopError, receipt};

#[tool(side_effect = "write", idempotent(key = "{item}"), rollback = "put_back")]
async fn reserve(item: String) -> Result<Receipt, ShopError> {
    receipt(&item)
}

async fn put_back(done: Done<Reserve>) -> Result<(), ShopError> {
    let _ = (done.args.item, done.output, done.key);
    Ok(())
}

#[tool(side_effect = "read")]
async fn price(item: String) -> Result<u64, ShopError> {
    Ok(item.len() as u64)
}

#[tool(side_effect = "write", idempotent = false, rollback = "none")]
async fn charge(cents: u64) -> Result<Receipt, ShopError> {
    receipt(&cents.to_string())
}

#[tool(side_effect = "write", idempotent(by = "nature"), rollback = "none")]
async fn ship(item: String) -> Result<Receipt, ShopError> {
    receipt(&item)
}

/// An error of one's own.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("too dear")]
    TooDear,
    #[error(transparent)]
    Step(#[from] StepError<ShopError>),
}

/// Steps one by one, at once, in a list; and a type alias.
#[saga(ttl = "60d", timeout = "1m", state(Provider), name = "order", version = 2)]
pub async fn place_order(saga: Saga, items: Vec<String>) -> OrderResult {
    let _: &Provider = saga.cx().state();
    let lamp = saga.step(reserve("lamp".into())).await?;
    let (rug, cents) = saga.all((saga.step(reserve("rug".into())), saga.step(price("rug".into())))).await;
    if cents? > 100 {
        return Err(OrderError::TooDear);
    }
    let (first, second) = tokio_free(saga.step(reserve("a".into())), saga.step(price("b".into()))).await;
    let _ = (rug?, first?, second?);
    let all: Vec<_> = items.into_iter().map(|item| saga.step(reserve(item))).collect();
    let count = saga.all(all).await.into_iter().filter(Result::is_ok).count();
    let (_, saga) = saga.pivot(charge(count as u64)).await?;
    saga.step(ship(lamp.order_id)).await?;
    // A saga in a saga.
    let inner = saga.step(inner()).await.map_err(|_| OrderError::TooDear)?;
    inner.finished().map_err(|_| OrderError::TooDear)
}

type OrderResult = Result<u64, OrderError>;

#[saga]
async fn inner(saga: Saga) -> Result<u64, StepError<ShopError>> {
    saga.step(price("x".into())).await
}

async fn tokio_free<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    (a.await, b.await)
}

fn main() {}
