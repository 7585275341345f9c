//! The contract of a draft of which nothing was refused.

use std::borrow::Cow;

use super::declared::Declared;
use crate::draft::{Refused, RollbackDraft};
use crate::policy::{
    Argument, Backoff, Breaker, Confirm, Contract, Idempotency, InFlight, Jitter, Limit, Period,
    Policy, Quota, Reconcile, Remint, Retry, RetryOn, Rollback, Text, Ttl,
};

impl<At: Clone> Declared<'_, At> {
    /// The contract with every default filled in, unless anything that is
    /// written was refused, or anything that must be written is not.
    pub(super) fn contract(&self) -> Result<Contract, Refused> {
        // These two say nothing that is not said elsewhere, but what they say
        // has to be readable.
        self.draft.key_required.accepted()?;
        self.draft.reconcile_on_unknown.accepted()?;
        Ok(Contract {
            name: text(&self.draft.name.value),
            path: text(&self.draft.path),
            description: text(&self.draft.description),
            version: self.version.value_or(1)?,
            policy: self.policy()?,
            arguments: self.arguments(),
            allow: self.allow.iter().map(|code| Cow::Owned(code.to_string())).collect(),
        })
    }

    fn policy(&self) -> Result<Policy, Refused> {
        Ok(Policy {
            side_effect: *self.side_effect.required()?,
            idempotency: self.idempotency()?,
            retry: self.retry_policy()?,
            timeout: self.timeout.value_or(Policy::DEFAULT_TIMEOUT)?,
            ttl: self.ttl_policy()?,
            rollback: self.rollback()?,
            reconcile: self.reconcile_policy()?,
            confirm: self.confirm_policy()?,
            limits: self.limits_by_scope()?,
            breaker: self.breaker_policy()?,
            in_flight: self.in_flight.value_or(InFlight::Wait)?,
            remint: self.remint.value_or(Remint::Warn)?,
        })
    }

    fn idempotency(&self) -> Result<Idempotency, Refused> {
        match (self.change(), self.idempotent.accepted()?) {
            (None, None) => Ok(Idempotency::Read),
            (Some(_), Some(claim)) => {
                let (by, template) = (claim.by()?, claim.template.accepted()?);
                let template = template.map(|template| text(template.as_str()));
                Ok(if claim.claimed {
                    Idempotency::Keyed { by, template }
                } else {
                    Idempotency::Never
                })
            }
            // Said of a read, or not said of what changes something.
            (None, Some(_)) | (Some(_), None) => Err(Refused),
        }
    }

    /// The retry matrix; one attempt where none is written.
    pub(super) fn retry_policy(&self) -> Result<Retry, Refused> {
        let Some(retry) = self.retry.accepted()? else { return Ok(Retry::ONCE) };
        let max = *retry.max.required()?;
        let on = retry.on.required()?;
        Ok(Retry {
            max,
            max_total: retry.max_total.value_or(Retry::DEFAULT_TOTAL.max(max))?,
            on: on.iter().fold(RetryOn::NOTHING, |all, class| all.union(class.value)),
            backoff: retry.backoff.value_or(Backoff::Exponential)?,
            base: retry.base.value_or(Retry::DEFAULT_BASE)?,
            cap: retry.cap.value_or(Retry::DEFAULT_CAP)?,
            jitter: retry.jitter.value_or(Jitter::Full)?,
            budget: retry.budget.accepted()?.copied(),
        })
    }

    /// The ttl; the default where none is written.
    pub(super) fn ttl_policy(&self) -> Result<Ttl, Refused> {
        let Some(ttl) = self.ttl.accepted()? else { return Ok(Ttl::DEFAULT) };
        Ok(Ttl {
            window: ttl.window.value_or(Ttl::DEFAULT.window)?,
            sliding: ttl.sliding.value_or(Ttl::DEFAULT.sliding)?,
        })
    }

    fn rollback(&self) -> Result<Rollback, Refused> {
        match (self.change(), self.draft.rollback.accepted()?) {
            (None, None) => Ok(Rollback::Read),
            (Some(_), Some(RollbackDraft::None)) => Ok(Rollback::None),
            (Some(_), Some(RollbackDraft::ManualOnly)) => Ok(Rollback::ManualOnly),
            (Some(_), Some(RollbackDraft::Compensate(path))) => {
                Ok(Rollback::Compensate(text(path)))
            }
            (None, Some(_)) | (Some(_), None) => Err(Refused),
        }
    }

    fn reconcile_policy(&self) -> Result<Option<Reconcile>, Refused> {
        let Some(reconcile) = self.reconcile.accepted()? else { return Ok(None) };
        let with = text(reconcile.with.required()?);
        let settle = reconcile.settle.value_or(Reconcile::DEFAULT_SETTLE)?;
        Ok(Some(Reconcile { with, settle }))
    }

    /// Who confirms, if somebody must.
    pub(super) fn confirm_policy(&self) -> Result<Option<Confirm>, Refused> {
        let Some(confirm) = self.confirm.accepted()? else { return Ok(None) };
        confirm.by.accepted()?;
        let ttl = confirm.ttl.value_or(Confirm::DEFAULT_TTL)?;
        Ok(Some(Confirm { ttl, quorum: confirm.quorum.value_or(1)? }))
    }

    fn breaker_policy(&self) -> Result<Option<Breaker>, Refused> {
        let Some(breaker) = self.breaker.accepted()? else { return Ok(None) };
        let failures = breaker.failures.value_or(Breaker::DEFAULT.failures)?;
        let cooldown = breaker.cooldown.value_or(Breaker::DEFAULT.cooldown)?;
        Ok(Some(Breaker { failures, cooldown }))
    }

    fn limits_by_scope(&self) -> Result<Cow<'static, [Limit]>, Refused> {
        let mut limits = self.limits.value_or(Vec::new())?;
        limits.extend(self.concurrency.value_or(Vec::new())?);
        limits.sort_by_key(|limit| {
            (limit.scope, matches!(limit.quota, Quota::Concurrent(_)), period(*limit))
        });
        Ok(limits.into())
    }

    fn arguments(&self) -> Cow<'static, [Argument]> {
        let drafts = self.draft.arguments.iter().flatten();
        drafts.map(|draft| Argument { name: text(&draft.name.value), role: draft.role }).collect()
    }
}

fn period(limit: Limit) -> Option<Period> {
    match limit.quota {
        Quota::Rate(_, period) => Some(period),
        Quota::Count(_) | Quota::Within(..) | Quota::Concurrent(_) => None,
    }
}

fn text(text: &str) -> Text {
    Cow::Owned(text.to_owned())
}
