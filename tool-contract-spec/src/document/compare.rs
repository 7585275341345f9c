//! Where code and file differ.

use serde_json::Value;

use super::{Emitted, Entry, FieldName, scalar};
use crate::duration;
use crate::policy::{
    Argument, ArgumentRole, Contract, Idempotency, KeySource, Limit, Policy, Quota, Retry,
    Rollback, Text,
};
use crate::rulebook::{Code, Finding};

/// A field in which code and file differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which field.
    pub field: FieldName,
    /// What the code says, as a file would write it.
    pub code: String,
    /// What the file says, likewise.
    pub file: String,
}

/// A field and what it says; `None` is a field that says nothing.
type Facet = (FieldName, Option<String>);

/// Compares all that the macro knows while compiling: everything but the path
/// and the schemas.
///
/// A field that the file leaves out counts as its default, except the
/// description and the arguments, which are compared only where the file
/// states them. An entry that breaks a rule is not compared: its findings come
/// first.
#[must_use]
pub fn compare(code: &Contract, file: &Entry) -> Vec<Difference> {
    let Some(contract) = &file.contract else { return Vec::new() };
    let mut differences = differing(facets(code), &facets(contract));
    let following = following(code, file, &differences);
    differences.extend(following);
    differences.extend(differing(stated(code, file), &stated(contract, file)));
    differences
}

/// Compares what only a running program knows, the path and the schemas, where
/// the file states them.
#[must_use]
pub fn compare_schemas(code: &Emitted, file: &Entry) -> Vec<Difference> {
    let mut differences = Vec::new();
    let path = &code.contract.path;
    if file.states(FieldName::Path) && file.draft.path != **path {
        let (code, file) = (scalar::inline(path), scalar::inline(&file.draft.path));
        differences.push(Difference { field: FieldName::Path, code, file });
    }
    for (field, code, file) in [
        (FieldName::ArgumentsSchema, &code.arguments_schema, &file.schemas.arguments),
        (FieldName::OutputSchema, &code.output_schema, &file.schemas.output),
    ] {
        let Some(file) = file else { continue };
        if let Some((at, code, file)) = first_difference(String::new(), Some(code), Some(file)) {
            let (code, file) = (format!("{code} at `{at}`"), format!("{file} there"));
            differences.push(Difference { field, code, file });
        }
    }
    differences
}

/// The finding (TC0018) of a difference, at the place that the caller knows.
pub fn disagreement<At>(tool: &str, difference: &Difference, at: At) -> Finding<At> {
    let Difference { field, code, file } = difference;
    let message = format!(
        "`{tool}`: `{}` is {code} in the code and {file} in the contract file",
        field.as_str()
    );
    drift(at, message, &format!("change the one that is wrong; {WRITING}"))
}

/// The finding (TC0018) of a tool that the file lacks.
pub fn only_in_code<At>(tool: &str, at: At) -> Finding<At> {
    let message = format!("the contract file has no tool `{tool}`, and the code has");
    drift(at, message, WRITING)
}

/// The finding (TC0018) of a tool that the code lacks.
pub fn only_in_file<At>(tool: &str, at: At) -> Finding<At> {
    let message = format!("the code has no tool `{tool}`, and the contract file has");
    drift(at, message, &format!("if it is gone, {WRITING}"))
}

/// How the file comes to say what the code says.
const WRITING: &str = "`cargo tool-contract emit`, or `TOOL_CONTRACT=overwrite cargo test`, writes the file from the code of a crate \
                       that has a `tool_contract::contract!();`";

fn drift<At>(at: At, message: String, help: &str) -> Finding<At> {
    Finding::new(Code::CONTRACT_DIFFERS, at, message, help)
}

/// The fields in which two descriptions differ. A field that only one of them
/// has follows from another.
fn differing(code: Vec<Facet>, file: &[Facet]) -> Vec<Difference> {
    let say = |text: Option<String>| text.unwrap_or_else(|| "absent".to_owned());
    let differs = |(field, code): Facet| {
        let (_, file) = file.iter().find(|(other, _)| *other == field)?;
        (code != *file).then(|| Difference { field, code: say(code), file: say(file.clone()) })
    };
    code.into_iter().filter_map(differs).collect()
}

