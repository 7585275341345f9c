//! Agents that ask, people who sign, and somebody who writes the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tool_contract::approval::{Approver, Approvers, PrivateKey};
use tool_contract::ledger::{ApprovalRecord, ApprovalVerdict, Decision, Ledger, Record};
use tool_contract::spec::key::{IdempotencyKey, OperationId, Tenant};
use tool_contract::{Call, CallError, Cx, Meta, Request, Response, Runtime, Status, tool};
use tool_contract_tests::shared;

use crate::place::Place;

/// How much was deleted.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<AtomicUsize>);

#[derive(Debug, thiserror::Error, tool_contract::ToolError)]
#[error("it could not be done")]
#[outcome(validation_failure)]
pub(crate) struct Trouble;

/// Delete an account.
#[tool(
    side_effect = "destructive",
    idempotent,
    rollback = "none",
    confirm(by = "human", ttl = "15m"),
    state(World)
)]
pub(crate) async fn delete_account(cx: &Cx, account: String) -> Result<String, Trouble> {
    cx.state::<World>().0.fetch_add(1, Ordering::SeqCst);
    Ok(account)
}

/// Delete everything, if two people agree.
#[tool(
    side_effect = "destructive",
    idempotent,
    rollback = "none",
    confirm(by = "human", quorum = 2),
    state(World)
)]
pub(crate) async fn delete_everything(cx: &Cx, account: String) -> Result<String, Trouble> {
    cx.state::<World>().0.fetch_add(1, Ordering::SeqCst);
    Ok(account)
}

pub(crate) type Deleting = Call<DeleteAccount, tool_contract::__private::key::Given>;

/// A call of `delete_account` on behalf of an agent.
pub(crate) fn delete(account: &str, key: &str) -> Deleting {
    delete_account(account.to_owned()).key(key).user("agent")
}

pub(crate) struct Office {
    place: Place,
    pub(crate) ledger: Arc<dyn Ledger>,
    world: World,
    approvers: Approvers,
    pub(crate) runtime: Runtime,
    pub(crate) alice: Approver,
    pub(crate) bob: Approver,
    /// Nobody whom a runtime trusts.
    pub(crate) mallory: Approver,
    /// Mallory, who says that she is Alice.
    pub(crate) false_alice: Approver,
}

impl Office {
    pub(crate) async fn open(place: Place) -> Self {
        let ledger = shared::open(&place.address()).await.unwrap();
        let key = || PrivateKey::generate().unwrap();
        let (alice, bob) = (key(), key());
        let approvers = Approvers::new().trust("alice", &alice.public().to_string()).unwrap();
        let approvers = approvers.trust("bob", &bob.public().to_string()).unwrap();
        let world = World::default();
        Self {
            runtime: runtime(&ledger, &world, &approvers),
            place,
            ledger,
            world,
            approvers,
            alice: Approver::new("alice", alice),
            bob: Approver::new("bob", bob),
            mallory: Approver::new("mallory", key()),
            false_alice: Approver::new("alice", key()),
        }
    }

    pub(crate) fn another_runtime(&self) -> Runtime {
        runtime(&self.ledger, &self.world, &self.approvers)
    }

    /// The agent's own runtime, for which every name is a person.
    pub(crate) fn insecure_runtime(&self) -> Runtime {
        let builder = Runtime::builder().shared_ledger(Arc::clone(&self.ledger));
        builder.state(self.world.clone()).insecure_local_approvals().build().unwrap()
    }

    pub(crate) fn deleted(&self) -> usize {
        self.world.0.load(Ordering::SeqCst)
    }

    pub(crate) async fn record(&self, id: &OperationId) -> Record {
        self.ledger.find(id.clone()).await.unwrap().unwrap()
    }

    pub(crate) async fn approval(&self, id: &OperationId) -> ApprovalRecord {
        *self.record(id).await.approval.unwrap()
    }

    /// A signed decision, as JSON has it on record.
    pub(crate) async fn signed(
        &self,
        by: &Approver,
        id: &OperationId,
        verdict: ApprovalVerdict,
    ) -> Decision {
        by.sign(id, &self.record(id).await, verdict).unwrap()
    }

