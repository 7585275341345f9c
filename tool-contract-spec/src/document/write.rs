//! Byte-stable writing.
//!
//! A file that the code wrote is reviewed line by line and compared byte by
//! byte, so it has one form: tools by name, fields in one order, every default
//! written out, small groups on one line, schemas below one another.

use std::fmt::Display;

use serde_json::Value;

use super::{limit, scalar};
use crate::duration;
use crate::policy::{
    ArgumentRole, Contract, Idempotency, InFlight, KeySource, Policy, Quota, Remint, Retry,
    Rollback, Text, Ttl,
};

/// What the first lines of a written file say.
const HEADER: &str = "\
# The contract of this crate's tools, written from its code.
# To write it again: `cargo tool-contract emit`, or `TOOL_CONTRACT=overwrite cargo test`.
";

/// A line of short lists is broken where it would be longer than this.
const LONGEST_LINE: usize = 100;

/// A tool as it goes into a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    /// Its contract.
    pub contract: Contract,
    /// The JSON Schema of its arguments, taken as an object.
    pub arguments_schema: Value,
    /// The JSON Schema of its output.
    pub output_schema: Value,
}

/// Writes a contract file: the same bytes for the same tools, in whatever
/// order they come.
#[must_use]
pub fn write(tools: &[Emitted]) -> String {
    let mut tools: Vec<&Emitted> = tools.iter().collect();
    tools.sort_by(|a, b| a.contract.name.cmp(&b.contract.name));
    let mut lines = Lines { out: format!("{HEADER}version: 1\n"), indent: 0 };
    if tools.is_empty() {
        lines.line("tools", "{}");
    } else {
        lines.nested("tools", |lines| {
            for tool in tools {
                lines.nested(&scalar::inline(&tool.contract.name), |lines| entry(lines, tool));
            }
        });
    }
    lines.out
}

/// The file as far as it is written.
struct Lines {
    out: String,
    indent: usize,
}

impl Lines {
    fn start(&mut self) {
        self.out.extend(std::iter::repeat_n(' ', self.indent));
    }

    /// `key: value`; the key is YAML already, and so is the value.
    fn line(&mut self, key: &str, value: &str) {
        self.start();
        self.out.push_str(key);
        self.out.push_str(": ");
        self.out.push_str(value);
        self.out.push('\n');
    }

    /// `key:` with `content` below it.
    fn nested(&mut self, key: &str, content: impl FnOnce(&mut Self)) {
        self.start();
        self.out.push_str(key);
        self.out.push_str(":\n");
        self.indent += 2;
        content(self);
        self.indent -= 2;
    }
}

/// `{ a: 1, b: 2 }`
#[derive(Default)]
struct Flow(Vec<String>);

impl Flow {
    fn with(mut self, key: &str, value: impl Display) -> Self {
        self.0.push(format!("{key}: {value}"));
        self
    }

    fn write(&self, lines: &mut Lines, key: &str) {
        let fields = self.0.join(", ");
        lines.line(
            key,
            &if fields.is_empty() { "{}".to_owned() } else { format!("{{ {fields} }}") },
        );
    }
}

fn entry(lines: &mut Lines, tool: &Emitted) {
    let Contract { path, description, version, policy, allow, .. } = &tool.contract;
    for (key, text) in [("path", path), ("description", description)] {
        if !text.is_empty() {
            lines.line(key, &scalar::block(text, lines.indent));
        }
    }
    lines.line("version", &version.to_string());
    lines.line("mode", policy.side_effect.as_str());
    idempotency(lines, policy);
    retry(&policy.retry).write(lines, "retry");
    lines.line("timeout", &duration::format(policy.timeout));
    limits(policy).write(lines, "rate_limit");
    // Where there is none nothing is said of it: a read could not have one.
    let concurrency = concurrency(policy);
    if !concurrency.0.is_empty() {
        concurrency.write(lines, "concurrency");
    }
    if let Some(breaker) = policy.breaker {
        Flow::default()
            .with("failures", breaker.failures)
            .with("cooldown", duration::format(breaker.cooldown))
            .write(lines, "breaker");
    }
    safeguards(lines, policy);
    if !allow.is_empty() {
        lines.line("allow", &list(sorted(allow.iter())));
    }
    arguments(lines, tool);
    lines.nested("output", |lines| schema(lines, &tool.output_schema));
}

fn idempotency(lines: &mut Lines, policy: &Policy) {
    if !policy.is_read() {
        lines.line("idempotent", &policy.is_idempotent().to_string());
        let required = policy.key_source() == KeySource::Caller;
        lines.line("idempotency_key_required", &required.to_string());
    }
    let mut flow = Flow::default();
    if let Idempotency::Keyed { by, template } = &policy.idempotency {
        flow = flow.with("by", by.as_str());
        if let Some(template) = template {
            flow = flow.with("key", scalar::inline(template));
        }
    }
    if policy.is_read() && keeps_defaults(policy) {
        return; // a read has no key for these to speak of
    }
    flow.with("ttl", duration::format(policy.ttl.window))
        .with("sliding", policy.ttl.sliding)
        .with("remint", policy.remint.as_str())
        .with("in_flight", policy.in_flight.as_str())
        .write(lines, "idempotency");
}

fn keeps_defaults(policy: &Policy) -> bool {
    policy.ttl == Ttl::DEFAULT
        && policy.remint == Remint::Warn
        && policy.in_flight == InFlight::Wait
}

