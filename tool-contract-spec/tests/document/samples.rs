//! Contracts that the tests share: some written out, some made up.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use tool_contract_spec::document::{Emitted, Entry};
use tool_contract_spec::outcome::Cause;
use tool_contract_spec::policy::{
    Argument, ArgumentRole, Backoff, Breaker, Confirm, Contract, DedupedBy, Idempotency, InFlight,
    Jitter, Limit, Period, Policy, Quota, Reconcile, Remint, Retry, RetryOn, Rollback, Scope,
    SideEffect, Text, Ttl,
};
use tool_contract_spec::rulebook::{Finding, Level};

/// The two entries that handbooks on agent tools show.
pub(crate) const HANDBOOK: &str = r#"version: 1
tools:
  open_incident:
    mode: write
    idempotent: true
    idempotency_key_required: true
    retry: { max_attempts: 4, backoff: exponential, retry_on: ["retryable_failure"] }
    rate_limit: { per_tenant_per_minute: 30 }
    rollback: { strategy: "none" }
    reconcile_on_unknown: true
  page_on_call:
    mode: write
    idempotent: false
    idempotency_key_required: false
    retry: { max_attempts: 1, retry_on: [] }
    rate_limit: { per_user_per_hour: 6 }
    rollback: { strategy: "manual_only" }
    reconcile_on_unknown: true
"#;

/// An entry that states every field.
pub(crate) const FULL: &str = r#"version: 1
tools:
  charge_card:
    path: shop::payments::charge_card
    description: Charge the card on file for an order.
    version: 2
    mode: destructive
    idempotent: true
    idempotency_key_required: false        # derived
    idempotency: { by: downstream, key: "{order_id}", ttl: 30d, sliding: true, remint: reject, in_flight: reject }
    retry: { max_attempts: 3, max_total: 12, backoff: constant, base: 100ms, cap: 5s, jitter: none, budget: 60s, retry_on: [rate_limited, side_effect_unknown] }
    timeout: 20s
    rate_limit: { per_tenant_per_minute: 20, per_workflow: 50 }
    concurrency: { per_user: 1 }
    breaker: { failures: 3, cooldown: 60s }
    confirmation: { by: human, ttl: 10m, quorum: 2 }
    rollback: { strategy: compensate, with: refund_card }
    reconcile_on_unknown: true
    reconcile: { with: find_charge, settle: 5s }
    allow: [TC0105]
    arguments:
      ignored: [memo]
      secret: [card]
      schema:
        type: object
        properties:
          card: { type: string }
          memo: { type: string }
          order_id: { type: string }
    output: { schema: { type: string } }
"#;

/// What [`FULL`] means.
pub(crate) fn full() -> Contract {
    Contract {
        name: "charge_card".into(),
        path: "shop::payments::charge_card".into(),
        description: "Charge the card on file for an order.".into(),
        version: 2,
        policy: Policy {
            side_effect: SideEffect::Destructive,
            idempotency: Idempotency::Keyed {
                by: DedupedBy::Downstream,
                template: Some("{order_id}".into()),
            },
            retry: Retry {
                max: 3,
                max_total: 12,
                on: RetryOn::NOTHING.with(Cause::RateLimited).with_unknown(),
                backoff: Backoff::Constant,
                base: Duration::from_millis(100),
                cap: Duration::from_secs(5),
                jitter: Jitter::None,
                budget: Some(Duration::from_mins(1)),
            },
            timeout: Duration::from_secs(20),
            ttl: Ttl { window: Duration::from_hours(30 * 24), sliding: true },
            rollback: Rollback::Compensate("refund_card".into()),
            reconcile: Some(Reconcile {
                with: "find_charge".into(),
                settle: Duration::from_secs(5),
            }),
            confirm: Some(Confirm { ttl: Duration::from_mins(10), quorum: 2 }),
            limits: Cow::Owned(vec![
                Limit { scope: Scope::Tenant, quota: Quota::Rate(20, Period::Minute) },
                Limit { scope: Scope::User, quota: Quota::Concurrent(1) },
                Limit { scope: Scope::Workflow, quota: Quota::Count(50) },
            ]),
            breaker: Some(Breaker { failures: 3, cooldown: Duration::from_mins(1) }),
            in_flight: InFlight::Reject,
            remint: Remint::Reject,
        },
        arguments: Cow::Owned(vec![
            Argument { name: "card".into(), role: ArgumentRole::Secret },
            Argument { name: "memo".into(), role: ArgumentRole::Ignored },
            Argument { name: "order_id".into(), role: ArgumentRole::Hashed },
        ]),
        allow: Cow::Owned(vec!["TC0105".into()]),
    }
}

