use std::time::Duration;

use tool_contract::spec::policy::{
    Argument, ArgumentRole, Backoff, Breaker, Confirm, Contract, DedupedBy, Idempotency, InFlight, Jitter,
    Limit, Period, Policy, Quota, Reconcile, Remint, Retry, RetryOn, Rollback, Scope, SideEffect,
    Text, Ttl,
};
use tool_contract::{Asked, Cause, Cx, Done, Tool, tool};
use tool_contract_tests::ui::{Receipt, ShopError, receipt};

/// Charge the card on file for an order.
///
/// Once.
#[tool(
    side_effect = "destructive",
    idempotent(key = "shop/{order_id}", by = "downstream"),
    retry(
        max = 3,
        max_total = 7,
        on = ["network", "side_effect_unknown"],
        backoff = "constant",
        base = "300ms",
        cap = "5s",
        jitter = "none",
        budget = "2m"
    ),
    timeout = "20s",
    ttl(window = "30d", sliding),
    rollback = "undo",
    reconcile(with = "find", settle = "4s"),
    confirm(by = "human", ttl = "1h", quorum = 2),
    rate_limit(per_user = "6/h", per_tool = "9/s", per_workflow = "50"),
    concurrency(per_tool = 4, per_user = "1"),
    breaker(failures = 3, cooldown = "1m"),
    in_flight = "reject",
    remint = "replay",
    allow(TC0106),
    name = "charge_card",
    version = 4
)]
async fn charge(
    cx: &Cx,
    order_id: String,
    #[arg(ignore)] memo: String,
    #[arg(secret)] card: String,
) -> Result<Receipt, ShopError> {
    receipt(&format!("{order_id}/{memo}/{card}/{}", cx.idempotency_key()))
}

async fn undo(_: Done<Charge>) -> Result<(), ShopError> {
    Ok(())
}

async fn find(_: Asked<Charge>) -> Result<Option<Receipt>, ShopError> {
    Ok(None)
}

fn main() {
    let argument = |name, role| Argument { name: Text::Borrowed(name), role };
    let arguments = [
        argument("order_id", ArgumentRole::Hashed),
        argument("memo", ArgumentRole::Ignored),
        argument("card", ArgumentRole::Secret),
    ];
    let limits = [
        Limit { scope: Scope::Tool, quota: Quota::Rate(9, Period::Second) },
        Limit { scope: Scope::Tool, quota: Quota::Concurrent(4) },
        Limit { scope: Scope::User, quota: Quota::Rate(6, Period::Hour) },
        Limit { scope: Scope::User, quota: Quota::Concurrent(1) },
        Limit { scope: Scope::Workflow, quota: Quota::Count(50) },
    ];
    let policy = Policy {
        side_effect: SideEffect::Destructive,
        idempotency: Idempotency::Keyed {
            by: DedupedBy::Downstream,
            template: Some("shop/{order_id}".into()),
        },
        retry: Retry {
            max: 3,
            max_total: 7,
            on: RetryOn::NOTHING.with(Cause::Network).with_unknown(),
            backoff: Backoff::Constant,
            base: Duration::from_millis(300),
            cap: Duration::from_secs(5),
            jitter: Jitter::None,
            budget: Some(Duration::from_secs(120)),
        },
        timeout: Duration::from_secs(20),
        ttl: Ttl { window: Duration::from_secs(30 * 86_400), sliding: true },
        rollback: Rollback::Compensate("undo".into()),
        reconcile: Some(Reconcile { with: "find".into(), settle: Duration::from_secs(4) }),
        confirm: Some(Confirm { ttl: Duration::from_secs(3_600), quorum: 2 }),
        limits: limits.to_vec().into(),
        breaker: Some(Breaker { failures: 3, cooldown: Duration::from_secs(60) }),
        in_flight: InFlight::Reject,
        remint: Remint::Replay,
    };
    let contract = Contract {
        name: "charge_card".into(),
        path: concat!(module_path!(), "::charge").into(),
        description: "Charge the card on file for an order.\n\nOnce.".into(),
        version: 4,
        policy,
        arguments: arguments.to_vec().into(),
        allow: vec![Text::Borrowed("TC0106")].into(),
    };
    assert_eq!(*Charge::contract(), contract);
    assert_eq!(Charge::ORDER, [2, 0]);
}
