//! A line that breaks: what was asked may have been done or not, and asking again
//! finds out.

use std::time::Duration;

use tool_contract_servers::{Fault, Proxy, Redis};

use super::{PATIENCE, admit, claim, new_prefix, succeed};
use crate::ledger::conformance::{call, happened, key, settle_down};
use crate::ledger::redis::RedisLedger;
use crate::ledger::{
    Admission, Admitted, Answer, EventKind, Fence, Ledger, LedgerError, Refusal, Settled,
    Settlement,
};

/// Long enough for a server that is there, and short for one that is not.
const TIMEOUT: Duration = Duration::from_millis(400);

/// A ledger at the end of a line that breaks.
struct Remote {
    ledger: RedisLedger,
    line: Proxy,
    server: Redis,
}

impl Remote {
    async fn new() -> Option<Self> {
        let server = Redis::start()?;
        let line = Proxy::start(server.port());
        let url = format!("redis://127.0.0.1:{}/0", line.port());
        let options = RedisLedger::options()
            .prefix(new_prefix())
            .connection_timeout(TIMEOUT)
            .response_timeout(TIMEOUT);
        let ledger = options.connect(&url).await.unwrap();
        succeed(&ledger, "warm").await;
        Some(Self { ledger, line, server })
    }

    async fn admit(&self, admission: &Admission) -> Admitted {
        admit(&self.ledger, admission).await.unwrap()
    }

    /// Asks until there is an answer.
    async fn settle(&self, name: &str, fence: Fence) -> Settled {
        let verdict = happened("7");
        let settlement =
            Settlement { id: key(name), fence, used: 1, verdict, attempts: Vec::new() };
        again(|| self.ledger.settle(&settlement)).await
    }
}

/// Asks until there is an answer.
async fn again<'a, R>(ask: impl Fn() -> Answer<'a, R>) -> R {
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(LedgerError::Unavailable(_)) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the line comes back")
}

fn is_unavailable<R: std::fmt::Debug>(answer: &Result<R, LedgerError>) {
    assert!(matches!(answer, Err(LedgerError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn what_did_not_arrive_was_not_done() {
    let Some(remote) = Remote::new().await else { return };
    remote.line.fail(Fault::CutBefore);
    is_unavailable(&remote.ledger.admit(&call(1, &key("k"))).await);
    assert_eq!(remote.line.cuts(), 1);
    assert!(matches!(remote.admit(&call(2, &key("k"))).await, Admitted::Claimed(_)));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_found_by_its_own_call_alone() {
    let Some(remote) = Remote::new().await else { return };
    remote.line.fail(Fault::CutAfter);
    is_unavailable(&remote.ledger.admit(&call(1, &key("k"))).await);
    let other = remote.admit(&call(2, &key("k"))).await;
    assert!(matches!(other, Admitted::Refused(Refusal::InFlight { .. })), "{other:?}");
    let Admitted::Claimed(held) = remote.admit(&call(1, &key("k"))).await else { panic!("lost") };

    remote.line.fail(Fault::CutAfter);
    let settled = remote.settle("k", held.fence).await;
    assert_eq!((settled, remote.line.cuts()), (Settled::Recorded { escalation: None }, 2));
    let history = remote.ledger.history(key("k")).await.unwrap();
    assert_eq!(history.len(), 2, "{history:?}");
}

#[tokio::test]
async fn a_silent_line_is_not_waited_for() {
    let Some(remote) = Remote::new().await else { return };
    remote.line.fail(Fault::Swallow);
    is_unavailable(&remote.ledger.admit(&call(1, &key("k"))).await);
    remote.line.heal();
    assert!(matches!(remote.admit(&call(1, &key("k"))).await, Admitted::Claimed(_)));
}

#[tokio::test]
async fn a_dead_line_is_told_and_comes_back() {
    let Some(remote) = Remote::new().await else { return };
    remote.line.fail(Fault::Down);
    is_unavailable(&remote.ledger.admit(&call(1, &key("k"))).await);
    is_unavailable(&remote.ledger.find(key("warm")).await);
    remote.line.heal();
    assert!(matches!(remote.admit(&call(2, &key("warm"))).await, Admitted::Replay(_)));
}

/// What is said while the line is down is not heard; whoever waits looks.
#[tokio::test]
async fn who_waits_on_a_line_that_broke_is_woken_all_the_same() {
    let Some(remote) = Remote::new().await else { return };
    let held = claim(&remote.ledger, "k").await;
    let mut waiting = remote.ledger.changed(key("k"), Duration::from_hours(1));
    settle_down(&remote.ledger, &mut waiting).await;
    // The line breaks under him, and others settle in the meantime.
    assert!(!remote.server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).is_empty());
    remote.settle("k", held.fence).await;
    tokio::time::timeout(PATIENCE, waiting).await.expect("woken");
}

#[tokio::test]
async fn on_a_line_that_breaks_again_and_again_each_key_is_claimed_once() {
    let Some(remote) = Remote::new().await else { return };
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..60 {
        let name = format!("k{round}");
        let mut chance = || match random.u8(..4) {
            0 => Fault::CutBefore,
            1 => Fault::CutAfter,
            2 => Fault::Delay(Duration::from_millis(5)),
            _ => Fault::None,
        };
        remote.line.fail(chance());
        let Admitted::Claimed(held) = remote.admit(&call(1, &key(&name))).await else {
            panic!("{name} is claimed by another")
        };
        remote.line.fail(chance());
        let renewed = again(|| remote.ledger.renew(key(&name), held.fence, None)).await;
        assert!(matches!(renewed, crate::ledger::Renewed::Until { .. }), "{renewed:?}");
        remote.line.fail(chance());
        remote.settle(&name, held.fence).await;
        let history = again(|| remote.ledger.history(key(&name))).await;
        let kinds: Vec<_> = history.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Claimed, EventKind::Succeeded], "{name}");
    }
    assert!(remote.line.cuts() > 20);
}
