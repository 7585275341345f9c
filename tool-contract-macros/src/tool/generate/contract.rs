//! The contract as a constant.
//!
//! What has its default is written as the default, which keeps the expansion
//! of most tools short.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use tool_contract_spec::policy::{
    Argument, Backoff, Breaker, Confirm, Contract, DedupedBy, Idempotency, InFlight, Jitter, Limit,
    Period, Policy, Quota, Reconcile, Remint, Retry, Rollback, Scope, SideEffect, Ttl,
};

use super::Tool;
use super::arguments::role_name;

impl Tool<'_> {
    /// `Tool::contract`.
    pub(super) fn contract(&self, contract: Option<&Contract>) -> TokenStream {
        let private = &self.private;
        let body = contract
            .map_or_else(|| quote!(::core::unreachable!()), |contract| self.constant(contract));
        quote! {
            fn contract() -> &'static #private::policy::Contract { #body }
        }
    }

    fn constant(&self, contract: &Contract) -> TokenStream {
        let private = &self.private;
        let Contract { name, description, version, policy, arguments, allow, path: _ } = contract;
        let path = format!("::{}", self.function.signature.ident);
        let policy = self::policy(policy);
        let arguments = arguments.iter().map(argument);
        let allow = allow.iter().map(|code| text(code));
        let (name, description) = (text(name), text(description));
        quote! {
            use #private::policy as p;
            static CONTRACT: p::Contract = p::Contract {
                name: #name,
                path: p::Text::Borrowed(::core::concat!(::core::module_path!(), #path)),
                description: #description,
                version: #version,
                policy: #policy,
                arguments: ::std::borrow::Cow::Borrowed(&[#(#arguments),*]),
                allow: ::std::borrow::Cow::Borrowed(&[#(#allow),*]),
            };
            &CONTRACT
        }
    }
}

fn text(text: &str) -> TokenStream {
    quote! { p::Text::Borrowed(#text) }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

fn duration(duration: Duration) -> TokenStream {
    // What a draft can say has whole milliseconds, and a hundred years of them.
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote! { ::core::time::Duration::from_millis(#millis) }
}

fn policy(policy: &Policy) -> TokenStream {
    let Policy {
        side_effect,
        idempotency,
        retry,
        timeout,
        ttl,
        rollback,
        reconcile,
        confirm,
        limits,
        breaker,
        in_flight,
        remint,
    } = policy;
    let side_effect = self::side_effect(*side_effect);
    let idempotency = self::idempotency(idempotency);
    let retry = if *retry == Retry::ONCE { quote!(p::Retry::ONCE) } else { self::retry(retry) };
    let timeout = if *timeout == Policy::DEFAULT_TIMEOUT {
        quote!(p::Policy::DEFAULT_TIMEOUT)
    } else {
        duration(*timeout)
    };
    let ttl = self::ttl(*ttl);
    let rollback = self::rollback(rollback);
    let reconcile = option(reconcile.as_ref().map(self::reconcile));
    let confirm = option(confirm.map(self::confirm));
    let limits = limits.iter().copied().map(limit);
    let breaker = option(breaker.map(self::breaker));
    let in_flight = self::in_flight(*in_flight);
    let remint = self::remint(*remint);
    quote! {
        p::Policy {
            side_effect: #side_effect,
            idempotency: #idempotency,
            retry: #retry,
            timeout: #timeout,
            ttl: #ttl,
            rollback: #rollback,
            reconcile: #reconcile,
            confirm: #confirm,
            limits: ::std::borrow::Cow::Borrowed(&[#(#limits),*]),
            breaker: #breaker,
            in_flight: #in_flight,
            remint: #remint,
        }
    }
}

fn side_effect(side_effect: SideEffect) -> TokenStream {
    match side_effect {
        SideEffect::Read => quote!(p::SideEffect::Read),
        SideEffect::Write => quote!(p::SideEffect::Write),
        SideEffect::Destructive => quote!(p::SideEffect::Destructive),
    }
}

fn idempotency(idempotency: &Idempotency) -> TokenStream {
    match idempotency {
        Idempotency::Read => quote!(p::Idempotency::Read),
        Idempotency::Never => quote!(p::Idempotency::Never),
        Idempotency::Keyed { by, template } => {
            let by = match by {
                DedupedBy::Ledger => quote!(Ledger),
                DedupedBy::Downstream => quote!(Downstream),
                DedupedBy::Nature => quote!(Nature),
            };
            let template = option(template.as_deref().map(text));
            quote! { p::Idempotency::Keyed { by: p::DedupedBy::#by, template: #template } }
        }
    }
}

fn retry(retry: &Retry) -> TokenStream {
    let Retry { max, max_total, on, backoff, base, cap, jitter, budget } = retry;
    let on = on.bits();
    let backoff = match backoff {
        Backoff::Exponential => quote!(Exponential),
        Backoff::Constant => quote!(Constant),
    };
    let jitter = match jitter {
        Jitter::Full => quote!(Full),
        Jitter::None => quote!(None),
    };
    let (base, cap, budget) = (duration(*base), duration(*cap), option(budget.map(duration)));
    quote! {
        p::Retry {
            max: #max,
            max_total: #max_total,
            on: p::RetryOn::from_bits(#on),
            backoff: p::Backoff::#backoff,
            base: #base,
            cap: #cap,
            jitter: p::Jitter::#jitter,
            budget: #budget,
        }
    }
}

fn ttl(ttl: Ttl) -> TokenStream {
    if ttl == Ttl::DEFAULT {
        return quote!(p::Ttl::DEFAULT);
    }
    let (window, sliding) = (duration(ttl.window), ttl.sliding);
    quote! { p::Ttl { window: #window, sliding: #sliding } }
}

fn rollback(rollback: &Rollback) -> TokenStream {
    match rollback {
        Rollback::Read => quote!(p::Rollback::Read),
        Rollback::None => quote!(p::Rollback::None),
        Rollback::ManualOnly => quote!(p::Rollback::ManualOnly),
        Rollback::Compensate(path) => {
            let path = text(path);
            quote! { p::Rollback::Compensate(#path) }
        }
    }
}

fn reconcile(reconcile: &Reconcile) -> TokenStream {
    let (with, settle) = (text(&reconcile.with), duration(reconcile.settle));
    quote! { p::Reconcile { with: #with, settle: #settle } }
}

fn confirm(confirm: Confirm) -> TokenStream {
    let (ttl, quorum) = (duration(confirm.ttl), confirm.quorum);
    quote! { p::Confirm { ttl: #ttl, quorum: #quorum } }
}

fn breaker(breaker: Breaker) -> TokenStream {
    let (failures, cooldown) = (breaker.failures, duration(breaker.cooldown));
    quote! { p::Breaker { failures: #failures, cooldown: #cooldown } }
}

fn limit(limit: Limit) -> TokenStream {
    let scope = match limit.scope {
        Scope::Tool => quote!(Tool),
        Scope::Tenant => quote!(Tenant),
        Scope::User => quote!(User),
        Scope::Workflow => quote!(Workflow),
    };
    let quota = match limit.quota {
        Quota::Count(count) => quote! { p::Quota::Count(#count) },
        Quota::Within(count, span) => {
            let span = duration(span);
            quote! { p::Quota::Within(#count, #span) }
        }
        Quota::Concurrent(count) => quote! { p::Quota::Concurrent(#count) },
        Quota::Rate(count, period) => {
            let period = match period {
                Period::Second => quote!(Second),
                Period::Minute => quote!(Minute),
                Period::Hour => quote!(Hour),
                Period::Day => quote!(Day),
            };
            quote! { p::Quota::Rate(#count, p::Period::#period) }
        }
    };
    quote! { p::Limit { scope: p::Scope::#scope, quota: #quota } }
}

fn in_flight(in_flight: InFlight) -> TokenStream {
    match in_flight {
        InFlight::Wait => quote!(p::InFlight::Wait),
        InFlight::Reject => quote!(p::InFlight::Reject),
    }
}

fn remint(remint: Remint) -> TokenStream {
    match remint {
        Remint::Warn => quote!(p::Remint::Warn),
        Remint::Reject => quote!(p::Remint::Reject),
        Remint::Replay => quote!(p::Remint::Replay),
    }
}

fn argument(argument: &Argument) -> TokenStream {
    let name = text(&argument.name);
    let role = format_ident!("{}", role_name(argument.role));
    quote! { p::Argument { name: #name, role: p::ArgumentRole::#role } }
}
