//! Whoever writes the ledger gets nothing to run that people did not sign: on
//! every ledger, typed and dynamic.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod cases;
mod office;
mod place;

use self::office::Office;
use self::place::Place;

async fn check(place: Place) {
    let office = Office::open(place).await;
    cases::all(&office).await;
}

#[tokio::test]
async fn in_memory() {
    check(Place::Memory).await;
}

#[tokio::test]
async fn in_sqlite() {
    check(Place::sqlite()).await;
}

#[tokio::test]
async fn in_postgres() {
    let Some(place) = Place::postgres() else { return tool_contract_servers::skip("postgres") };
    check(place).await;
}

#[tokio::test]
async fn in_redis() {
    let Some(place) = Place::redis() else { return tool_contract_servers::skip("redis-server") };
    check(place).await;
}
