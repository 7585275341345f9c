//! Processes on one file whose clocks do not agree.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::ledger::conformance::unknown;
use crate::ledger::{Refusal, StateName};

const HOUR: i64 = 3_600_000;

/// What happened to a key outside.
#[derive(Debug, Default)]
struct Seen {
    effects: u32,
    /// The claim under which it happened, until it is settled.
    held: Option<(usize, Fence)>,
    has_succeeded: bool,
}

/// Two processes, and what they did to the world.
struct World {
    random: fastrand::Rng,
    clocks: Vec<Arc<ManualClock>>,
    ledgers: Vec<SqliteLedger>,
    seen: BTreeMap<String, Seen>,
    calls: u128,
}

impl World {
    async fn new(place: &Place, seed: u64) -> Self {
        let clocks: Vec<_> = (0..2).map(|_| Arc::new(ManualClock::new())).collect();
        clocks[1].step_wall(HOUR);
        let mut ledgers = Vec::new();
        for clock in &clocks {
            let options = place.options().clock(Arc::clone(clock) as _).without_syncing();
            ledgers.push(options.open(place.file()).await.unwrap());
        }
        let random = fastrand::Rng::with_seed(seed);
        Self { random, clocks, ledgers, seen: BTreeMap::new(), calls: 0 }
    }

    async fn step(&mut self) {
        match self.random.u8(..10) {
            0..5 => self.call().await,
            5..8 => self.settle().await,
            8 => {
                let span = Duration::from_millis(self.random.u64(1..8_000));
                self.clocks.iter().for_each(|clock| clock.advance(span));
            }
            _ => {
                let clock = &self.clocks[self.random.usize(..2)];
                clock.step_wall(if self.random.bool() { -HOUR } else { HOUR / 2 });
            }
        }
    }

    /// A process calls; if it may, it acts at once.
    async fn call(&mut self) {
        let (who, name) = (self.random.usize(..2), format!("k{}", self.random.u8(..12)));
        self.calls += 1;
        let admitted = admit(&self.ledgers[who], self.calls, &name).await.unwrap();
        let seen = self.seen.entry(name.clone()).or_default();
        match admitted {
            Admitted::Claimed(claim) => {
                seen.effects += 1;
                assert_eq!(seen.effects, 1, "{name} happens again");
                seen.held = Some((who, claim.fence));
            }
            Admitted::Replay(_) => assert!(seen.has_succeeded, "{name} never succeeded"),
            Admitted::Refused(refusal) => assert!(
                matches!(
                    refusal,
                    Refusal::InFlight { .. } | Refusal::Unknown { .. } | Refusal::Expired
                ),
                "{name}: {refusal:?}"
            ),
        }
    }

    /// A holder says what it knows, however late.
    async fn settle(&mut self) {
        let held = self.seen.iter().filter(|(_, seen)| seen.held.is_some());
        let held: Vec<_> = held.map(|(name, _)| name.clone()).collect();
        let Some(name) = self.random.choice(&held).cloned() else { return };
        let Some((who, fence)) = self.seen.get_mut(&name).and_then(|seen| seen.held.take()) else {
            return;
        };
        let knows = self.random.u8(..4) > 0;
        let verdict = if knows { happened("7") } else { unknown() };
        let settled = settle(&self.ledgers[who], &name, fence, verdict).await.unwrap();
        assert!(matches!(settled, Settled::Recorded { .. }), "{name}: {settled:?}");
        self.seen.entry(name).or_default().has_succeeded |= knows;
    }

    /// Nothing that happened is lost.
    async fn check(&self) {
        for ledger in &self.ledgers {
            check(ledger).await;
            for (name, seen) in self.seen.iter().filter(|(_, seen)| seen.effects > 0) {
                let state = record(ledger, name).await.state.name();
                let is_known = matches!(state, StateName::Succeeded | StateName::Expired);
                let is_open = matches!(state, StateName::Running | StateName::Unknown);
                assert!(if seen.has_succeeded { is_known } else { is_open }, "{name}: {state}");
            }
        }
    }
}

#[tokio::test]
async fn an_hour_apart_and_set_back_they_lose_nothing_and_repeat_nothing() {
    for seed in 0..40 {
        let place = Place::new();
        let mut world = World::new(&place, seed).await;
        for _ in 0..120 {
            world.step().await;
        }
        world.check().await;
    }
}
