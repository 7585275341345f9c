//! Bounds within which every course of a saga is tried. All spans are in ticks.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::decide::example_policy;
use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::ledger::Terms;
use tool_contract_spec::policy::{
    Contract, DedupedBy, Idempotency, Policy, Reconcile, Retry, RetryOn,
};
use tool_contract_spec::saga::MOST_ATTEMPTS;

use super::{Fault, Mishaps, Saga, Sight, Step};

/// Processes freeze, and nothing else goes wrong.
const NONE: Mishaps = Mishaps { crashes: 0, losses: 0, troubles: 0, words: 0 };

const TICK: Duration = Duration::from_millis(1);

/// A policy with the terms that follow from it, under leases of one tick.
fn contract(policy: Policy) -> (Policy, Arc<Terms>) {
    let contract = Contract {
        name: "tool".into(),
        path: "".into(),
        description: "".into(),
        version: 1,
        policy,
        arguments: Vec::new().into(),
        allow: Vec::new().into(),
    };
    // What is over replays for ever.
    let terms = Terms { ttl: Duration::MAX, ..Terms::of(&contract, TICK, true) };
    (contract.policy, Arc::new(terms))
}

/// One attempt at a time, and `max_total` of them.
fn policy(by: DedupedBy, max_total: u32) -> Policy {
    let on = RetryOn::RETRYABLE.with_unknown();
    Policy {
        idempotency: Idempotency::Keyed { by, template: None },
        retry: Retry { max: 1, max_total, on, ..Retry::ONCE },
        timeout: TICK,
        ..example_policy()
    }
}

impl Saga {
    fn of(steps: &[Step], mishaps: Mishaps, expects: &[Sight]) -> Self {
        let reconcile = Reconcile { with: "look".into(), settle: Duration::ZERO };
        let call = Policy { reconcile: Some(reconcile), ..policy(DedupedBy::Ledger, 2) };
        let (own, mut terms) = contract(policy(DedupedBy::Nature, MOST_ATTEMPTS));
        Arc::make_mut(&mut terms).saga = true;
        let contracts = [(own, terms), contract(call), contract(policy(DedupedBy::Nature, 2))];
        let key = IdempotencyKey::new("key").expect("it is well formed");
        Self {
            id: OperationId { tenant: None, tool: "saga".into(), key },
            steps: steps.to_vec(),
            contracts,
            mishaps,
            ends_at: 2,
            expects: expects.to_vec(),
            fault: None,
        }
    }

    /// Two steps that can be undone, and the pivot.
    fn to_the_pivot(mishaps: Mishaps, expects: &[Sight]) -> Self {
        Self::of(&[Step::Compensable, Step::Compensable, Step::Pivot], mishaps, expects)
    }

    /// A step that can be undone, the pivot, and one after it.
    fn over_the_pivot(mishaps: Mishaps, expects: &[Sight]) -> Self {
        Self::of(&[Step::Compensable, Step::Pivot, Step::Completable], mishaps, expects)
    }

    /// Two steps that can be undone, and the pivot. Processes freeze, and one dies.
    #[must_use]
    pub fn before_the_pivot() -> Self {
        use Sight::{
            AsksPerson, CannotTell, ClaimLost, FailedBefore, Finished, FoundNotToHave, FoundToHave,
            LateAct, NotUndone, Replayed, TakenOver, Undone, UndoneAgain, UndoneBefore,
        };
        let expects = [
            Finished,
            Undone,
            AsksPerson,
            TakenOver,
            ClaimLost,
            LateAct,
            Replayed,
            FailedBefore,
            FoundToHave,
            FoundNotToHave,
            CannotTell,
            UndoneAgain,
            UndoneBefore,
            NotUndone,
        ];
        Self::to_the_pivot(Mishaps { crashes: 1, ..NONE }, &expects)
    }

    /// The same, where an attempt or one to undo ends unknown, a reconciler cannot tell,
    /// or the body gives up by itself.
    #[must_use]
    pub fn in_trouble() -> Self {
        let expects = [Sight::WasUnknown, Sight::CannotTell, Sight::NotUndone];
        Self::to_the_pivot(Mishaps { troubles: 1, ..NONE }, &expects)
    }

    /// The same, where what a process says of an attempt is lost, or the answer to it.
    #[must_use]
    pub fn with_lost_answers() -> Self {
        let expects = [Sight::WasUnknown, Sight::FoundToHave, Sight::UndoneBefore];
        Self::to_the_pivot(Mishaps { losses: 1, ..NONE }, &expects)
    }

    /// The same, and a person.
    #[must_use]
    pub fn with_a_person() -> Self {
        let expects = [Sight::AsksPerson, Sight::Said, Sight::GivenUp];
        Self::to_the_pivot(Mishaps { words: 1, ..NONE }, &expects)
    }

    /// A step that can be undone, the pivot, and one after it; and a person.
    #[must_use]
    pub fn past_the_pivot() -> Self {
        use Sight::{Finished, OnlyForward, Said, Stuck, TakenOver, Undone};
        let expects = [Finished, Undone, TakenOver, OnlyForward, Stuck, Said];
        Self::over_the_pivot(Mishaps { words: 1, ..NONE }, &expects)
    }

    /// The same, where an attempt or one to undo ends unknown.
    #[must_use]
    pub fn in_trouble_past_the_pivot() -> Self {
        let expects = [Sight::OnlyForward, Sight::Stuck, Sight::WasUnknown];
        Self::over_the_pivot(Mishaps { troubles: 1, ..NONE }, &expects)
    }

    /// This with a guard taken away.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}