fn retry(retry: &Retry) -> Flow {
    let mut flow = Flow::default()
        .with("max_attempts", retry.max)
        .with("max_total", retry.max_total)
        .with("backoff", retry.backoff.as_str())
        .with("base", duration::format(retry.base))
        .with("cap", duration::format(retry.cap))
        .with("jitter", retry.jitter.as_str());
    if let Some(budget) = retry.budget {
        flow = flow.with("budget", duration::format(budget));
    }
    flow.with("retry_on", list(retry.on.words()))
}

fn limits(policy: &Policy) -> Flow {
    policy.limits.iter().fold(Flow::default(), |flow, limit| match limit.quota {
        Quota::Rate(many, period) => flow.with(&limit::field(limit.scope, Some(period)), many),
        Quota::Count(many) => flow.with(&limit::field(limit.scope, None), many),
        Quota::Concurrent(_) | Quota::Within(..) => flow,
    })
}

fn concurrency(policy: &Policy) -> Flow {
    policy.limits.iter().fold(Flow::default(), |flow, limit| match limit.quota {
        Quota::Concurrent(many) => flow.with(&limit::field(limit.scope, None), many),
        Quota::Rate(..) | Quota::Count(_) | Quota::Within(..) => flow,
    })
}

fn safeguards(lines: &mut Lines, policy: &Policy) {
    if let Some(confirm) = policy.confirm {
        Flow::default()
            .with("by", "human")
            .with("ttl", duration::format(confirm.ttl))
            .with("quorum", confirm.quorum)
            .write(lines, "confirmation");
    }
    if !policy.is_read() {
        rollback(&policy.rollback).write(lines, "rollback");
        lines.line("reconcile_on_unknown", "true");
    }
    if let Some(reconcile) = &policy.reconcile {
        Flow::default()
            .with("with", scalar::inline(&reconcile.with))
            .with("settle", duration::format(reconcile.settle))
            .write(lines, "reconcile");
    }
}

fn rollback(rollback: &Rollback) -> Flow {
    let flow = Flow::default();
    match rollback {
        Rollback::Read | Rollback::None => flow.with("strategy", "none"),
        Rollback::ManualOnly => flow.with("strategy", "manual_only"),
        Rollback::Compensate(with) => {
            flow.with("strategy", "compensate").with("with", scalar::inline(with))
        }
    }
}

fn arguments(lines: &mut Lines, tool: &Emitted) {
    let of_role = |role| {
        let named = tool.contract.arguments.iter().filter(move |argument| argument.role == role);
        list(sorted(named.map(|argument| &argument.name)))
    };
    lines.nested("arguments", |lines| {
        lines.line("ignored", &of_role(ArgumentRole::Ignored));
        lines.line("secret", &of_role(ArgumentRole::Secret));
        schema(lines, &tool.arguments_schema);
    });
}

fn sorted<'t>(texts: impl IntoIterator<Item = &'t Text>) -> Vec<&'t str> {
    let mut texts: Vec<&str> = texts.into_iter().map(AsRef::as_ref).collect();
    texts.sort_unstable();
    texts
}

/// `[a, b]`
fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(scalar::inline).collect();
    format!("[{}]", texts.join(", "))
}

fn schema(lines: &mut Lines, schema: &Value) {
    field(lines, "schema", schema);
}

/// A JSON value under a key.
fn field(lines: &mut Lines, key: &str, value: &Value) {
    if let Some(inline) = inline(value, lines.indent) {
        lines.line(&scalar::inline(key), &inline);
    } else {
        lines.nested(&scalar::inline(key), |lines| block(lines, value));
    }
}

/// A JSON value on the line of its key, if it fits there.
fn inline(value: &Value, indent: usize) -> Option<String> {
    match value {
        Value::Null => Some("null".to_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(scalar::number(number)),
        Value::String(text) => Some(scalar::block(text, indent)),
        Value::Object(fields) => fields.is_empty().then(|| "{}".to_owned()),
        Value::Array(items) => {
            inline_list(items).filter(|list| items.is_empty() || list.len() <= LONGEST_LINE)
        }
    }
}

fn inline_list(items: &[Value]) -> Option<String> {
    let item = |item: &Value| match item {
        Value::String(text) => Some(scalar::inline(text)),
        Value::Array(_) | Value::Object(_) => None,
        other => inline(other, 0),
    };
    let items: Option<Vec<String>> = items.iter().map(item).collect();
    items.map(|items| format!("[{}]", items.join(", ")))
}

/// A map or list below its key.
fn block(lines: &mut Lines, value: &Value) {
    match value {
        Value::Object(fields) => {
            // Sorted here: another crate may have told serde_json to keep order.
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in fields {
                field(lines, key, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                dash(lines, item);
            }
        }
        scalar => lines.out.extend(inline(scalar, 0)),
    }
}

/// `- item`, its further lines two to the right.
fn dash(lines: &mut Lines, item: &Value) {
    lines.start();
    lines.out.push_str("- ");
    if let Some(text) = inline(item, lines.indent) {
        lines.out.push_str(&text);
        lines.out.push('\n');
        return;
    }
    let mut inner = Lines { out: String::new(), indent: lines.indent + 2 };
    block(&mut inner, item);
    lines.out.push_str(inner.out.trim_start_matches(' '));
}
