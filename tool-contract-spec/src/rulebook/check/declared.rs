//! A draft whose words, numbers and time spans are understood.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::voice::Voice;
use super::words::{self, Human, Word};
use super::{allow, key, number, retry, time};
use crate::draft::{
    BreakerDraft, ConfirmDraft, Draft, Field, IdempotentDraft, LimitDraft, Located, ReconcileDraft,
    Refused, RetryDraft, TtlDraft,
};
use crate::policy::{
    Backoff, Breaker, DedupedBy, InFlight, Jitter, Limit, Remint, Retry, RetryOn, SideEffect,
};
use crate::rulebook::{Code, Finding};
use crate::saga::MOST_ATTEMPTS;
use crate::template::Template;

/// What a draft declares, value by value. A value that some rule refused is
/// [`Field::Refused`], and the rules after it pass it over.
#[derive(Debug)]
pub(super) struct Declared<'d, At> {
    pub(super) voice: Voice<'d>,
    pub(super) draft: &'d Draft<At>,
    pub(super) side_effect: Field<SideEffect, At>,
    pub(super) idempotent: Field<Claim<At>, At>,
    pub(super) retry: Field<Matrix<At>, At>,
    pub(super) timeout: Field<Duration, At>,
    pub(super) ttl: Field<Window<At>, At>,
    pub(super) reconcile: Field<Finder<At>, At>,
    pub(super) confirm: Field<Confirmation<At>, At>,
    pub(super) limits: Field<Vec<Limit>, At>,
    pub(super) concurrency: Field<Vec<Limit>, At>,
    pub(super) breaker: Field<Fuse<At>, At>,
    pub(super) in_flight: Field<InFlight, At>,
    pub(super) remint: Field<Remint, At>,
    pub(super) version: Field<u32, At>,
    pub(super) allow: Vec<Code>,
}

/// What `idempotent` claims.
#[derive(Debug)]
pub(super) struct Claim<At> {
    pub(super) claimed: bool,
    pub(super) by: Field<DedupedBy, At>,
    pub(super) template: Field<Template, At>,
}

/// What `retry` holds.
#[derive(Debug)]
pub(super) struct Matrix<At> {
    pub(super) max: Field<u32, At>,
    pub(super) max_total: Field<u32, At>,
    /// The words that passed; see the draft for all that were written.
    pub(super) on: Field<Vec<Located<RetryOn, At>>, At>,
    pub(super) backoff: Field<Backoff, At>,
    pub(super) base: Field<Duration, At>,
    pub(super) cap: Field<Duration, At>,
    pub(super) jitter: Field<Jitter, At>,
    pub(super) budget: Field<Duration, At>,
}

/// What `ttl` holds.
#[derive(Debug)]
pub(super) struct Window<At> {
    pub(super) window: Field<Duration, At>,
    pub(super) sliding: Field<bool, At>,
}

/// What `reconcile` holds.
#[derive(Debug)]
pub(super) struct Finder<At> {
    pub(super) with: Field<String, At>,
    pub(super) settle: Field<Duration, At>,
}

/// What `confirm` holds.
#[derive(Debug)]
pub(super) struct Confirmation<At> {
    pub(super) by: Field<Human, At>,
    pub(super) ttl: Field<Duration, At>,
    pub(super) quorum: Field<u32, At>,
}

/// What `breaker` holds.
#[derive(Debug)]
pub(super) struct Fuse<At> {
    pub(super) failures: Field<u32, At>,
    pub(super) cooldown: Field<Duration, At>,
}

impl<'d, At: Clone> Declared<'d, At> {
    /// Understands a draft, value by value; the rest is said in `findings`.
    pub(super) fn read(draft: &'d Draft<At>, findings: &mut Vec<Finding<At>>) -> Self {
        let voice = Voice::of(draft);
        let mut reader = Reader { voice, findings };
        Self {
            voice,
            draft,
            side_effect: reader.value(&draft.side_effect, words::side_effect),
            idempotent: reader.group(&draft.idempotent, Reader::claim),
            retry: reader.group(&draft.retry, Reader::matrix),
            timeout: reader.span("timeout", "30s", &draft.timeout),
            ttl: reader.group(&draft.ttl, Reader::window),
            reconcile: reader.group(&draft.reconcile, Reader::finder),
            confirm: reader.group(&draft.confirm, Reader::confirmation),
            limits: reader.limits(&draft.rate_limit, time::limit),
            concurrency: reader.limits(&draft.concurrency, number::concurrency),
            breaker: reader.group(&draft.breaker, Reader::fuse),
            in_flight: reader.word("in_flight", &draft.in_flight),
            remint: reader.word("remint", &draft.remint),
            version: reader.number("version", 0..=u32::MAX, &draft.version),
            allow: allow::codes(voice, &draft.allow, reader.findings),
        }
    }

    /// The side effect of a tool that changes something.
    pub(super) fn change(&self) -> Option<SideEffect> {
        self.side_effect
            .given()
            .map(|written| written.value)
            .filter(|class| *class != SideEffect::Read)
    }

    /// What a tool that changes something claims of its repetition.
    pub(super) fn claim(&self) -> Option<&Claim<At>> {
        self.change()?;
        self.idempotent.given().map(|written| &written.value)
    }

    /// The claim of a tool that has keys.
    pub(super) fn keyed(&self) -> Option<&Claim<At>> {
        self.claim().filter(|claim| claim.claimed)
    }

    /// Whether the attempts of one call would repeat what must not be repeated.
    pub(super) fn repeats_blindly(&self) -> bool {
        let max = self.retry.given().and_then(|retry| retry.value.max.given());
        self.claim().is_some_and(|claim| !claim.claimed) && max.is_some_and(|max| max.value > 1)
    }

