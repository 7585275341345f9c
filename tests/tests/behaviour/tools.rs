//! Tools that several topics use. All of them do what the [`World`] says.

use tool_contract::{Asked, Cx, tool};

use crate::world::{Passage, Trouble, World};

/// Charge an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    state(World)
)]
pub(crate) async fn charge(cx: &Cx, order: String, cents: u64) -> Result<u32, Trouble> {
    let _ = cents;
    cx.state::<World>().act(&order).await
}

/// Charge an order, at most once per call.
#[tool(side_effect = "write", idempotent = false, rollback = "manual_only", state(World))]
pub(crate) async fn charge_anew(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

/// Charge an order without async.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    state(World)
)]
pub(crate) fn charge_blocking(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act_blocking(&order)
}

/// Glance at an order.
#[tool(
    side_effect = "read",
    retry(max = 3, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    state(World)
)]
pub(crate) async fn look(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

/// Glance at an order without async.
#[tool(
    side_effect = "read",
    retry(max = 3, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    state(World)
)]
pub(crate) fn look_blocking(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act_blocking(&order)
}

/// Put a value, which repeating does not change.
#[tool(
    side_effect = "write",
    idempotent(by = "nature"),
    retry(
        max = 3,
        on = ["retryable", "side_effect_unknown"],
        backoff = "constant",
        base = "1s",
        jitter = "none"
    ),
    rollback = "none",
    state(World),
)]
pub(crate) async fn put(cx: &Cx, order: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&order).await
}

/// Post to an API that dedupes on the key it is given.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    retry(
        max = 3,
        on = ["retryable", "side_effect_unknown"],
        backoff = "constant",
        base = "1s",
        jitter = "none"
    ),
    rollback = "none",
    state(World),
)]
pub(crate) async fn post(cx: &Cx, order: String) -> Result<u32, Trouble> {
    let _ = order;
    cx.state::<World>().act(cx.idempotency_key()).await
}

/// Book a seat; what came of it can be found out.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable", backoff = "constant", base = "1s", jitter = "none"),
    rollback = "none",
    reconcile(with = "find_booking", settle = "10s"),
    state(World, Books)
)]
pub(crate) async fn book(cx: &Cx, seat: String) -> Result<u32, Trouble> {
    cx.state::<World>().act(&seat).await
}

/// What the reconcile function of [`book`] meets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books(
    std::sync::Arc<std::sync::Mutex<(std::collections::VecDeque<Glance>, u32)>>,
);

/// One glance into the books.
#[derive(Debug, Clone)]
pub(crate) enum Glance {
    /// What the world says.
    Truth,
    /// They cannot be read.
    Fail,
    /// The function panics.
    Panic,
    /// It never answers.
    Hang,
    /// It waits for the test, and then tells the truth.
    Behind(Passage),
    /// It looks, waits for the test, and then tells what it saw.
    Late(Passage),
}

impl Books {
    pub(crate) fn then(&self, look: Glance) -> &Self {
        self.0.lock().unwrap().0.push_back(look);
        self
    }

    /// How often they were looked into.
    pub(crate) fn looks(&self) -> u32 {
        self.0.lock().unwrap().1
    }

    /// One look for `seat`.
    pub(crate) async fn look(&self, cx: &Cx, seat: &str) -> Result<Option<u32>, Trouble> {
        let count = || cx.state::<World>().effects_of(seat);
        let seen = match self.next() {
            Glance::Truth => count(),
            Glance::Fail => return Err(Trouble::Down),
            Glance::Panic => panic!("the books are torn"),
            Glance::Hang => std::future::pending().await,
            Glance::Behind(passage) => {
                passage.pass().await;
                count()
            }
            Glance::Late(passage) => {
                let seen = count();
                passage.pass().await;
                seen
            }
        };
        Ok((seen > 0).then_some(seen))
    }

    fn next(&self) -> Glance {
        let mut books = self.0.lock().unwrap();
        books.1 += 1;
        books.0.pop_front().unwrap_or(Glance::Truth)
    }
}

async fn find_booking(asked: Asked<Book>) -> Result<Option<u32>, Trouble> {
    asked.cx().state::<Books>().look(asked.cx(), &asked.args.seat).await
}
