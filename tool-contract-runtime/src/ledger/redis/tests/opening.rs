//! A server is looked at before it is trusted.

use std::time::Duration;

use tool_contract_servers::Redis;

use super::{new_prefix, succeed};
use crate::ledger::LedgerError;
use crate::ledger::redis::{RedisLedger, RedisOptions};

fn options() -> RedisOptions {
    RedisLedger::options().prefix(new_prefix())
}

async fn refusal(options: RedisOptions, url: &str) -> String {
    options.connect(url).await.expect_err("it is refused").to_string()
}

fn set(server: &Redis, name: &str, value: &str) {
    assert_eq!(server.ask(&["CONFIG", "SET", name, value]), "+OK", "{name}");
}

#[tokio::test]
async fn the_servers_own_settings_are_read() {
    let Some(server) = Redis::start() else { return };
    let url = server.url();
    let strict = options().connect(&url).await.unwrap();
    assert!(strict.durability().is_strict(), "{}", strict.durability());

    set(&server, "appendfsync", "everysec");
    let refused = refusal(options(), &url).await;
    assert!(refused.contains("allow_weak_persistence"), "{refused}");
    let weak = options().allow_weak_persistence().connect(&url).await.unwrap();
    assert!(weak.durability().to_string().contains("last second"), "{}", weak.durability());
    succeed(&weak, "k").await;

    set(&server, "appendfsync", "always");
    set(&server, "no-appendfsync-on-rewrite", "yes");
    let refused = refusal(options(), &url).await;
    assert!(refused.contains("no-appendfsync-on-rewrite"), "{refused}");
    set(&server, "no-appendfsync-on-rewrite", "no");

    set(&server, "maxmemory", "100mb");
    set(&server, "maxmemory-policy", "allkeys-lru");
    let refused = refusal(options(), &url).await;
    assert!(refused.contains("allkeys-lru") && refused.contains("allow_eviction"), "{refused}");
    assert!(!options().allow_eviction().connect(&url).await.unwrap().durability().is_strict());
    set(&server, "maxmemory-policy", "noeviction");

    set(&server, "appendonly", "no");
    let refused = refusal(options(), &url).await;
    assert!(refused.contains("appendonly no"), "{refused}");
}

#[tokio::test]
async fn a_server_that_does_not_say_takes_a_word() {
    let Some(server) = Redis::start() else { return };
    let user = ["ACL", "SETUSER", "app", "on", ">secret-word", "~*", "&*", "+@all", "-config"];
    assert_eq!(server.ask(&user), "+OK");
    let url = server.url().replace("redis://", "redis://app:secret-word@");
    let refused = refusal(options(), &url).await;
    assert!(refused.contains("allow_unchecked_persistence"), "{refused}");
    let ledger = options().allow_unchecked_persistence().connect(&url).await.unwrap();
    assert!(!ledger.durability().is_strict());
    succeed(&ledger, "k").await;
    assert!(!format!("{ledger:?}").contains("secret-word"));
}

#[tokio::test]
async fn a_replica_is_no_place_for_a_ledger() {
    let Some(server) = Redis::start() else { return };
    assert_eq!(server.ask(&["REPLICAOF", "127.0.0.1", "1"]), "+OK");
    let refused = refusal(options(), &server.url()).await;
    assert!(refused.contains("is a replica"), "{refused}");
}

#[tokio::test]
async fn a_format_that_is_not_known_is_not_touched() {
    let Some(server) = Redis::start() else { return };
    let options = options();
    let ledger = format!("{{{}}}:ledger", options.prefix);
    let _ = server.ask(&["HSET", &ledger, "incarnation", "x", "format", "2"]);
    let refused = options.connect(&server.url()).await;
    assert!(
        matches!(&refused, Err(LedgerError::Corrupt(why)) if why.contains("`2`")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn no_password_is_ever_shown() {
    let addresses = [
        "redis://user:pass-word@127.0.0.1:notaport/0",
        "redis://user:pass-word@127.0.0.1:1/0",
        "redis://user:pass-word@/x",
        "rediss://user:pass-word@127.0.0.1:1/0",
        "http://user:pass-word@127.0.0.1/",
        "pass-word",
    ];
    let options = options().connection_timeout(Duration::from_secs(1));
    for address in addresses {
        let refused = refusal(options.clone(), address).await;
        assert!(!refused.contains("pass-word"), "{refused}");
    }
    let Some(server) = Redis::start() else { return };
    set(&server, "requirepass", "right-word");
    let wrong = server.url().replace("redis://", "redis://:pass-word@");
    let refused = refusal(options, &wrong).await;
    assert!(refused.contains("user and the password"), "{refused}");
    assert!(!refused.contains("pass-word"), "{refused}");
}

#[tokio::test]
async fn a_prefix_cannot_break_a_hash_tag() {
    let long = "x".repeat(65);
    for prefix in ["", "a}", "{", "a b", "a%", "\u{fc}", &long] {
        let refused = refusal(RedisLedger::options().prefix(prefix), "redis://127.0.0.1:1").await;
        assert!(refused.contains("is no name"), "{refused}");
    }
}