    /// Whether it is a saga, whose attempts nobody declares.
    pub(super) fn is_saga(&self) -> bool {
        let max_total = self.retry.given().and_then(|retry| retry.value.max_total.given());
        let has_most = max_total.is_some_and(|most| most.value == MOST_ATTEMPTS);
        has_most && self.keyed().is_some_and(|claim| claim.by() == Ok(DedupedBy::Nature))
    }

    /// Where to speak of something that is not written.
    pub(super) fn absence(&self) -> At {
        let class = self.voice.say(self.side_effect.given(), None);
        class.map_or(&self.draft.at, |class| &class.at).clone()
    }
}

impl<At> Claim<At> {
    /// Who makes a repetition harmless.
    pub(super) fn by(&self) -> Result<DedupedBy, Refused> {
        self.by.value_or(DedupedBy::Ledger)
    }
}

/// Reads values and keeps what there is to say of them.
struct Reader<'d, 'f, At> {
    voice: Voice<'d>,
    findings: &'f mut Vec<Finding<At>>,
}

impl<'d, At: Clone> Reader<'d, '_, At> {
    /// A value that is understood, or has a finding.
    fn value<T, U>(
        &mut self,
        field: &Field<T, At>,
        understand: impl FnOnce(Voice<'d>, &Located<T, At>) -> Result<U, Finding<At>>,
    ) -> Field<U, At> {
        convert(field, |written| {
            understand(self.voice, written).map_err(|finding| self.findings.push(finding)).ok()
        })
    }

    /// Values that stand together; each is understood, or has a finding.
    fn group<T, U>(
        &mut self,
        field: &Field<T, At>,
        read: impl FnOnce(&mut Self, &T) -> U,
    ) -> Field<U, At> {
        convert(field, |written| Some(read(self, &written.value)))
    }

    fn span(
        &mut self,
        name: &str,
        example: &str,
        field: &Field<String, At>,
    ) -> Field<Duration, At> {
        self.value(field, |voice, written| time::span((name, example), voice, written))
    }

    fn word<W: Word>(&mut self, name: &str, field: &Field<String, At>) -> Field<W, At> {
        self.value(field, |voice, written| words::word(name, voice, written))
    }

    fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
        field: &Field<u64, At>,
    ) -> Field<u32, At> {
        self.value(field, |voice, written| number::within(range, name, voice, written))
    }

    fn claim(&mut self, draft: &IdempotentDraft<At>) -> Claim<At> {
        Claim {
            claimed: draft.claimed,
            by: self.word("by", &draft.by),
            template: self.value(&draft.key, key::template),
        }
    }

    fn matrix(&mut self, draft: &RetryDraft<At>) -> Matrix<At> {
        let max = self.voice.say("max", "max_attempts");
        Matrix {
            max: self.number(max, 1..=Retry::MOST, &draft.max),
            max_total: self.number("max_total", 1..=u32::MAX, &draft.max_total),
            on: self.group(&draft.on, |reader, words| {
                retry::classes(reader.voice, words, reader.findings)
            }),
            backoff: self.word("backoff", &draft.backoff),
            base: self.span("base", "200ms", &draft.base),
            cap: self.span("cap", "10s", &draft.cap),
            jitter: self.word("jitter", &draft.jitter),
            budget: self.span("budget", "60s", &draft.budget),
        }
    }

    fn window(&mut self, draft: &TtlDraft<At>) -> Window<At> {
        Window { window: self.span("ttl", "24h", &draft.window), sliding: draft.sliding.clone() }
    }

    fn finder(&mut self, draft: &ReconcileDraft<At>) -> Finder<At> {
        Finder { with: draft.with.clone(), settle: self.span("settle", "10s", &draft.settle) }
    }

    fn confirmation(&mut self, draft: &ConfirmDraft<At>) -> Confirmation<At> {
        Confirmation {
            by: self.word("by", &draft.by),
            ttl: self.span("ttl", "15m", &draft.ttl),
            quorum: self.number("quorum", 1..=u32::MAX, &draft.quorum),
        }
    }

    fn fuse(&mut self, draft: &BreakerDraft<At>) -> Fuse<At> {
        Fuse {
            failures: self.number("failures", 1..=Breaker::MOST, &draft.failures),
            cooldown: self.span("cooldown", "30s", &draft.cooldown),
        }
    }

    /// All limits, or none: a tool has those that it lists.
    fn limits(
        &mut self,
        field: &Field<Vec<LimitDraft<At>>, At>,
        one: impl Fn(Voice<'d>, &LimitDraft<At>) -> Result<Limit, Finding<At>>,
    ) -> Field<Vec<Limit>, At> {
        convert(field, |written| {
            let understand =
                |draft| one(self.voice, draft).map_err(|finding| self.findings.push(finding)).ok();
            // Every limit is looked at before the first refused one counts.
            let limits: Vec<Option<Limit>> = written.value.iter().map(understand).collect();
            limits.into_iter().collect()
        })
    }
}

/// The field with its value converted; refused where that fails.
fn convert<T, U, At: Clone>(
    field: &Field<T, At>,
    read: impl FnOnce(&Located<T, At>) -> Option<U>,
) -> Field<U, At> {
    match field {
        Field::Absent => Field::Absent,
        Field::Refused => Field::Refused,
        Field::Given { key, value } => match read(value) {
            Some(read) => {
                Field::Given { key: key.clone(), value: Located::new(read, value.at.clone()) }
            }
            None => Field::Refused,
        },
    }
}