/// The only entry of a file that breaks no rule.
pub(crate) fn only(text: &str) -> Entry {
    let document = tool_contract_spec::document::read(text).expect("readable");
    assert_eq!(denied(&document.findings), Vec::<String>::new());
    assert_eq!(document.entries.len(), 1);
    document.entries.into_iter().next().expect("one entry")
}

/// The findings that deny, as `line:column code`.
pub(crate) fn denied<At: std::fmt::Display>(findings: &[Finding<At>]) -> Vec<String> {
    let denied = findings.iter().filter(|finding| finding.level == Level::Deny);
    denied.map(|finding| format!("{} {}", finding.at, finding.code)).collect()
}

/// Tools with different names, each of which keeps every rule.
pub(crate) fn tools() -> impl Strategy<Value = Vec<Emitted>> {
    let distinct = |mut tools: Vec<Emitted>| {
        tools.sort_by(|a, b| a.contract.name.cmp(&b.contract.name));
        tools.dedup_by(|a, b| a.contract.name == b.contract.name);
        tools
    };
    prop::collection::vec(emitted(), 0..4).prop_map(distinct)
}

/// A tool that keeps every rule.
pub(crate) fn emitted() -> impl Strategy<Value = Emitted> {
    let texts = (name(), text(), text());
    (texts, 1..u32::MAX, policy(), arguments(), schema()).prop_map(
        |(
            (name, path, description),
            version,
            policy,
            (arguments, arguments_schema),
            output_schema,
        )| Emitted {
            contract: Contract {
                name: name.into(),
                path: path.into(),
                description: description.into(),
                version,
                policy: fitting(policy, &arguments),
                arguments: arguments.into(),
                allow: Cow::Borrowed(&[]),
            },
            arguments_schema,
            output_schema,
        },
    )
}

/// A key may only be derived from an argument that is hashed in clear.
fn fitting(mut policy: Policy, arguments: &[Argument]) -> Policy {
    if let Idempotency::Keyed { template, .. } = &mut policy.idempotency {
        let hashed = arguments.iter().find(|argument| argument.role == ArgumentRole::Hashed);
        *template = template
            .take()
            .and(hashed)
            .map(|argument| Text::from(format!("{{{}}}", argument.name)));
    }
    policy
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_]{0,20}",
        select(vec!["no", "on", "yes", "null", "y", "true"]).prop_map(str::to_owned)
    ]
}

/// Text with all that YAML has a meaning for.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z: #,\\[\\]{}'\"|>&*!%@`=~?\\-\n ]{0,40}",
        any::<String>(),
        "([a-z]{0,5} ?){0,4}(\n[a-z ]{0,6}){0,3}",
        select(vec![
            "",
            "no",
            "1.5",
            "0x1F",
            "1:30",
            "2024-01-01",
            "<<",
            "---",
            "...",
            "\u{feff}x",
            "\u{85}",
            "\u{2028}"
        ])
        .prop_map(str::to_owned),
    ]
}

fn arguments() -> impl Strategy<Value = (Vec<Argument>, Value)> {
    let role = select(vec![ArgumentRole::Hashed, ArgumentRole::Ignored, ArgumentRole::Secret]);
    prop::collection::btree_map("[a-z][a-z0-9_]{0,8}", (role, schema()), 0..4).prop_map(
        |arguments| {
            let properties: serde_json::Map<_, _> = arguments
                .iter()
                .map(|(name, (_, schema))| (name.clone(), schema.clone()))
                .collect();
            let required: Vec<&String> = arguments.keys().collect();
            let schema =
                json!({ "type": "object", "properties": properties, "required": required });
            let arguments = arguments
                .into_iter()
                .map(|(name, (role, _))| Argument { name: name.into(), role })
                .collect();
            (arguments, schema)
        },
    )
}

