//! What stands in `#[tool(..)]`.

use proc_macro2::{Ident, TokenStream};
use syn::parse::Parse;
use syn::{ExprPath, Lit, Type};
use tool_contract_spec::draft::{
    BreakerDraft, ConfirmDraft, Draft, Field, IdempotentDraft, LimitDraft, Located, ReconcileDraft,
    RetryDraft, RollbackDraft, TtlDraft,
};
use tool_contract_spec::policy::Scope;
use tool_contract_spec::rulebook::Code;

use super::function_path::FunctionPath;
use super::keys::{Keys, Known, Read, Unread, flag, number, path_text, text};
use super::meta::{self, Entry, Value};
use super::saga;
use super::table::{
    BREAKER, CONCURRENCY, CONFIRM, IDEMPOTENT, KEYS, RATE_LIMIT, RECONCILE, RETRY, SAGA, TTL,
};
use crate::findings::Findings;
use crate::place::Place;
use crate::tool::Kind;

/// What the generator needs from the attribute and no rule judges.
#[derive(Default)]
pub(crate) struct Options {
    /// `crate`: where this library is found.
    pub(crate) krate: Option<ExprPath>,
    /// `args`: the name of the generated type.
    pub(crate) args: Option<Ident>,
    /// `state`: what the body takes from the runtime.
    pub(crate) state: Vec<Type>,
    /// The rollback function.
    pub(crate) rollback: Option<ExprPath>,
    /// The reconcile function.
    pub(crate) reconcile: Option<ExprPath>,
}

/// Reads the attribute's tokens into `draft`.
pub(super) fn read(
    kind: Kind,
    tokens: TokenStream,
    draft: &mut Draft<Place>,
    findings: &mut Findings,
) -> Options {
    let known = match kind {
        Kind::Tool => KEYS,
        Kind::Saga => SAGA,
    };
    let mut keys = Keys::read(tokens, known, findings);
    let mut options = Options::default();
    draft.side_effect = keys.text("side_effect");
    draft.idempotent = keys.take("idempotent", idempotent);
    draft.retry = keys.take("retry", retry);
    draft.timeout = keys.text("timeout");
    draft.ttl = keys.take("ttl", ttl);
    draft.rollback =
        keys.take("rollback", |entry, findings| rollback(entry, &mut options.rollback, findings));
    draft.reconcile = keys
        .take("reconcile", |entry, findings| reconcile(entry, &mut options.reconcile, findings));
    draft.confirm = keys.take("confirm", confirm);
    draft.rate_limit =
        keys.take("rate_limit", |entry, findings| limits(entry, RATE_LIMIT, findings));
    draft.concurrency =
        keys.take("concurrency", |entry, findings| limits(entry, CONCURRENCY, findings));
    draft.breaker = keys.take("breaker", breaker);
    draft.in_flight = keys.text("in_flight");
    draft.remint = keys.text("remint");
    draft.version = keys.number("version");
    draft.allow = value(keys.take("allow", allow)).unwrap_or_default();
    options.state = value(keys.take("state", state)).unwrap_or_default();
    options.args = value(keys.take("args", args));
    options.krate = value(keys.take("crate", krate));
    if let Field::Given { value, .. } = keys.text("name") {
        draft.name = value;
    }
    if kind == Kind::Saga {
        saga::declare(draft);
    }
    options
}

fn idempotent(entry: &Entry, findings: &mut Findings) -> Read<IdempotentDraft<Place>> {
    let (mut by, mut key) = (Field::Absent, Field::Absent);
    let switch = match &entry.value {
        Value::Group(place, tokens) => {
            let mut keys = Keys::read_group(tokens.clone(), IDEMPOTENT, findings);
            (by, key) = (keys.text("by"), keys.text("key"));
            Located::new(true, *place)
        }
        _ => flag(entry)?,
    };
    Ok(Located::new(IdempotentDraft { claimed: switch.value, by, key }, switch.at))
}

