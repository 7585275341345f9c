//! Data that are gone are found out, and nothing runs twice unnoticed.

use tool_contract_servers::Redis;

use super::{admit, claim, new_prefix, succeed};
use crate::ledger::conformance::{call, id, key};
use crate::ledger::redis::{RedisLedger, RedisOptions};
use crate::ledger::{Admitted, Fence, Ledger, LedgerError, Query};

fn is_lost<T: std::fmt::Debug>(answer: Result<T, LedgerError>) {
    match answer {
        Err(error @ LedgerError::Lost(_)) => {
            let text = error.to_string();
            assert!(text.contains("nothing was executed"), "{text}");
        }
        other => panic!("not found out: {other:?}"),
    }
}

/// A ledger on which `done` has succeeded.
async fn used(server: &Redis) -> (RedisOptions, RedisLedger) {
    let options = RedisLedger::options().prefix(new_prefix());
    let ledger = options.clone().connect(&server.url()).await.unwrap();
    succeed(&ledger, "done").await;
    (options, ledger)
}

/// Nothing runs, whether it was known or not, and nobody is told that there is
/// nothing.
async fn refuses_all(ledger: &RedisLedger) {
    for name in ["done", "new"] {
        is_lost(ledger.admit(&call(2, &key(name))).await);
        is_lost(ledger.find(key(name)).await);
        is_lost(ledger.history(key(name)).await);
        is_lost(ledger.renew(key(name), Fence(1), None).await);
    }
}

#[tokio::test]
async fn a_flush_is_found_out() {
    let Some(server) = Redis::start() else { return };
    let (options, ledger) = used(&server).await;
    server.flush();
    let told = ledger.find(key("done")).await.unwrap_err().to_string();
    assert!(told.contains("all that it knew of `tool` is gone"), "{told}");
    refuses_all(&ledger).await;
    // Nor does it begin what it had not begun before.
    is_lost(ledger.admit(&call(1, &id(None, "another", "k"))).await);

    // Who comes afterwards cannot know, unless he knows that there was a ledger.
    let refused = options.clone().must_exist().connect(&server.url()).await;
    assert!(matches!(refused, Err(LedgerError::Lost(_))), "{refused:?}");
    let anew = options.connect(&server.url()).await.unwrap();
    succeed(&anew, "done").await;
    // To the first it is still not what it was.
    refuses_all(&ledger).await;
}

#[tokio::test]
async fn a_failover_to_an_empty_replica_is_found_out() {
    let Some(mut server) = Redis::start() else { return };
    let (_, ledger) = used(&server).await;
    let held = claim(&ledger, "held").await;
    server.replace();
    is_lost(admit(&ledger, &call(2, &key("done"))).await);
    refuses_all(&ledger).await;
    is_lost(ledger.renew(key("held"), held.fence, None).await);
}

/// As after a failover to a replica that lagged behind, or a crash with
/// `appendfsync everysec`.
#[tokio::test]
async fn newest_steps_that_are_gone_are_found_out() {
    let Some(server) = Redis::start() else { return };
    let (options, ledger) = used(&server).await;
    let fresh = options.clone().connect(&server.url()).await.unwrap();
    let meta = format!("{{{}:tool}}:meta", options.prefix);
    assert_eq!(server.ask(&["HSET", &meta, "steps", "1"]), ":0");
    refuses_all(&ledger).await;
    // Others go on, and make as many new ones: it is remembered all the same.
    for name in ["a", "b", "c"] {
        succeed(&fresh, name).await;
    }
    refuses_all(&ledger).await;
    let again = options.connect(&server.url()).await.unwrap();
    assert!(matches!(again.admit(&call(2, &key("done"))).await, Ok(Admitted::Replay(_))));
}

#[tokio::test]
async fn an_evicted_tool_is_found_out_even_after_a_restart() {
    let Some(server) = Redis::start() else { return };
    let (options, ledger) = used(&server).await;
    let meta = format!("{{{}:tool}}:meta", options.prefix);
    assert_eq!(server.ask(&["DEL", &meta]), ":1");
    refuses_all(&ledger).await;
    let again = options.clone().connect(&server.url()).await.unwrap();
    refuses_all(&again).await;
    is_lost(again.list(Query::default()).await);
    // Until somebody has looked, and says so.
    let tools = format!("{{{}}}:tools", options.prefix);
    assert_eq!(server.ask(&["HDEL", &tools, "tool"]), ":1");
    let anew = options.connect(&server.url()).await.unwrap();
    assert!(matches!(anew.admit(&call(2, &key("done"))).await, Ok(Admitted::Replay(_))));
}

#[tokio::test]
async fn an_evicted_operation_is_found_out() {
    let Some(server) = Redis::start() else { return };
    let (options, ledger) = used(&server).await;
    let operation = format!("{{{}:tool}}:op: done", options.prefix);
    assert_eq!(server.ask(&["DEL", &operation]), ":1");
    is_lost(ledger.admit(&call(2, &key("done"))).await);
    is_lost(ledger.find(key("done")).await);
    is_lost(ledger.list(Query::default()).await);
    // Of the same intent under another key nobody knows what came.
    let twin =
        crate::ledger::Admission { hash: call(1, &key("done")).hash, ..call(3, &key("twin")) };
    is_lost(ledger.admit(&twin).await);
    succeed(&ledger, "other").await;
}

#[tokio::test]
async fn a_sequence_of_fences_that_was_lost_goes_on_above_what_it_gave() {
    let Some(server) = Redis::start() else { return };
    let (options, ledger) = used(&server).await;
    let before = claim(&ledger, "before").await.fence;
    // Microseconds since the epoch, after the year 2020.
    assert!(before.0 > 1_577_836_800_000_000, "{before:?}");
    let fences = format!("{{{}}}:fences", options.prefix);
    for command in [&["DEL", &fences][..], &["SET", &fences, "17"]] {
        let _ = server.ask(command);
        let fresh = options.clone().connect(&server.url()).await.unwrap();
        let name = format!("after-{}", command[0]);
        // More than a whole block was in use.
        assert!(claim(&fresh, &name).await.fence > Fence(before.0 + 256));
    }
}
