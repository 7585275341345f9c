//! An order: reserved, charged, shipped, told of; and the books of those who do it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tool_contract::{Asked, Cx, Done, Saga, StepError, ToolError, saga, tool};

/// What stands of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) is_reserved: bool,
    pub(crate) charges: usize,
    pub(crate) parcels: u32,
    pub(crate) is_told: bool,
}

/// All of an order.
pub(crate) const WHOLE: Account =
    Account { is_reserved: true, charges: 1, parcels: 1, is_told: true };
/// None of it.
pub(crate) const NONE: Account =
    Account { is_reserved: false, charges: 0, parcels: 0, is_told: false };

#[derive(Default)]
struct Page {
    account: Account,
    /// By the key that the payment service was given: whether it stands.
    charges: BTreeMap<String, bool>,
}

/// What the world knows of all orders.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Mutex<BTreeMap<String, Page>>>);

impl Books {
    fn pages(&self) -> MutexGuard<'_, BTreeMap<String, Page>> {
        self.0.lock().unwrap()
    }

    fn write(&self, order: &str, what: impl FnOnce(&mut Page)) {
        what(self.pages().entry(order.to_owned()).or_default());
    }

    pub(crate) fn account(&self, order: &str) -> Account {
        let pages = self.pages();
        let Some(page) = pages.get(order) else { return NONE };
        let charges = page.charges.values().filter(|stands| **stands).count();
        Account { charges, ..page.account }
    }
}

#[derive(Debug, thiserror::Error, ToolError)]
pub(crate) enum Trouble {
    #[error("nobody delivers there")]
    #[outcome(permanent_failure)]
    Nowhere,
}

type Failed = StepError<Trouble>;

fn books(cx: &Cx) -> &Books {
    cx.state::<Books>()
}

/// Reserve what is ordered; again is no more.
#[tool(
    side_effect = "write",
    idempotent(by = "nature"),
    retry(max = 3, on = ["retryable", "side_effect_unknown"], base = "10ms"),
    timeout = "1s",
    rollback = "release",
    state(Books)
)]
pub(crate) async fn reserve(cx: &Cx, order: String) -> Result<(), Trouble> {
    books(cx).write(&order, |page| page.account.is_reserved = true);
    Ok(())
}

async fn release(done: Done<Reserve>) -> Result<(), Trouble> {
    books(done.cx()).write(&done.args.order, |page| page.account.is_reserved = false);
    Ok(())
}

/// Charge for it; the payment service dedupes on the key.
#[tool(
    side_effect = "write",
    idempotent(by = "downstream"),
    retry(max = 3, on = ["retryable", "side_effect_unknown"], base = "10ms"),
    timeout = "1s",
    rollback = "refund",
    state(Books)
)]
pub(crate) async fn charge(cx: &Cx, order: String) -> Result<String, Trouble> {
    let key = cx.idempotency_key();
    books(cx).write(&order, |page| {
        page.charges.entry(key.to_owned()).or_insert(true);
    });
    Ok(key.to_owned())
}

async fn refund(done: Done<Charge>) -> Result<(), Trouble> {
    books(done.cx()).write(&done.args.order, |page| {
        page.charges.insert(done.output.clone(), false);
    });
    Ok(())
}

/// Ship it: as often as the carrier is told to.
#[tool(
    side_effect = "write",
    idempotent,
    timeout = "1s",
    rollback = "none",
    reconcile(with = "find_parcel", settle = "1ms"),
    state(Books)
)]
pub(crate) async fn ship(cx: &Cx, order: String) -> Result<(), Trouble> {
    if order.starts_with("nowhere") {
        return Err(Trouble::Nowhere);
    }
    books(cx).write(&order, |page| page.account.parcels += 1);
    Ok(())
}

async fn find_parcel(asked: Asked<Ship>) -> Result<Option<()>, Trouble> {
    Ok((books(asked.cx()).account(&asked.args.order).parcels > 0).then_some(()))
}

/// Tell the customer; again is no more.
#[tool(
    side_effect = "write",
    idempotent(by = "nature"),
    retry(max = 3, on = ["retryable", "side_effect_unknown"], base = "10ms"),
    timeout = "1s",
    rollback = "none",
    state(Books)
)]
pub(crate) async fn tell(cx: &Cx, order: String) -> Result<(), Trouble> {
    books(cx).write(&order, |page| page.account.is_told = true);
    Ok(())
}

/// All of it, or nothing. What starts with `nowhere` is undone.
#[saga(state(Books))]
pub(crate) async fn fulfil(saga: Saga, order: String) -> Result<(), Failed> {
    let (reserved, charged) =
        saga.all((saga.step(reserve(order.clone())), saga.step(charge(order.clone())))).await;
    reserved?;
    charged?;
    let ((), saga) = saga.pivot(ship(order.clone())).await?;
    saga.step(tell(order)).await
}
