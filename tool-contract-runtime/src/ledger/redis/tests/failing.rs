//! A server that cannot do what it is asked: it says why, and nothing is half
//! done.

use std::time::Duration;

use tool_contract_servers::Redis;

use super::{claim, new_prefix, settle, succeed};
use crate::ledger::conformance::{call, happened, key};
use crate::ledger::redis::RedisLedger;
use crate::ledger::{Admission, Ledger, LedgerError};

async fn ledger(server: &Redis) -> RedisLedger {
    let options = RedisLedger::options().prefix(new_prefix());
    let ledger = options.connect(&server.url()).await.unwrap();
    succeed(&ledger, "warm").await;
    ledger
}

/// Nothing of the key was written, and the next call claims it.
async fn was_not_touched(ledger: &RedisLedger, name: &str) {
    assert_eq!(ledger.find(key(name)).await, Ok(None));
    assert_eq!(ledger.history(key(name)).await, Ok(Vec::new()));
    let held = claim(ledger, name).await;
    settle(ledger, name, held.fence, happened("7")).await;
}

#[tokio::test]
async fn a_server_without_room_is_full() {
    let Some(server) = Redis::start() else { return };
    let ledger = ledger(&server).await;
    assert_eq!(server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]), "+OK");
    let admission = Admission { arguments: "\"x\"".into(), ..call(1, &key("k")) };
    let refused = ledger.admit(&admission).await;
    assert!(
        matches!(&refused, Err(LedgerError::Full(why)) if why.contains("maxmemory")),
        "{refused:?}"
    );
    assert_eq!(server.ask(&["CONFIG", "SET", "maxmemory", "0"]), "+OK");
    was_not_touched(&ledger, "k").await;
}

#[tokio::test]
async fn a_server_that_may_not_write_says_so() {
    let Some(server) = Redis::start() else { return };
    let ledger = ledger(&server).await;
    assert_eq!(server.ask(&["REPLICAOF", "127.0.0.1", "1"]), "+OK");
    let refused = ledger.admit(&call(1, &key("k"))).await.unwrap_err().to_string();
    assert!(refused.contains("replica") && refused.contains("nothing was written"), "{refused}");
    assert_eq!(server.ask(&["REPLICAOF", "NO", "ONE"]), "+OK");

    assert_eq!(server.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]), "+OK");
    let refused = ledger.admit(&call(1, &key("k"))).await.unwrap_err().to_string();
    assert!(refused.contains("min-replicas-to-write"), "{refused}");
    assert_eq!(server.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]), "+OK");
    was_not_touched(&ledger, "k").await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let Some(server) = Redis::start() else { return };
    let options =
        RedisLedger::options().prefix(new_prefix()).response_timeout(Duration::from_millis(300));
    let ledger = options.connect(&server.url()).await.unwrap();
    succeed(&ledger, "warm").await;
    assert_eq!(server.ask(&["CLIENT", "PAUSE", "60000", "ALL"]), "+OK");
    let refused = ledger.admit(&call(1, &key("k"))).await;
    let is_late = |why: &String| why.contains("did not answer in time");
    assert!(matches!(&refused, Err(LedgerError::Unavailable(why)) if is_late(why)), "{refused:?}");
}

#[tokio::test]
async fn what_no_ledger_wrote_is_not_read() {
    let Some(server) = Redis::start() else { return };
    let options = RedisLedger::options().prefix(new_prefix());
    let ledger = options.clone().connect(&server.url()).await.unwrap();
    succeed(&ledger, "k").await;
    let operation = format!("{{{}:tool}}:op: k", options.prefix);
    let _ = server.ask(&["HSET", &operation, "record", "{}"]);
    let answer = ledger.admit(&call(2, &key("k"))).await;
    assert!(
        matches!(&answer, Err(LedgerError::Corrupt(why)) if why.contains("tool[k]")),
        "{answer:?}"
    );
    let _ = server.ask(&["DEL", &operation]);
    let _ = server.ask(&["SET", &operation, "x"]);
    let answer = ledger.admit(&call(2, &key("k"))).await;
    assert!(
        matches!(&answer, Err(LedgerError::Corrupt(why)) if why.contains("prefix")),
        "{answer:?}"
    );
}