/// All that both a contract of code and one of a file always state.
fn facets(contract: &Contract) -> Vec<Facet> {
    let policy = &contract.policy;
    let mut facets = vec![
        (FieldName::Version, Some(contract.version.to_string())),
        (FieldName::Mode, Some(policy.side_effect.as_str().to_owned())),
        (FieldName::Allow, Some(list(contract.allow.iter().map(AsRef::as_ref)))),
    ];
    idempotency(policy, &mut facets);
    retry(&policy.retry, &mut facets);
    facets.push((FieldName::Timeout, Some(duration::format(policy.timeout))));
    limits(&policy.limits, &mut facets);
    let breaker = policy.breaker.as_ref();
    facets.extend([
        (FieldName::BreakerFailures, breaker.map(|breaker| breaker.failures.to_string())),
        (FieldName::BreakerCooldown, breaker.map(|breaker| duration::format(breaker.cooldown))),
    ]);
    safeguards(policy, &mut facets);
    facets
}

fn idempotency(policy: &Policy, facets: &mut Vec<Facet>) {
    if !policy.is_read() {
        facets.push((FieldName::Idempotent, Some(policy.is_idempotent().to_string())));
    }
    if let Idempotency::Keyed { by, template } = &policy.idempotency {
        facets.push((FieldName::DedupedBy, Some(by.as_str().to_owned())));
        facets.push((FieldName::Key, template.as_deref().map(scalar::inline)));
    }
    facets.push((FieldName::Ttl, Some(duration::format(policy.ttl.window))));
    facets.push((FieldName::Sliding, Some(policy.ttl.sliding.to_string())));
    facets.push((FieldName::Remint, Some(policy.remint.as_str().to_owned())));
    facets.push((FieldName::InFlight, Some(policy.in_flight.as_str().to_owned())));
}

fn retry(retry: &Retry, facets: &mut Vec<Facet>) {
    facets.extend([
        (FieldName::MaxAttempts, Some(retry.max.to_string())),
        (FieldName::MaxTotal, Some(retry.max_total.to_string())),
        (FieldName::Backoff, Some(retry.backoff.as_str().to_owned())),
        (FieldName::Base, Some(duration::format(retry.base))),
        (FieldName::Cap, Some(duration::format(retry.cap))),
        (FieldName::Jitter, Some(retry.jitter.as_str().to_owned())),
        (FieldName::Budget, retry.budget.map(duration::format)),
        (FieldName::RetryOn, Some(list(retry.on.words()))),
    ]);
}

fn limits(limits: &[Limit], facets: &mut Vec<Facet>) {
    for scope in crate::policy::Scope::ALL {
        let (mut rate, mut concurrency) = (None, None);
        for limit in limits.iter().filter(|limit| limit.scope == scope) {
            match limit.quota {
                Quota::Rate(many, period) => {
                    rate = Some(format!("{many} per {}", period.as_str()));
                }
                Quota::Count(many) => rate = Some(many.to_string()),
                Quota::Concurrent(many) => concurrency = Some(many.to_string()),
                Quota::Within(..) => {}
            }
        }
        facets.push((FieldName::RateLimit(scope), rate));
        facets.push((FieldName::Concurrency(scope), concurrency));
    }
}

fn safeguards(policy: &Policy, facets: &mut Vec<Facet>) {
    if let Some(confirm) = policy.confirm {
        facets.push((FieldName::ConfirmationTtl, Some(duration::format(confirm.ttl))));
        facets.push((FieldName::Quorum, Some(confirm.quorum.to_string())));
    }
    let strategy = match &policy.rollback {
        Rollback::Read => None,
        Rollback::None => Some("none"),
        Rollback::ManualOnly => Some("manual_only"),
        Rollback::Compensate(_) => Some("compensate"),
    };
    if let Some(strategy) = strategy {
        facets.push((FieldName::RollbackStrategy, Some(strategy.to_owned())));
    }
    if let Rollback::Compensate(with) = &policy.rollback {
        facets.push((FieldName::RollbackWith, Some(scalar::inline(with))));
    }
    facets.push((
        FieldName::ReconcileWith,
        policy.reconcile.as_ref().map(|it| scalar::inline(&it.with)),
    ));
    if let Some(reconcile) = &policy.reconcile {
        facets.push((FieldName::Settle, Some(duration::format(reconcile.settle))));
    }
}

