//! Results that are not asked for twice.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::OperationId;

use crate::ledger::conformance::{call, happened, hash, key, terms};
use crate::ledger::{
    Admission, Admitted, CachedLedger, Ledger, MemoryLedger, Refusal, Resolution, Resolved,
    Settlement, Terms,
};
use crate::testing::{Fault, FaultyLedger, ManualClock, Step};

/// A cache in front of a ledger that can be made to answer nothing.
struct Place {
    clock: Arc<ManualClock>,
    behind: FaultyLedger,
    cached: CachedLedger,
}

impl Place {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new());
        let behind = FaultyLedger::new(MemoryLedger::with_clock(Arc::clone(&clock) as _));
        let cached = CachedLedger::new(behind.clone()).clock(Arc::clone(&clock) as _).capacity(4);
        Self { clock, behind, cached }
    }

    async fn finish(&self, request: &Admission) {
        let admitted = self.behind.inner().admit(request).await;
        let Ok(Admitted::Claimed(claim)) = admitted else { panic!("{admitted:?}") };
        let settlement = Settlement {
            id: request.id.clone(),
            fence: claim.fence,
            used: 1,
            verdict: happened("7"),
            attempts: Vec::new(),
        };
        self.behind.inner().settle(&settlement).await.unwrap();
    }

    /// A finished operation whose result was replayed once.
    async fn cached(name: &str) -> Self {
        let place = Self::new();
        place.finish(&call(1, &key(name))).await;
        assert!(place.replays(&call(2, &key(name))).await);
        place
    }

    async fn replays(&self, request: &Admission) -> bool {
        matches!(self.cached.admit(request).await.unwrap(), Admitted::Replay(_))
    }

    /// Whether it is replayed though the ledger does not answer.
    async fn knows(&self, request: &Admission) -> bool {
        self.behind.fail(Step::Admit, Fault::Lost, usize::MAX);
        let answer = self.cached.admit(request).await;
        self.behind.heal();
        matches!(answer, Ok(Admitted::Replay(_)))
    }
}

fn reopening(id: OperationId) -> Resolution {
    Resolution {
        id,
        escalation: None,
        by: "ada".into(),
        why: "looked".into(),
        resolved: Resolved::Reopened,
    }
}

#[tokio::test]
async fn a_result_is_asked_for_once_while_it_is_young() {
    let place = Place::cached("k").await;
    let again = call(3, &key("k"));
    assert!(place.knows(&again).await);
    place.clock.advance(CachedLedger::MAX_AGE.saturating_sub(Duration::from_millis(1)));
    assert!(place.knows(&again).await);
    place.clock.advance(Duration::from_millis(1));
    assert!(!place.knows(&again).await);
    // It was asked for anew, and is known again.
    assert!(place.replays(&again).await && place.knows(&again).await);
}

#[tokio::test]
async fn other_arguments_conflict_all_the_same() {
    let place = Place::cached("k").await;
    let other = Admission { hash: hash(9), ..call(3, &key("k")) };
    let refused = place.cached.admit(&other).await.unwrap();
    assert!(matches!(refused, Admitted::Refused(Refusal::Conflict { .. })), "{refused:?}");
    assert!(place.knows(&call(4, &key("k"))).await);
}

#[tokio::test]
async fn a_persons_word_holds_at_once_and_elsewhere_soon() {
    let place = Place::cached("k").await;
    place.cached.resolve(reopening(key("k"))).await.unwrap();
    assert!(!place.replays(&call(3, &key("k"))).await, "it runs again");

    let place = Place::cached("k").await;
    place.behind.inner().resolve(reopening(key("k"))).await.unwrap();
    assert!(place.replays(&call(3, &key("k"))).await);
    place.clock.advance(CachedLedger::MAX_AGE);
    assert!(!place.replays(&call(3, &key("k"))).await, "it runs again");
}

#[tokio::test]
async fn a_sliding_ttl_is_slid() {
    let place = Place::new();
    let sliding = |caller| Admission {
        terms: Terms { sliding: true, ..terms() }.into(),
        ..call(caller, &key("k"))
    };
    place.finish(&sliding(1)).await;
    assert!(place.replays(&sliding(2)).await);
    assert!(!place.knows(&sliding(3)).await);
}

#[tokio::test]
async fn it_has_a_bound() {
    let place = Place::new();
    let names: Vec<_> = (0..20).map(|number| format!("k{number}")).collect();
    for name in &names {
        place.finish(&call(1, &key(name))).await;
        assert!(place.replays(&call(2, &key(name))).await);
    }
    let mut known = 0;
    for name in &names {
        known += usize::from(place.knows(&call(3, &key(name))).await);
    }
    assert!((1..=4).contains(&known), "{known}");
}