    /// Writes into the ledger as somebody with a shell does. In memory nobody can.
    pub(crate) fn rewrite(&self, id: &OperationId, change: impl FnOnce(&mut Value)) -> bool {
        self.place.rewrite(id.key.as_str(), "approved", change)
    }

    /// Writes a request back that was spent, as granted.
    pub(crate) fn revive(&self, id: &OperationId, spent: &ApprovalRecord) -> bool {
        self.rewrite(id, |approval| *approval = serde_json::to_value(spent).unwrap())
    }

    /// An agent asks, dynamically; and is told to wait.
    pub(crate) async fn ask(&self, tool: &'static str, key: &str) -> OperationId {
        let response = self.dispatch(tool, key, None).await;
        assert_eq!(response.status, Status::AwaitingApproval, "{response:?}");
        id(None, tool, key)
    }

    pub(crate) async fn dispatch(&self, tool: &str, key: &str, tenant: Option<&str>) -> Response {
        let arguments = serde_json::json!({ "account": "a" });
        let meta = Meta {
            idempotency_key: Some(key.to_owned()),
            user: Some("agent".to_owned()),
            tenant: tenant.map(str::to_owned),
            ..Meta::default()
        };
        self.runtime.dispatch(Request::new(tool, &arguments, meta).unwrap()).await
    }

    /// What stands there lets nothing run, and nobody think that it does; what
    /// people sign then does.
    pub(crate) async fn is_no_good(&self, id: &OperationId) {
        let before = self.deleted();
        let key = id.key.as_str();
        let response = self.dispatch(&id.tool, key, None).await;
        assert_eq!(response.status, Status::AwaitingApproval, "{response:?}");
        if id.tool == "delete_account" {
            let pending = delete("a", key).request_approval(&self.runtime).await.unwrap();
            assert!(pending.granted().await.unwrap().is_none());
            // The agent's own runtime is easily convinced.
            let insecure = delete("a", key).request_approval(&self.insecure_runtime()).await;
            // Where it believes a refusal, it has nothing to wait for.
            if let Ok(pending) = insecure
                && let Some(approval) = pending.granted().await.unwrap()
            {
                let call = delete("a", key).approved(approval).call(&self.runtime);
                let error = call.await.unwrap_err();
                assert!(matches!(error, CallError::Rejected(_)), "{error:?}");
            }
        }
        assert_eq!(self.deleted(), before);
    }

    /// Likewise, and then those sign who may.
    pub(crate) async fn is_no_good_until_signed(&self, id: &OperationId) {
        self.is_no_good(id).await;
        self.alice.decide(&*self.ledger, id, ApprovalVerdict::GRANT).await.unwrap();
        self.runs(id).await;
    }

    pub(crate) async fn runs(&self, id: &OperationId) {
        let before = self.deleted();
        let response = self.dispatch(&id.tool, id.key.as_str(), None).await;
        assert_eq!(response.status, Status::Succeeded, "{response:?}");
        assert_eq!(self.deleted(), before + 1);
    }
}

fn runtime(ledger: &Arc<dyn Ledger>, world: &World, approvers: &Approvers) -> Runtime {
    Runtime::builder()
        .shared_ledger(Arc::clone(ledger))
        .state(world.clone())
        .approvers(approvers.clone())
        .tool::<DeleteAccount>()
        .tool::<DeleteEverything>()
        .build()
        .unwrap()
}

pub(crate) fn id(tenant: Option<&str>, tool: &'static str, key: &str) -> OperationId {
    OperationId {
        tenant: tenant.map(|tenant| Tenant::new(tenant).unwrap()),
        tool: tool.into(),
        key: IdempotencyKey::new(key).unwrap(),
    }
}

/// A grant as it stands on record.
pub(crate) fn grant(decision: &Decision) -> Value {
    let ApprovalVerdict::Grant { until } = &decision.verdict else { panic!("{decision:?}") };
    serde_json::json!({
        "by": decision.by, "at": 0, "until": until, "signature": decision.signature,
    })
}