/// Something in the place of a JSON Schema: what matters is that it survives.
pub(crate) fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(text(), value, 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// A span of milliseconds, often a round one.
fn span(millis: Range<u64>) -> impl Strategy<Value = Duration> {
    let least = millis.start;
    (select(vec![1, 1_000, 60_000]), millis).prop_map(move |(unit, millis)| {
        let round = millis / unit * unit;
        Duration::from_millis(if round < least { millis } else { round })
    })
}

/// The times of a policy, so that no rule about one and another is broken.
fn retry() -> impl Strategy<Value = (Retry, Duration)> {
    let causes = subsequence(Cause::ALL.to_vec(), 1..=Cause::ALL.len());
    let shape = (
        1..=20_u32,
        0..=5_u32,
        causes,
        select(Backoff::ALL.to_vec()),
        select(Jitter::ALL.to_vec()),
    );
    let times = (
        span(1..5_000),
        span(5_000..600_000),
        span(1..600_000),
        proptest::option::of(span(600_000..900_000)),
    );
    (shape, times).prop_map(
        |((max, more, causes, backoff, jitter), (base, cap, timeout, budget))| {
            let on = causes.into_iter().fold(RetryOn::NOTHING, RetryOn::with);
            let (on, budget) = if max == 1 { (RetryOn::NOTHING, None) } else { (on, budget) };
            (Retry { max, max_total: max + more, on, backoff, base, cap, jitter, budget }, timeout)
        },
    )
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let quota = |scope| {
        (1..u32::MAX, select(Period::ALL.to_vec())).prop_map(move |(many, period)| {
            let quota = if scope == Scope::Workflow {
                Quota::Count(many)
            } else {
                Quota::Rate(many, period)
            };
            Limit { scope, quota }
        })
    };
    let at_a_time = |scope| {
        (1..=Quota::MOST_CONCURRENT)
            .prop_map(move |many| Limit { scope, quota: Quota::Concurrent(many) })
    };
    let some = |limit: BoxedStrategy<Limit>| proptest::option::of(limit);
    let all = Scope::ALL.map(|scope| (some(quota(scope).boxed()), some(at_a_time(scope).boxed())));
    all.to_vec().prop_map(|limits| {
        limits
            .into_iter()
            .flat_map(|(rate, concurrency)| rate.into_iter().chain(concurrency))
            .collect()
    })
}

fn rollback() -> impl Strategy<Value = Rollback> {
    prop_oneof![
        Just(Rollback::None),
        Just(Rollback::ManualOnly),
        "[a-z]{1,8}(::[a-z]{1,8}){0,2}".prop_map(|path| Rollback::Compensate(path.into())),
    ]
}

fn reconcile() -> impl Strategy<Value = Option<Reconcile>> {
    let reconcile = ("[a-z]{1,8}(::[a-z]{1,8}){0,2}", span(1..600_000));
    proptest::option::of(
        reconcile.prop_map(|(with, settle)| Reconcile { with: with.into(), settle }),
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![read_policy(), write_policy()]
}

fn read_policy() -> impl Strategy<Value = Policy> {
    let limits = limits().prop_map(|mut limits| {
        limits.retain(|limit| limit.can_be_kept(SideEffect::Read));
        limits
    });
    (retry(), limits).prop_map(|((retry, timeout), limits)| Policy {
        side_effect: SideEffect::Read,
        idempotency: Idempotency::Read,
        retry,
        timeout,
        ttl: Ttl::DEFAULT,
        rollback: Rollback::Read,
        reconcile: None,
        confirm: None,
        limits: limits.into(),
        breaker: None,
        in_flight: InFlight::Wait,
        remint: Remint::Warn,
    })
}

fn idempotency() -> impl Strategy<Value = Idempotency> {
    let keyed = (select(DedupedBy::ALL.to_vec()), any::<bool>()).prop_map(|(by, derived)| {
        Idempotency::Keyed { by, template: derived.then(|| Text::from("{any}")) }
    });
    prop_oneof![1 => Just(Idempotency::Never), 3 => keyed]
}

fn write_policy() -> impl Strategy<Value = Policy> {
    let breaker = (1..=Breaker::MOST, span(1..600_000))
        .prop_map(|(failures, cooldown)| Breaker { failures, cooldown });
    let answers = (
        select(InFlight::ALL.to_vec()),
        select(Remint::ALL.to_vec()),
        any::<bool>(),
        proptest::option::of(breaker),
    );
    let confirm = proptest::option::of((span(1..3_600_000), 1..5_u32));
    (retry(), limits(), idempotency(), rollback(), reconcile(), confirm, answers).prop_map(
        |(
            (retry, timeout),
            limits,
            idempotency,
            rollback,
            reconcile,
            confirm,
            (in_flight, remint, sliding, breaker),
        )| {
            let confirm = confirm.map(|(ttl, quorum)| Confirm { ttl, quorum });
            let never = idempotency == Idempotency::Never;
            let mut policy = Policy {
                side_effect: if confirm.is_some() {
                    SideEffect::Destructive
                } else {
                    SideEffect::Write
                },
                idempotency,
                retry: if never {
                    Retry { max: 1, on: RetryOn::NOTHING, budget: None, ..retry }
                } else {
                    retry
                },
                timeout,
                ttl: Ttl::DEFAULT,
                rollback,
                reconcile,
                confirm,
                limits: limits.into(),
                breaker,
                in_flight,
                remint,
            };
            // A key lives at least as long as its last retry.
            policy.ttl = Ttl { window: policy.span().max(Duration::from_secs(1)), sliding };
            policy
        },
    )
}
