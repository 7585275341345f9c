//! Under construction: the ledger in a file.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use tool_contract_spec::key::OperationId;

use super::{
    Admission, Admitted, Answer, Decided, Decision, Draw, Event, Fence, Finding, Ledger, LedgerError, Limited, Query,
    ReconcileClaim, ReconcileRequest, Reconciled, Record, Renewed, Resolution, Settled, Settlement,
};
use crate::tool::BoxFuture;

/// A ledger in a file.
#[derive(Debug)]
pub struct SqliteLedger(Infallible);

impl SqliteLedger {
    /// Opens it.
    ///
    /// # Errors
    /// Always, for now.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, LedgerError> {
        Err(LedgerError::Unavailable(path.as_ref().display().to_string()))
    }
}

impl Ledger for SqliteLedger {
    fn admit(&self, _: Admission) -> Answer<'_, Admitted> {
        match self.0 {}
    }
    fn settle(&self, _: Settlement) -> Answer<'_, Settled> {
        match self.0 {}
    }
    fn renew(&self, _: OperationId, _: Fence) -> Answer<'_, Renewed> {
        match self.0 {}
    }
    fn begin_reconcile(&self, _: ReconcileRequest) -> Answer<'_, ReconcileClaim> {
        match self.0 {}
    }
    fn finish_reconcile(&self, _: OperationId, _: Fence, _: Finding) -> Answer<'_, Reconciled> {
        match self.0 {}
    }
    fn resolve(&self, _: Resolution) -> Answer<'_, Reconciled> {
        match self.0 {}
    }
    fn decide_approval(&self, _: Decision) -> Answer<'_, Decided> {
        match self.0 {}
    }
    fn draw(&self, _: Vec<Draw>) -> Answer<'_, Result<(), Limited>> {
        match self.0 {}
    }
    fn find(&self, _: OperationId) -> Answer<'_, Option<Record>> {
        match self.0 {}
    }
    fn history(&self, _: OperationId) -> Answer<'_, Vec<Event>> {
        match self.0 {}
    }
    fn list(&self, _: Query) -> Answer<'_, Vec<(OperationId, Record)>> {
        match self.0 {}
    }
    fn changed(&self, _: OperationId, _: Duration) -> BoxFuture<'_, ()> {
        match self.0 {}
    }
}