/// The fields that a file may state and that follow, in code, from others. A
/// difference from which one follows speaks for both.
fn following(code: &Contract, file: &Entry, known: &[Difference]) -> Vec<Difference> {
    let differs = |field: &FieldName| known.iter().any(|difference| difference.field == *field);
    if code.policy.is_read() || differs(&FieldName::Mode) {
        return Vec::new(); // on a read they say nothing
    }
    let key_required = code.policy.key_source() == KeySource::Caller;
    let flags = [
        (
            FieldName::KeyRequired,
            key_required,
            &file.draft.key_required,
            &[FieldName::Idempotent, FieldName::Key][..],
        ),
        // What happened is always found out, by the function or by a person.
        (
            FieldName::ReconcileOnUnknown,
            true,
            &file.draft.reconcile_on_unknown,
            &[FieldName::ReconcileWith],
        ),
    ];
    let of = |field, flag: bool| (field, Some(flag.to_string()));
    let stated = flags.into_iter().filter(|(.., from)| !from.iter().any(differs));
    let stated = stated.filter_map(|(field, code, file, _)| {
        let file = file.given()?.value;
        differing(vec![of(field, code)], &[of(field, file)]).pop()
    });
    stated.collect()
}

/// What is compared only where the file states it.
fn stated(contract: &Contract, file: &Entry) -> Vec<Facet> {
    let mut facets = Vec::new();
    if file.states(FieldName::Description) {
        facets.push((FieldName::Description, Some(quoted(&contract.description))));
    }
    for (field, role) in
        [(FieldName::Ignored, ArgumentRole::Ignored), (FieldName::Secret, ArgumentRole::Secret)]
    {
        if file.states(field) {
            facets.push((field, Some(of_role(&contract.arguments, role))));
        }
    }
    facets
}

/// A description however its lines are broken: a file may fold them.
fn quoted(description: &Text) -> String {
    let words: Vec<&str> = description.split_whitespace().collect();
    format!("\"{}\"", words.join(" "))
}

fn of_role(arguments: &[Argument], role: ArgumentRole) -> String {
    list(
        arguments
            .iter()
            .filter(|argument| argument.role == role)
            .map(|argument| argument.name.as_ref()),
    )
}

/// A list whose order says nothing.
fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut texts: Vec<String> = texts.into_iter().map(scalar::inline).collect();
    texts.sort_unstable();
    format!("[{}]", texts.join(", "))
}

/// The first place, as a JSON pointer, at which two schemas differ, and both
/// values.
fn first_difference(
    at: String,
    code: Option<&Value>,
    file: Option<&Value>,
) -> Option<(String, String, String)> {
    match (code, file) {
        (code, file) if code == file => None,
        (Some(Value::Object(code)), Some(Value::Object(file))) => {
            let mut keys: Vec<&String> = code.keys().chain(file.keys()).collect();
            keys.sort_unstable();
            keys.into_iter().find_map(|key| match (code.get(key), file.get(key)) {
                // In whichever order the source has its arguments.
                (Some(code), Some(file)) if key == "required" && is_reordered(code, file) => None,
                (code, file) => first_difference(format!("{at}/{key}"), code, file),
            })
        }
        (Some(Value::Array(code)), Some(Value::Array(file))) if code.len() == file.len() => {
            let mut pairs = code.iter().zip(file).enumerate();
            pairs.find_map(|(n, (code, file))| {
                first_difference(format!("{at}/{n}"), Some(code), Some(file))
            })
        }
        (code, file) => {
            Some((if at.is_empty() { "/".to_owned() } else { at }, shown(code), shown(file)))
        }
    }
}

/// Whether two lists of words have the same words.
fn is_reordered(one: &Value, other: &Value) -> bool {
    let sorted = |list: &Value| -> Option<Vec<String>> {
        let mut words: Vec<String> = list
            .as_array()?
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        words.sort_unstable();
        Some(words)
    };
    sorted(one).is_some_and(|one| Some(one) == sorted(other))
}

/// A value in a message: the beginning of it, where it is long.
fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 60;
    let text = value.map_or_else(|| "absent".to_owned(), Value::to_string);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
