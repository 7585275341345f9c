//! Several processes on one server, and one that is restarted.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tool_contract_servers::Redis;
use tool_contract_spec::policy::Remint;

use super::{PATIENCE, admit, claim, new_prefix, settle, succeed, told};
use crate::ledger::conformance::happened;
use crate::ledger::conformance::{call, hash, key, settle_down, terms};
use crate::ledger::redis::RedisLedger;
use crate::ledger::redis::line::CONNECTIONS;
use crate::ledger::{Admission, Admitted, Ledger, Refusal, Terms};
use crate::testing::ManualClock;

/// Two ledgers on one server, each with a connection of its own.
async fn two(server: &Redis) -> [Arc<RedisLedger>; 2] {
    let (options, url) = (RedisLedger::options().prefix(new_prefix()), server.url());
    let open = || options.clone().connect(&url);
    [Arc::new(open().await.unwrap()), Arc::new(open().await.unwrap())]
}

async fn admit_all(
    ledgers: &[Arc<RedisLedger>; 2],
    requests: impl IntoIterator<Item = Admission>,
) -> Vec<Admitted> {
    let mut calls = JoinSet::new();
    for (number, request) in requests.into_iter().enumerate() {
        let ledger = Arc::clone(&ledgers[number % 2]);
        calls.spawn(async move { ledger.admit(&request).await.unwrap() });
    }
    calls.join_all().await
}

fn claims(answers: &[Admitted]) -> usize {
    answers.iter().filter(|answer| matches!(answer, Admitted::Claimed(_))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_in_two_processes_claims() {
    let Some(server) = Redis::start() else { return };
    let ledgers = two(&server).await;
    for round in 0..20 {
        let id = key(&format!("k{round}"));
        let answers = admit_all(&ledgers, (0..32).map(|caller| call(caller, &id))).await;
        assert_eq!(claims(&answers), 1);
        let in_flight =
            |answer: &&Admitted| matches!(answer, Admitted::Refused(Refusal::InFlight { .. }));
        assert_eq!(answers.iter().filter(in_flight).count(), 31);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_twins_claims() {
    let Some(server) = Redis::start() else { return };
    let ledgers = two(&server).await;
    for round in 0..20 {
        let twin = |caller: u128| Admission {
            hash: hash(round),
            terms: Terms { remint: Remint::Reject, ..terms() }.into(),
            ..call(caller, &key(&format!("k{round}-{caller}")))
        };
        let answers = admit_all(&ledgers, (0..16).map(twin)).await;
        assert_eq!(claims(&answers), 1);
        let reminted =
            |answer: &&Admitted| matches!(answer, Admitted::Refused(Refusal::Reminted { .. }));
        assert_eq!(answers.iter().filter(reminted).count(), 15);
    }
}

/// The clock stands still, so that only the server's word can wake.
#[tokio::test]
async fn who_waits_in_another_process_is_told() {
    let Some(server) = Redis::start() else { return };
    let clock = Arc::new(ManualClock::new());
    let options = told(&clock);
    let here = options.clone().connect(&server.url()).await.unwrap();
    let there = options.connect(&server.url()).await.unwrap();
    for name in ["k", "again"] {
        let held = claim(&there, name).await;
        let mut waiting = here.changed(key(name), Duration::from_hours(1));
        settle_down(&here, &mut waiting).await;
        settle(&there, name, held.fence, happened("7")).await;
        tokio::time::timeout(PATIENCE, waiting).await.expect("told");
    }
    // And nobody listens any more.
    let subscribed = || server.ask(&["PUBSUB", "CHANNELS"]);
    let rest = async {
        while subscribed() != "*0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, rest).await.expect("unsubscribed");
}

#[tokio::test]
async fn who_is_not_told_looks() {
    let Some(server) = Redis::start() else { return };
    // A user who may not subscribe.
    let user = ["ACL", "SETUSER", "deaf", "on", "nopass", "~*", "+@all", "-subscribe"];
    assert_eq!(server.ask(&user), "+OK");
    let prefix = new_prefix();
    let url = server.url().replace("redis://", "redis://deaf:any@");
    let here = RedisLedger::options().prefix(&prefix).connect(&url).await.unwrap();
    let there = RedisLedger::options().prefix(&prefix).connect(&server.url()).await.unwrap();
    let held = claim(&there, "k").await;
    let mut waiting = here.changed(key("k"), Duration::from_hours(1));
    settle_down(&here, &mut waiting).await;
    settle(&there, "k", held.fence, happened("7")).await;
    tokio::time::timeout(PATIENCE, waiting).await.expect("found");
}

/// One caller has one connection and many have a few, of which each comes back.
#[tokio::test]
async fn many_callers_share_a_few_connections() {
    let Some(mut server) = Redis::start() else { return };
    let options = RedisLedger::options().prefix(new_prefix());
    let ledger = Arc::new(options.connect(&server.url()).await.unwrap());
    let connections =
        |server: &Redis| server.ask(&["CLIENT", "LIST"]).matches("cmd=evalsha").count();
    succeed(&*ledger, "alone").await;
    assert_eq!(connections(&server), 1);
    for round in ["before", "after"] {
        let mut calls = JoinSet::new();
        for number in 0..200 {
            let (ledger, request) =
                (Arc::clone(&ledger), call(1, &key(&format!("{round}{number}"))));
            calls.spawn(async move { admit(&*ledger, &request).await.unwrap() });
        }
        assert_eq!(claims(&calls.join_all().await), 200);
        assert_eq!(connections(&server), CONNECTIONS);
        server.kill9();
        server.restart();
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(mut server) = Redis::start() else { return };
    let [ledger, _] = two(&server).await;
    succeed(&*ledger, "before").await;
    assert_eq!(server.ask(&["SCRIPT", "FLUSH"]), "+OK");
    succeed(&*ledger, "between").await;
    server.kill9();
    server.restart();
    assert!(matches!(admit(&*ledger, &call(1, &key("after"))).await, Ok(Admitted::Claimed(_))));
}

#[tokio::test]
async fn what_was_answered_survives_a_crash_of_the_server() {
    let Some(mut server) = Redis::start() else { return };
    let [ledger, other] = two(&server).await;
    let names: Vec<_> = (0..50).map(|number| format!("k{number}")).collect();
    for name in &names {
        succeed(&*ledger, name).await;
    }
    let held = claim(&*ledger, "held").await;
    server.kill9();
    let refused = ledger.admit(&call(1, &key("k0"))).await;
    assert!(refused.is_err(), "{refused:?}");
    server.restart();
    for name in &names {
        let admitted = admit(&*other, &call(2, &key(name))).await;
        assert!(matches!(admitted, Ok(Admitted::Replay(_))), "{admitted:?}");
    }
    admit(&*ledger, &call(2, &key("held"))).await.unwrap();
    settle(&*ledger, "held", held.fence, happened("7")).await;
    // The sequence went on above all that was given before.
    assert!(claim(&*other, "new").await.fence > held.fence);
}
