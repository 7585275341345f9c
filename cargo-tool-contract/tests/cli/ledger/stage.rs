//! A ledger with operations on it, filled three days ago.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tool_contract_runtime::clock::{Clock as _, SystemClock};
use tool_contract_runtime::ledger::{
    Admission, Admitted, Attempt, Claim, Holder, Intent, Ledger as _, Nonce, Record, Settlement,
    SqliteLedger, Terms, Trust, Verdict,
};
use tool_contract_runtime::testing::ManualClock;
use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract_spec::operation::OperationHash;
use tool_contract_spec::outcome::{Cause, OutcomeClass};
use tool_contract_spec::policy::Remint;

use crate::shell::{Said, finish, plain_command};

const DAY: Duration = Duration::from_hours(24);

/// How long ago the ledger was filled; what is left of the hour keeps ages from
/// changing while a test runs.
pub(crate) const AGO: Duration = Duration::from_mins((3 * 24 + 2) * 60 + 5);

/// A ledger in a directory of its own.
pub(crate) struct Stage {
    pub(crate) directory: TempDir,
    clock: Arc<ManualClock>,
}

/// What most tools say.
pub(crate) fn terms() -> Terms {
    Terms {
        attempts: 2,
        max_total: 4,
        repeatable: false,
        reconcilable: false,
        lease: Duration::from_secs(15),
        timeout: Duration::from_secs(30),
        stoppable: true,
        settle: Duration::from_secs(10),
        ttl: 30 * DAY,
        sliding: false,
        remint: Remint::Warn,
        confirm: None,
        saga: false,
        covered: false,
    }
}

/// A tool whose effects take ten days to show.
pub(crate) fn slow() -> Terms {
    Terms { settle: 10 * DAY, ..terms() }
}

/// A tool whose claims hold for ten days.
pub(crate) fn held() -> Terms {
    Terms { lease: 10 * DAY, ..terms() }
}

/// A tool that takes a person's yes, which they have ten days for.
pub(crate) fn confirmed() -> Terms {
    Terms { confirm: Some((10 * DAY, 1)), ..terms() }
}

pub(crate) fn id(tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: None, tool: tool.into(), key: IdempotencyKey::new(key).expect("a key") }
}

pub(crate) fn of_acme(tool: &'static str, key: &str) -> OperationId {
    OperationId { tenant: Some(Tenant::new("acme").expect("a tenant")), ..id(tool, key) }
}

pub(crate) fn succeeded(result: &str) -> Verdict {
    Verdict::Succeeded { result: result.into() }
}

pub(crate) fn unknown(cause: &'static str) -> Verdict {
    Verdict::Unknown { cause: cause.into() }
}

/// A call that wants to run.
pub(crate) fn admission(id: &OperationId, terms: Terms) -> Admission {
    Admission {
        id: id.clone(),
        hash: OperationHash::from_bytes([7; 32]),
        arguments: r#"{"cents":4200,"order_id":"order-17"}"#.into(),
        nonce: Nonce(1),
        holder: Holder(1),
        terms: terms.into(),
        intent: Intent::Claim,
        approval: None,
        requested_by: Some("agent-7".into()),
        draws: Vec::new(),
        correlation_id: None,
        fingerprint: None,
        workflow: None,
        preimage: None,
        trust: Trust::insecure(),
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let then = SystemClock::new().now().0 - u64::try_from(AGO.as_millis()).expect("millis");
        clock.step_wall(i64::try_from(then).expect("millis") - 1_767_225_600_000);
        let stage =
            Self { directory: TempDir::new().expect("a directory"), clock: Arc::new(clock) };
        stage.with(async |_| ());
        stage
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("ledger.db")
    }

    /// Does something with the ledger, three days ago.
    pub(crate) fn with<R>(&self, work: impl AsyncFnOnce(&SqliteLedger) -> R) -> R {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
        tokio.expect("a runtime").block_on(async {
            let options = SqliteLedger::options().clock(Arc::clone(&self.clock) as _);
            work(&options.open(self.file()).await.expect("a ledger")).await
        })
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Claims an operation.
    pub(crate) fn claim(&self, id: &OperationId, terms: Terms) -> Claim {
        match self.admit(id, terms, Intent::Claim) {
            Admitted::Claimed(claim) => claim,
            other => panic!("not claimed: {other:?}"),
        }
    }

    pub(crate) fn admit(&self, id: &OperationId, terms: Terms, intent: Intent) -> Admitted {
        let admission = Admission { intent, ..admission(id, terms) };
        self.with(async |ledger| ledger.admit(&admission).await.expect("admission"))
    }

    /// Runs an operation that fails once, and then ends so.
    pub(crate) fn run(&self, id: &OperationId, terms: Terms, verdict: Verdict) {
        let claim = self.claim(id, terms);
        self.pass(Duration::from_secs(2));
        let attempts = vec![Attempt {
            number: 1,
            began_at: claim.now,
            took: Duration::from_millis(1_500),
            class: OutcomeClass::RetryableFailure(Cause::Network),
            error: "connection refused\n\u{1b}[2J".to_owned(),
            decided: "stop: no time left".to_owned(),
        }];
        let settlement =
            Settlement { id: id.clone(), fence: claim.fence, used: 2, verdict, attempts };
        self.with(async |ledger| ledger.settle(&settlement).await.expect("settlement"));
    }

    pub(crate) fn find(&self, id: &OperationId) -> Record {
        let found = self.with(async |ledger| ledger.find(id.clone()).await.expect("an answer"));
        found.expect("a record")
    }

    /// Runs `tool-contract ledger` on it.
    pub(crate) fn ledger(&self, args: &[&str]) -> Said {
        self.tool("ledger", args).timeless()
    }

    /// Runs a command of this group on it; what it says is left as it is.
    pub(crate) fn tool(&self, group: &str, args: &[&str]) -> Said {
        let mut command = plain_command();
        command.env("TOOL_CONTRACT_LEDGER", self.file()).env("USER", "ada").arg(group);
        finish(command.args(args))
    }

    /// Runs `tool-contract` on it.
    pub(crate) fn tool_contract(&self, args: &[&str]) -> Said {
        let (group, args) = args.split_first().expect("a group of commands");
        self.tool(group, args).timeless()
    }
}