fn retry(entry: &Entry, findings: &mut Findings) -> Read<RetryDraft<Place>> {
    let (mut keys, at) = group_or_bare(entry, RETRY, findings)?;
    let draft = RetryDraft {
        max: keys.number("max"),
        max_total: keys.number("max_total"),
        on: keys.take("on", on),
        backoff: keys.text("backoff"),
        base: keys.text("base"),
        cap: keys.text("cap"),
        jitter: keys.text("jitter"),
        budget: keys.text("budget"),
    };
    Ok(Located::new(draft, at))
}

fn on(entry: &Entry, findings: &mut Findings) -> Read<Vec<Located<String, Place>>> {
    let Value::List(_, words) = &entry.value else {
        let word = text(&entry.value).map_err(|_| Unread::Expected("a text or a list of texts"))?;
        let at = word.at;
        return Ok(Located::new(vec![word], at));
    };
    let at = entry.value.place().unwrap_or_else(|| entry.name.span().into());
    let read = words.iter().filter_map(|word| text(word).ok()).collect::<Vec<_>>();
    for word in words.iter().filter(|word| text(word).is_err()) {
        let message = format!("`on` of `{}` lists something that is no text", findings.subject);
        let help = match word {
            Value::Path(path) => format!("write `\"{}\"`", path_text(path)),
            _ => "write for instance `[\"rate_limited\", \"network\"]`".to_owned(),
        };
        findings.add(Code::MALFORMED_FIELD, word.place().unwrap_or(at), message, help);
    }
    if read.len() == words.len() { Ok(Located::new(read, at)) } else { Err(Unread::Refused) }
}

fn ttl(entry: &Entry, findings: &mut Findings) -> Read<TtlDraft<Place>> {
    if let Value::Group(place, tokens) = &entry.value {
        let mut keys = Keys::read_group(tokens.clone(), TTL, findings);
        let draft = TtlDraft { window: keys.text("window"), sliding: keys.flag("sliding") };
        return Ok(Located::new(draft, *place));
    }
    let value = text(&entry.value).map_err(|_| Unread::Expected("a text or a group"))?;
    let at = value.at;
    let window = Field::Given { key: entry.name.span().into(), value };
    Ok(Located::new(TtlDraft { window, sliding: Field::Absent }, at))
}

fn rollback(
    entry: &Entry,
    function: &mut Option<ExprPath>,
    findings: &mut Findings,
) -> Read<RollbackDraft> {
    let path = FunctionPath::read(&entry.value)?;
    let draft = match path.text.as_str() {
        "none" => RollbackDraft::None,
        "manual_only" => RollbackDraft::ManualOnly,
        _ => {
            let help = "write the path of a function as in \"path::to::function\", or \"manual_only\", or \"none\"";
            *function = Some(path.checked("rollback", help, findings)?);
            RollbackDraft::Compensate(path.text)
        }
    };
    Ok(Located::new(draft, path.at))
}

fn reconcile(
    entry: &Entry,
    function: &mut Option<ExprPath>,
    findings: &mut Findings,
) -> Read<ReconcileDraft<Place>> {
    let mut with = |entry: &Entry, findings: &mut Findings| {
        let path = FunctionPath::read(&entry.value)?;
        let help = "write the path of a function as in \"path::to::function\"";
        *function = Some(path.checked("reconcile", help, findings)?);
        Ok(Located::new(path.text, path.at))
    };
    if let Value::Group(place, tokens) = &entry.value {
        let mut keys = Keys::read_group(tokens.clone(), RECONCILE, findings);
        let draft = ReconcileDraft { with: keys.take("with", with), settle: keys.text("settle") };
        return Ok(Located::new(draft, *place));
    }
    let value = with(entry, findings)?;
    let at = value.at;
    let with = Field::Given { key: entry.name.span().into(), value };
    Ok(Located::new(ReconcileDraft { with, settle: Field::Absent }, at))
}

fn confirm(entry: &Entry, findings: &mut Findings) -> Read<ConfirmDraft<Place>> {
    let (mut keys, at) = group_or_bare(entry, CONFIRM, findings)?;
    let draft =
        ConfirmDraft { by: keys.text("by"), ttl: keys.text("ttl"), quorum: keys.number("quorum") };
    Ok(Located::new(draft, at))
}

