//! Whether the attribute says what the contract file says (TC0018).

use proc_macro2::TokenStream;
use quote::quote;
use tool_contract_spec::document::{self, AttributeKey, Document};
use tool_contract_spec::draft::{Draft, Field, LimitDraft};
use tool_contract_spec::policy::Contract;

use crate::contract_file::{self, ContractFile, Package};
use crate::findings::{self, Findings};
use crate::place::Place;

/// Compares a tool with its entry in the contract file, if there is a file.
/// Returns items without which the verdict would go stale.
///
/// What is wrong with the file itself is for `contract!` to say, once.
pub(super) fn judge(
    package: &Package,
    draft: &Draft<Place>,
    contract: &Contract,
    findings: &mut Findings,
) -> TokenStream {
    let mode = contract_file::tracking_mode();
    let file = package.contract();
    if matches!(file, ContractFile::Missing) || !contract_file::is_binding() {
        return mode;
    }
    let tracking = package.tracking();
    let lacking = match &file {
        ContractFile::Read(document) => compare(package, document, draft, contract, findings),
        _ => TokenStream::new(),
    };
    quote! { #mode #tracking #lacking }
}

fn compare(
    package: &Package,
    document: &Document,
    draft: &Draft<Place>,
    contract: &Contract,
    findings: &mut Findings,
) -> TokenStream {
    let Some(entry) = document.entry(&contract.name) else {
        return lacking(package, draft);
    };
    let differences = document::compare(contract, entry);
    findings.extend(differences.iter().map(|difference| {
        let at = difference.field.attribute_key().map_or(draft.name.at, |key| place(draft, key));
        document::disagreement(&contract.name, difference, at)
    }));
    TokenStream::new()
}

/// The error of a tool that the file lacks. Tools that only tests have are not
/// in the contract, and only the compiler knows which these are.
fn lacking(package: &Package, draft: &Draft<Place>) -> TokenStream {
    let at = draft.name.at;
    if at.file().is_some_and(|source| package.is_aside(&source)) {
        return TokenStream::new();
    }
    let error = at.error(&findings::text(&document::only_in_code(&draft.name.value, at)));
    quote! { #[cfg(not(test))] #error }
}

/// Where the attribute says it, or what encloses that.
fn place(draft: &Draft<Place>, AttributeKey { key, inner }: AttributeKey) -> Place {
    let inner = inner.and_then(|inner| inner_place(draft, key, inner));
    inner.or_else(|| outer_place(draft, key)).unwrap_or(draft.at)
}

fn outer_place(draft: &Draft<Place>, key: &str) -> Option<Place> {
    match key {
        "side_effect" => of(&draft.side_effect),
        "idempotent" => key_of(&draft.idempotent),
        "retry" => key_of(&draft.retry),
        "timeout" => of(&draft.timeout),
        "ttl" => of(&draft.ttl),
        "rollback" => of(&draft.rollback),
        "reconcile" => key_of(&draft.reconcile),
        "confirm" => key_of(&draft.confirm),
        "rate_limit" => key_of(&draft.rate_limit),
        "concurrency" => key_of(&draft.concurrency),
        "breaker" => key_of(&draft.breaker),
        "in_flight" => of(&draft.in_flight),
        "remint" => of(&draft.remint),
        "version" => of(&draft.version),
        "allow" => draft.allow.first().map(|code| code.at),
        _ => None,
    }
}

fn inner_place(draft: &Draft<Place>, key: &str, inner: &str) -> Option<Place> {
    match key {
        "idempotent" => {
            let idempotent = &draft.idempotent.given()?.value;
            if inner == "by" { of(&idempotent.by) } else { of(&idempotent.key) }
        }
        "retry" => retry_place(draft, inner),
        "ttl" => {
            let ttl = &draft.ttl.given()?.value;
            if inner == "window" { of(&ttl.window) } else { of(&ttl.sliding) }
        }
        "reconcile" => {
            let reconcile = &draft.reconcile.given()?.value;
            if inner == "with" { of(&reconcile.with) } else { of(&reconcile.settle) }
        }
        "confirm" => {
            let confirm = &draft.confirm.given()?.value;
            if inner == "ttl" { of(&confirm.ttl) } else { of(&confirm.quorum) }
        }
        "rate_limit" => limit_place(&draft.rate_limit, inner),
        "concurrency" => limit_place(&draft.concurrency, inner),
        "breaker" => {
            let breaker = &draft.breaker.given()?.value;
            if inner == "failures" { of(&breaker.failures) } else { of(&breaker.cooldown) }
        }
        _ => None,
    }
}

fn limit_place(limits: &Field<Vec<LimitDraft<Place>>, Place>, inner: &str) -> Option<Place> {
    let mut limits = limits.given()?.value.iter();
    let limit = limits.find(|limit| inner.strip_prefix("per_") == Some(limit.scope.as_str()));
    limit.map(|limit| limit.quota.at)
}

fn retry_place(draft: &Draft<Place>, inner: &str) -> Option<Place> {
    let retry = &draft.retry.given()?.value;
    match inner {
        "max" => of(&retry.max),
        "max_total" => of(&retry.max_total),
        "on" => of(&retry.on),
        "backoff" => of(&retry.backoff),
        "base" => of(&retry.base),
        "cap" => of(&retry.cap),
        "jitter" => of(&retry.jitter),
        "budget" => of(&retry.budget),
        _ => None,
    }
}

/// Where a key's value stands.
fn of<T>(field: &Field<T, Place>) -> Option<Place> {
    field.given().map(|value| value.at)
}

/// Where a key's name stands.
fn key_of<T>(field: &Field<T, Place>) -> Option<Place> {
    field.key().copied()
}
