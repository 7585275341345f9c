//! Ledgers on servers.

use tool_contract_runtime::ledger::{Admission, Admitted, Ledger, PostgresLedger, RedisLedger};
use tool_contract_servers::{Postgres, Redis};

use super::stage::{Stage, id, terms};
use crate::shell::{Said, finish, plain_command};

fn at(url: &str, args: &[&str]) -> Said {
    let mut command = plain_command();
    finish(command.env_remove("TOOL_CONTRACT_LEDGER").args(["ledger", "--ledger", url]).args(args))
}

/// Makes a claim that nobody settles.
async fn claim(ledger: &impl Ledger) {
    let admission: Admission = Stage::admission(&id("charge_card", "order-17"), terms());
    let admitted = ledger.admit(&admission).await.expect("an answer");
    assert!(matches!(admitted, Admitted::Claimed(_)), "{admitted:?}");
}

fn is_shown_and_verified(url: &str) {
    let listed = at(url, &["ls"]);
    assert!(listed.code == 0 && listed.out.contains("order-17"), "{listed:?}");
    let shown = at(url, &["show", "order-17", "--json"]);
    assert!(shown.code == 0 && shown.out.contains("\"running\""), "{shown:?}");
    assert_eq!(at(url, &["verify"]).code, 0);
    let refused =
        at(url, &["resolve", "order-17", "--did-not-happen", "--by", "ada", "--why", "x"]);
    assert_eq!(refused.code, 1, "it runs: {refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_looked_after_and_not_made() {
    let Some(server) = Postgres::start() else { return };
    let url = server.url();
    let said = at(&url, &["ls"]);
    assert!(said.code == 2 && said.err.contains("no ledger in the schema"), "{said:?}");
    claim(&PostgresLedger::connect(&url).await.expect("a ledger")).await;
    is_shown_and_verified(&url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_looked_after_and_not_made() {
    let Some(server) = Redis::start() else { return };
    let url = server.url();
    let said = at(&url, &["ls"]);
    assert!(said.code == 2 && said.out.is_empty(), "{said:?}");
    claim(&RedisLedger::connect(&url).await.expect("a ledger")).await;
    is_shown_and_verified(&url);
}
