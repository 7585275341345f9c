//! Random histories of many operations: the model, the ledger in memory and the
//! ledger in a file answer alike, and remember alike.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tool_contract_spec::key::{OperationId, Tenant};
use tool_contract_spec::policy::{Limit, Period, Quota, Remint, Scope};

use super::model::{Command, Model};
use crate::clock::Clock;
use crate::ledger::conformance::{LEASE, call, confirmed, happened, hash, id, repeatable, terms, unknown};
use crate::ledger::{
    Admission, ApprovalId, ApprovalVerdict, CellId, Decision, Draw, Fence, Finding, Holder, Intent, Ledger,
    LedgerError, MemoryLedger, Nonce, Query, ReconcileRequest, Resolution, Resolved, Settlement, Terms, Verdict,
    verify,
};
use crate::outcome_for_tests::attempt;
use crate::testing::ManualClock;
