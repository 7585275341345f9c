//! What is a saga's own: its first parameter, and what it need not declare.

use syn::Type;
use tool_contract_spec::draft::{
    Draft, Field, IdempotentDraft, Located, RetryDraft, RollbackDraft, TtlDraft,
};
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::MOST_ATTEMPTS;

use super::function::Function;
use crate::findings::Findings;
use crate::place::Place;

/// Whether a type is `Saga`, by value.
pub(super) fn is_saga(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|segment| segment.ident == "Saga")
        }
        Type::Group(group) => is_saga(&group.elem),
        _ => false,
    }
}

/// Says what of the function no saga can have.
pub(super) fn judge(function: &Function, findings: &mut Findings) {
    let signature = &function.signature;
    let mut refuse = |at: Place, what: &str, help: &str| {
        let message = format!("`{}` {what}", findings.subject);
        findings.add(Code::UNFIT_SIGNATURE, at, message, help);
    };
    if signature.asyncness.is_none() {
        let what = "is a saga and not async, but its steps are awaited";
        refuse(Place::of(signature.fn_token), what, "write `async fn`");
    }
    if function.takes_cx {
        let what = "is a saga and takes a `&Cx`, but a saga brings its own";
        refuse(Place::of(&signature.ident), what, "take `saga: Saga`, and write `saga.cx()`");
    }
    let first = match signature.inputs.first() {
        Some(syn::FnArg::Typed(typed)) => is_saga(&typed.ty),
        _ => false,
    };
    if !first && !function.takes_cx {
        let what = "is a saga without a `Saga`, by which it would make its steps";
        refuse(Place::of(&signature.ident), what, "make `saga: Saga` its first parameter");
    }
}

/// Declares what is the same for every saga: it changes something, its key is its
/// caller's, and running it again is harmless, for each of its steps is guarded.
pub(super) fn declare(draft: &mut Draft<Place>) {
    let at = draft.at;
    let word = |text: &str| Located::new(text.to_owned(), at);
    let retry = RetryDraft {
        max: given(at, 3),
        max_total: given(at, MOST_ATTEMPTS.into()),
        on: given(at, vec![word("retryable"), word("side_effect_unknown")]),
        backoff: Field::Absent,
        base: given(at, "1s".to_owned()),
        cap: given(at, "30s".to_owned()),
        jitter: Field::Absent,
        budget: Field::Absent,
    };
    let by = given(at, "nature".to_owned());
    draft.side_effect = given(at, "write".to_owned());
    draft.idempotent = given(at, IdempotentDraft { claimed: true, by, key: Field::Absent });
    draft.retry = given(at, retry);
    draft.rollback = given(at, RollbackDraft::None);
    if matches!(draft.timeout, Field::Absent) {
        draft.timeout = given(at, "10m".to_owned());
    }
    if matches!(draft.ttl, Field::Absent) {
        let window = given(at, "30d".to_owned());
        draft.ttl = given(at, TtlDraft { window, sliding: Field::Absent });
    }
}

fn given<T>(at: Place, value: T) -> Field<T, Place> {
    Field::Given { key: at, value: Located::new(value, at) }
}
