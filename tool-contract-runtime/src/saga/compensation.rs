//! What undoes a step: an operation of its own.
//!
//! Its contract is ours. A rollback function may be called again after a call of
//! it that may have worked, and so has to be idempotent: then repeating it is
//! harmless, and it is tried until it succeeds or a person has to look.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::RawValue;
use tool_contract_spec::canonical::{self, Form};
use tool_contract_spec::key::LONGEST_KEY;
use tool_contract_spec::ledger::{Terms, Timestamp};
use tool_contract_spec::operation::{
    Fingerprint, OperationError, OperationHash, OperationHasher, SecretKey,
};
use tool_contract_spec::outcome::OutcomeClass;
use tool_contract_spec::policy::{
    Backoff, Contract, DedupedBy, Idempotency, InFlight, Jitter, Policy, Remint, Retry, RetryOn,
    Rollback, SideEffect, Text, Ttl,
};
use tool_contract_spec::saga::rollback_name;

use super::Kept;
use crate::call::Meta;
use crate::cx::Cx;
use crate::error::CallError;
use crate::executor::{Link, execute};
use crate::job::{Described, Ended, Found, Job};
use crate::registry::Entry;
use crate::runtime::Runtime;
use crate::tool::BoxFuture;

/// How often a rollback function is tried in one run of its saga.
const TRIES: u32 = 5;
/// How often over all runs.
const TRIES_IN_ALL: u32 = 100;

/// A step to undo.
pub(super) struct Undo {
    pub(super) entry: Arc<Entry>,
    pub(super) kept: Arc<dyn Kept>,
    /// What the step did.
    pub(super) of: OperationHash,
    pub(super) arguments: Arc<str>,
    pub(super) output: Arc<str>,
}

/// Undoes a step, now or before.
pub(super) async fn undo(runtime: &Runtime, undo: Undo, meta: &Meta) -> Result<(), CallError<()>> {
    let contract = contract(undo.entry.tool.type_id(), undo.entry.tool.contract());
    let entry = Entry {
        tool: undo.entry.tool,
        template: None,
        terms: Arc::new(Terms::of(contract, runtime.lease(), true)),
        fuse: None,
        obstacle: undo.entry.obstacle.clone(),
    };
    let mut job = Undoing { contract, undo };
    execute(runtime, &entry, &mut job, meta, Some(&Link::default())).await.map(|_| ())
}

/// The contract under which calls of a tool are undone, made once per tool.
fn contract(tool: TypeId, of: &Contract) -> &'static Contract {
    static MADE: Mutex<Option<HashMap<TypeId, &'static Contract>>> = Mutex::new(None);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.get_or_insert_default().entry(tool).or_insert_with(|| Box::leak(Box::new(make(of))))
}

fn make(of: &Contract) -> Contract {
    let retry = Retry {
        max: TRIES,
        max_total: TRIES_IN_ALL,
        on: RetryOn::RETRYABLE.with_unknown(),
        backoff: Backoff::Exponential,
        base: Retry::DEFAULT_BASE,
        cap: Retry::DEFAULT_CAP,
        jitter: Jitter::Full,
        budget: None,
    };
    let policy = Policy {
        side_effect: SideEffect::Write,
        idempotency: Idempotency::Keyed { by: DedupedBy::Nature, template: None },
        retry,
        timeout: of.policy.timeout,
        ttl: Ttl { window: of.policy.ttl.window, sliding: false },
        rollback: Rollback::None,
        reconcile: None,
        confirm: None,
        limits: Cow::Borrowed(&[]),
        breaker: None,
        in_flight: InFlight::Wait,
        remint: Remint::Warn,
    };
    Contract {
        name: Text::Owned(rollback_name(&of.name)),
        path: of.path.clone(),
        description: Text::Owned(format!("Undo `{}`.", of.name)),
        version: of.version,
        policy,
        arguments: Cow::Borrowed(&[]),
        allow: Cow::Borrowed(&[]),
    }
}

/// The undoing of a step, as the executor takes it.
struct Undoing {
    contract: &'static Contract,
    undo: Undo,
}

impl Job for Undoing {
    fn contract(&self) -> &'static Contract {
        self.contract
    }

    fn is_blocking(&self) -> bool {
        false
    }

    fn longest_key(&self) -> usize {
        LONGEST_KEY
    }

    fn describe(
        &self,
        _: Option<&SecretKey>,
        fingerprint: Option<&Fingerprint>,
    ) -> Result<Described, OperationError> {
        let mut hasher = OperationHasher::new(&self.contract.name, self.contract.version);
        hasher.argument("of", |out| {
            canonical::write(&self.undo.of.to_string(), out).map(|_| Form::Json)
        })?;
        let hash = hasher.finish(fingerprint).hash;
        Ok(Described { hash, arguments: self.recorded(), seen: None })
    }

    fn key_text(&self, _: &str) -> Option<String> {
        None
    }

    fn attempt(&mut self, cx: Cx, _: bool) -> BoxFuture<'_, Ended> {
        Box::pin(async move {
            let undone = match cx.key().cloned() {
                Some(key) => self.undo.kept.roll_back(&self.undo.output, key, cx).await,
                None => Err("it has no key; this is a bug in tool-contract".to_owned()),
            };
            // An error says nothing of what it did: it is tried again.
            let (class, result, error) = match undone {
                Ok(()) => (OutcomeClass::Success, Some("null".into()), String::new()),
                Err(error) => (OutcomeClass::SideEffectUnknown, None, error),
            };
            Ended { outcome: class.into(), result, error }
        })
    }

    fn reconcile(&mut self, _: Cx, _: Timestamp) -> Option<BoxFuture<'_, Found>> {
        None
    }
}

impl Undoing {
    /// What a person sees who has to do it by hand.
    fn recorded(&self) -> Arc<str> {
        let raw = |json: &str| RawValue::from_string(json.to_owned()).ok();
        let of = serde_json::json!({
            "arguments": raw(&self.undo.arguments),
            "output": raw(&self.undo.output),
        });
        of.to_string().into()
    }
}