fn breaker(entry: &Entry, findings: &mut Findings) -> Read<BreakerDraft<Place>> {
    let (mut keys, at) = group_or_bare(entry, BREAKER, findings)?;
    let draft = BreakerDraft { failures: keys.number("failures"), cooldown: keys.text("cooldown") };
    Ok(Located::new(draft, at))
}

fn limits(
    entry: &Entry,
    known: &'static [Known],
    findings: &mut Findings,
) -> Read<Vec<LimitDraft<Place>>> {
    let Value::Group(place, tokens) = &entry.value else {
        return Err(Unread::Expected("a group"));
    };
    let mut keys = Keys::read_group(tokens.clone(), known, findings);
    let scopes = [
        ("per_tool", Scope::Tool),
        ("per_tenant", Scope::Tenant),
        ("per_user", Scope::User),
        ("per_workflow", Scope::Workflow),
    ];
    let limits = scopes.map(|(name, scope)| {
        let quota = value_located(keys.take(name, |entry, _| quota(&entry.value)))?;
        Some(LimitDraft { scope, quota })
    });
    Ok(Located::new(limits.into_iter().flatten().collect(), *place))
}

/// A count may also be written as a number.
fn quota(value: &Value) -> Read<String> {
    match number(value) {
        Ok(count) => Ok(Located::new(count.value.to_string(), count.at)),
        Err(_) => text(value),
    }
}

fn allow(entry: &Entry, _: &mut Findings) -> Read<Vec<Located<String, Place>>> {
    let (place, codes) = listed::<Ident>(entry, "a list of codes")?;
    let codes = codes.into_iter().map(|code| Located::new(code.to_string(), code.span().into()));
    Ok(Located::new(codes.collect(), place))
}

fn state(entry: &Entry, _: &mut Findings) -> Read<Vec<Type>> {
    let (place, types) = listed(entry, "a list of types")?;
    Ok(Located::new(types, place))
}

fn args(entry: &Entry, _: &mut Findings) -> Read<Ident> {
    let name = match &entry.value {
        Value::Literal(Lit::Str(literal)) => literal.parse().ok(),
        Value::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    };
    let name = name.ok_or(Unread::Expected("the name of a type"))?;
    let at = name.span().into();
    Ok(Located::new(name, at))
}

fn krate(entry: &Entry, _: &mut Findings) -> Read<ExprPath> {
    let path = match &entry.value {
        Value::Literal(Lit::Str(literal)) => literal.parse().ok(),
        Value::Path(path) => Some(path.clone()),
        _ => None,
    };
    let path = path.ok_or(Unread::Expected("a path"))?;
    let at = Place::of(&path);
    Ok(Located::new(path, at))
}

/// The keys of `name(..)`; a bare `name` is a group without any.
fn group_or_bare<'f>(
    entry: &Entry,
    known: &'static [Known],
    findings: &'f mut Findings,
) -> Result<(Keys<'f>, Place), Unread> {
    let (tokens, at) = match &entry.value {
        Value::Group(place, tokens) => (tokens.clone(), *place),
        Value::Bare => (TokenStream::new(), entry.name.span().into()),
        _ => return Err(Unread::Expected("a group")),
    };
    Ok((Keys::read_group(tokens, known, findings), at))
}

/// The elements of `name(a, b)`.
fn listed<T: Parse>(entry: &Entry, expected: &'static str) -> Result<(Place, Vec<T>), Unread> {
    match &entry.value {
        Value::Group(place, tokens) => meta::list(tokens.clone())
            .map(|list| (*place, list))
            .map_err(|_| Unread::Expected(expected)),
        _ => Err(Unread::Expected(expected)),
    }
}

fn value<T>(field: Field<T, Place>) -> Option<T> {
    value_located(field).map(|located| located.value)
}

fn value_located<T>(field: Field<T, Place>) -> Option<Located<T, Place>> {
    match field {
        Field::Given { value, .. } => Some(value),
        Field::Absent | Field::Refused => None,
    }
}
