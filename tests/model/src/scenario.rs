//! Bounds within which everything is tried. All spans are in ticks, and as
//! short as the guards that they are to show allow.

use std::sync::Arc;
use std::time::Duration;

use tool_contract_spec::key::{IdempotencyKey, OperationId};
use tool_contract_spec::ledger::Terms;
use tool_contract_spec::policy::Remint;

use crate::fault::Fault;
use crate::property::Sight;
use crate::protocol::Protocol;

const fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks)
}

/// A tool by ledger. What its holder leaves unknown is believed undone from
/// 1 + 1 + 1 on.
fn terms() -> Terms {
    Terms {
        attempts: 1,
        max_total: 2,
        repeatable: false,
        reconcilable: true,
        lease: ticks(1),
        timeout: ticks(1),
        stoppable: true,
        settle: ticks(1),
        ttl: ticks(100),
        sliding: false,
        remint: Remint::Warn,
        confirm: None,
        saga: false,
        covered: false,
    }
}

impl Protocol {
    fn of(terms: Vec<Terms>, expects: &[Sight]) -> Self {
        let key = IdempotencyKey::new("key").expect("it is well formed");
        Self {
            id: OperationId { tenant: None, tool: "tool".into(), key },
            terms: terms.into_iter().map(Arc::new).collect(),
            looks: 1,
            person: false,
            ends_at: 4,
            expects: expects.to_vec(),
            fault: None,
        }
    }

    /// Two calls of a tool by ledger, a reconciler and a person.
    #[must_use]
    pub fn by_ledger() -> Self {
        use Sight::{
            Exhausted, FoundAgain, FoundNotToHave, FoundToHave, GivenUp, LateTruth, LeaseLost,
            Replay, Rerun, SaidEarly, SaidNotToHave, SaidToHave, Success, Superseded, ToldUnknown,
            TooEarly,
        };
        let expects = [
            Success,
            Replay,
            FoundAgain,
            Rerun,
            Exhausted,
            LeaseLost,
            ToldUnknown,
            LateTruth,
            Superseded,
            TooEarly,
            FoundToHave,
            FoundNotToHave,
            SaidEarly,
            SaidToHave,
            SaidNotToHave,
            GivenUp,
        ];
        Self { person: true, ends_at: 3, ..Self::of(vec![terms(); 2], &expects) }
    }

    /// The same where an effect takes its time to show.
    #[must_use]
    pub fn slow_to_show() -> Self {
        let terms = Terms { settle: ticks(2), ..terms() };
        Self::of(vec![terms; 2], &[Sight::TooEarly, Sight::FoundNotToHave])
    }

    /// The same where an attempt takes its time.
    #[must_use]
    pub fn slow_to_act() -> Self {
        let terms = Terms { timeout: ticks(2), ..terms() };
        Self::of(vec![terms; 2], &[Sight::LeaseLost, Sight::FoundNotToHave])
    }

    /// The same where a look may last, its lease prolonged.
    #[must_use]
    pub fn slow_to_look() -> Self {
        let terms = Terms { lease: ticks(2), ..terms() };
        Self::of(vec![terms; 2], &[Sight::TooEarly, Sight::Renewed, Sight::FoundToHave])
    }

    /// Two reconcilers, of whom one may come too late.
    #[must_use]
    pub fn two_reconcilers() -> Self {
        let expects = [Sight::CannotTell, Sight::ReportLate, Sight::FoundToHave];
        Self { looks: 2, ends_at: 2, ..Self::of(vec![terms(); 2], &expects) }
    }

    /// Claims of two attempts, of which each is needed or given back, under
    /// leases that can be prolonged.
    #[must_use]
    pub fn retrying() -> Self {
        let terms = Terms { attempts: 2, max_total: 3, lease: ticks(2), ..terms() };
        let expects = [Sight::Renewed, Sight::GivenBack, Sight::Rerun, Sight::Exhausted];
        Self { looks: 0, ends_at: 3, ..Self::of(vec![terms; 2], &expects) }
    }

    /// A tool of which repetition is harmless.
    #[must_use]
    pub fn harmless() -> Self {
        let terms = Terms { repeatable: true, ..terms() };
        let expects = [Sight::Repeated, Sight::Success, Sight::FoundToHave, Sight::FoundNotToHave];
        Self { ends_at: 3, ..Self::of(vec![terms; 2], &expects) }
    }

    /// A tool of which repetition has become harmless with a later version.
    #[must_use]
    pub fn become_harmless() -> Self {
        let later = Terms { repeatable: true, ..terms() };
        Self { ends_at: 3, ..Self::of(vec![terms(), later], &[Sight::ToldUnknown, Sight::Success]) }
    }

    /// A tool that cannot be stopped.
    #[must_use]
    pub fn unstoppable() -> Self {
        let terms = Terms { stoppable: false, ..terms() };
        let expects = [Sight::LateTruth, Sight::TooEarly, Sight::SaidNotToHave, Sight::FoundToHave];
        Self { person: true, ends_at: 3, ..Self::of(vec![terms; 2], &expects) }
    }

    /// Results that are soon forgotten, but for their key.
    #[must_use]
    pub fn expiring() -> Self {
        let terms = Terms { ttl: ticks(1), ..terms() };
        Self { looks: 0, ends_at: 3, ..Self::of(vec![terms; 2], &[Sight::Expired, Sight::Replay]) }
    }

    /// This with a guard taken away.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}
