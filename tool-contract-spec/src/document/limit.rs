//! `rate_limit`: `per_tenant_per_minute: 30` and its like; and `concurrency`:
//! `per_user: 1`.

use super::Position;
use super::group::{Group, Reader};
use crate::draft::{Field, LimitDraft, Located};
use crate::policy::{Period, Scope};

/// The scopes that have rates; a workflow has a plain count.
const RATED: [Scope; 3] = [Scope::Tool, Scope::Tenant, Scope::User];

/// The field for a limit.
pub(super) fn field(scope: Scope, period: Option<Period>) -> String {
    match period {
        Some(period) => format!("per_{}_per_{}", scope.as_str(), period.as_str()),
        None => format!("per_{}", scope.as_str()),
    }
}

/// Every field, by scope. A rate without its period is among them, for the
/// rule that says so.
fn names() -> Vec<(String, Scope, Option<Period>)> {
    let rates = |scope| Period::ALL.map(|period| (field(scope, Some(period)), scope, Some(period)));
    let mut names: Vec<_> = RATED.into_iter().flat_map(rates).collect();
    names.extend(Scope::ALL.map(|scope| (field(scope, None), scope, None)));
    names.sort_by_key(|(_, scope, _)| *scope);
    names
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &Group<'_>,
) -> Field<Vec<LimitDraft<Position>>, Position> {
    let names = names();
    let known: Vec<&str> = names.iter().map(|(name, ..)| name.as_str()).collect();
    let group = reader.group(fields, "rate_limit", &known);
    let mut limits: Vec<LimitDraft<Position>> = Vec::new();
    let mut refused = group.has_refused();
    for (name, scope, period) in &names {
        let Field::Given { key, value } = reader.count(&group, name) else { continue };
        if limits.iter().any(|limit| limit.scope == *scope) {
            let message = format!("`rate_limit` has two rates per {}", scope.as_str());
            reader.wrong(key, &message, "a scope has one rate: keep one");
            refused = true;
            continue;
        }
        let quota = period.map_or_else(
            || value.value.to_string(),
            |period| format!("{}/{}", value.value, period.unit()),
        );
        limits.push(LimitDraft { scope: *scope, quota: Located::new(quota, value.at) });
    }
    whole(&group, limits, refused)
}

pub(super) fn read_concurrency(
    reader: &mut Reader<'_>,
    fields: &Group<'_>,
) -> Field<Vec<LimitDraft<Position>>, Position> {
    let names = Scope::ALL.map(|scope| (field(scope, None), scope));
    let known = names.each_ref().map(|(name, _)| name.as_str());
    let group = reader.group(fields, "concurrency", &known);
    let limits = names.iter().filter_map(|(name, scope)| {
        let Field::Given { value, .. } = reader.count(&group, name) else { return None };
        let quota = Located::new(value.value.to_string(), value.at);
        Some(LimitDraft { scope: *scope, quota })
    });
    let limits = limits.collect();
    whole(&group, limits, group.has_refused())
}

/// All limits of a group, or none.
fn whole(
    group: &Group<'_>,
    limits: Vec<LimitDraft<Position>>,
    refused: bool,
) -> Field<Vec<LimitDraft<Position>>, Position> {
    match (limits.is_empty(), refused || group.names().next().is_some()) {
        (true, true) => Field::Refused,
        // An empty map says what an absent one says.
        (true, false) if !matches!(group.itself, Field::Refused) => Field::Absent,
        _ => group.wrap(limits),
    }
}
