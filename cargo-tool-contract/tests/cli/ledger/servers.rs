//! Ledgers on servers, where they are installed.

use tool_contract_runtime::ledger::Ledger;

use super::stage::{admission, id, terms};
use crate::shell::{Said, finish, plain_command};

fn at(url: &str, args: &[&str]) -> Said {
    let mut command = plain_command();
    finish(command.args(["ledger", "--ledger", url]).args(args).env("USER", "ada"))
}

/// Has a call claim an operation on the ledger that `connect` makes.
fn claim<L: Ledger>(connect: impl Future<Output = L>) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio.expect("a runtime").block_on(async {
        let ledger = connect.await;
        let admission = admission(&id("charge_card", "order-17"), terms());
        ledger.admit(&admission).await.expect("admission");
    });
}

/// What people see of the operation that was claimed.
fn look(url: &str) {
    let said = at(url, &["ls", "--json"]);
    assert!(said.code == 0 && said.out.contains("\"state\": \"running\""), "{said:?}");
    let said = at(url, &["show", "order-17"]);
    assert!(said.code == 0 && said.out.contains("History: 1 event, verified"), "{said:?}");
    let said = at(url, &["resolve", "order-17", "--did-not-happen", "--why", "looked"]);
    assert!(said.code == 1 && said.err.contains("charge_card[order-17] is running"), "{said:?}");
    let said = at(url, &["verify"]);
    assert_eq!(said.out, "checked 1 history: each is as it was written\n");
    assert_eq!(at(url, &["prune"]).code, 0);
    let said = at(url, &["--namespace", "elsewhere", "ls"]);
    assert!(said.code == 2 && said.out.is_empty(), "{said:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    let Some(server) = tool_contract_servers::Postgres::start() else { return };
    let url = server.url();
    let said = at(&url, &["ls"]);
    assert!(said.code == 2 && said.err.contains("there is no ledger in the schema"), "{said:?}");
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'tool_contract'";
    assert!(server.psql(schemas).contains('0'));
    claim(async {
        tool_contract_runtime::ledger::PostgresLedger::connect(&url).await.expect("a ledger")
    });
    look(&url);
}

#[cfg(feature = "redis")]
#[test]
fn redis() {
    let Some(server) = tool_contract_servers::Redis::start() else { return };
    let url = server.url();
    let said = at(&url, &["ls"]);
    assert!(said.code == 2 && said.out.is_empty(), "{said:?}");
    assert_eq!(server.ask(&["DBSIZE"]).trim(), ":0");
    claim(async {
        tool_contract_runtime::ledger::RedisLedger::connect(&url).await.expect("a ledger")
    });
    look(&url);
}
