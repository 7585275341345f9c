//! A call: what it believes, and what it does in that belief.

use std::time::Duration;

use tool_contract_spec::ledger::{
    Admitted, Claim, Fence, Refusal, Renewed, Settled, Settlement, StateName, Timestamp, Verdict,
};

use crate::fault::Fault;
use crate::property::{Promise, Sight};
use crate::protocol::Protocol;
use crate::world::{Effect, World};

/// Whether an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It does.
    Arrives,
    /// It does not; what was asked has been done all the same.
    IsLost,
}

/// How a call ends an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// It knows what came of it, and settles that.
    Known,
    /// It does not know, and settles that.
    Unknown,
    /// It did not happen, and is tried again.
    RetryKnown,
    /// It may have happened, and is tried again.
    RetryUnknown,
}

/// What a call is at. Where it is not over, its request may still arrive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// Not made yet, or refused: it may ask, and ask again.
    Idle,
    /// It asked at this time, and knows no answer.
    Asked { at: u64 },
    /// It was let in.
    Holding(Hold),
    /// It sent its last word, and acts no more.
    Settling { fence: Fence, used: u32, said: Said },
    /// Its process died.
    Gone,
}

/// What a call says came of its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    Happened,
    Nothing,
    Unknown,
}

/// A claim, as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) fence: Fence,
    /// Until when it believes that it holds.
    pub(crate) until: u64,
    left: u32,
    used: u32,
    /// Whether an earlier attempt may have happened.
    in_doubt: bool,
    attempt: Option<Attempt>,
}

/// An attempt that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Attempt {
    /// When it is cut off; `None` if it cannot be stopped.
    until: Option<u64>,
    /// Whether it had its effect.
    acted: bool,
}

impl Attempt {
    fn may_act(self, now: u64) -> bool {
        self.until.is_none_or(|until| now <= until)
    }
}

impl Call {
    /// The claim of a call that believes at `now` that it holds.
    pub(crate) fn hold(&self, now: u64) -> Option<&Hold> {
        match self {
            Self::Holding(hold) if now < hold.until => Some(hold),
            _ => None,
        }
    }

    pub(crate) fn fence(&mut self) -> Option<&mut Fence> {
        match self {
            Self::Holding(Hold { fence, .. }) | Self::Settling { fence, .. } => Some(fence),
            Self::Idle | Self::Asked { .. } | Self::Gone => None,
        }
    }

    pub(crate) fn believes(&self, now: u64) -> bool {
        self.hold(now).is_some()
    }

    /// Whether it may still do what the tool does.
    pub(crate) fn may_act(&self, now: u64) -> bool {
        let Self::Holding(hold) = self else { return false };
        let may_begin = hold.left > 0 && now < hold.until;
        may_begin || hold.attempt.is_some_and(|attempt| attempt.may_act(now))
    }
}

/// The steps of call `who`; the model says when each is possible.
impl World {
    pub(crate) fn ask(&mut self, who: usize) {
        self.calls[who] = Call::Asked { at: self.now };
    }

    /// Its request arrives at the ledger, for the first time or again.
    pub(crate) fn admit(&mut self, model: &Protocol, who: usize, answer: Answer) {
        let before = self.ledger.lapsed(self.now);
        let held = before.state() == Some(StateName::Running);
        let admitted = self.ledger.admit(model.fault, self.now, &model.admission(who, self));
        match &admitted {
            Admitted::Claimed(_) if held => self.saw(Sight::FoundAgain),
            Admitted::Claimed(claim) => self.claimed(model, who, before.state(), claim),
            Admitted::Replay(_) => self.saw(Sight::Replay),
            Admitted::Refused(Refusal::Unknown { .. }) => self.saw(Sight::ToldUnknown),
            Admitted::Refused(Refusal::AttemptsExhausted { .. }) => self.saw(Sight::Exhausted),
            Admitted::Refused(Refusal::Expired) => self.saw(Sight::Expired),
            Admitted::Refused(_) => {}
        }
        if let (Call::Asked { at }, Answer::Arrives) = (&self.calls[who], answer) {
            self.calls[who] = match admitted {
                Admitted::Claimed(claim) => Call::Holding(Hold {
                    fence: claim.fence,
                    until: Timestamp(*at).after(model.terms[who].lease).0,
                    left: claim.attempts,
                    used: 0,
                    in_doubt: claim.in_doubt,
                    attempt: None,
                }),
                Admitted::Replay(_) | Admitted::Refused(_) => Call::Idle,
            };
        }
    }

    /// The ledger gave a claim that nobody had before.
    fn claimed(&mut self, model: &Protocol, who: usize, from: Option<StateName>, claim: &Claim) {
        let harmless = model.terms[who].repeatable;
        match self.open.replace(harmless) {
            Some(stored) if !(stored && harmless) => self.broke(Promise::NotAfterUnknown),
            Some(_) => self.saw(Sight::Repeated),
            None if from == Some(StateName::Released) && claim.attempts_before > 0 => {
                self.saw(Sight::Rerun);
            }
            None => {}
        }
    }

    pub(crate) fn begin(&mut self, model: &Protocol, who: usize) {
        let terms = &model.terms[who];
        let until = terms.stoppable.then(|| Timestamp(self.now).after(terms.timeout).0);
        let Call::Holding(hold) = &mut self.calls[who] else { return };
        hold.attempt = Some(Attempt { until, acted: false });
        hold.left -= 1;
        hold.used += 1;
        self.begun += 1;
    }

    /// It does what the tool does.
    pub(crate) fn act(&mut self, model: &Protocol, who: usize) {
        let Call::Holding(Hold { attempt: Some(attempt), until, .. }) = &mut self.calls[who] else {
            return;
        };
        attempt.acted = true;
        if *until <= self.now {
            self.saw(Sight::LeaseLost);
        }
        let terms = &model.terms[who];
        let seen_from = Timestamp(self.now).after(terms.settle).0;
        self.effects.push(Effect { seen_from, deduped: terms.repeatable });
    }

    pub(crate) fn end(&mut self, who: usize, ending: Ending) {
        let Call::Holding(hold) = &mut self.calls[who] else { return };
        let acted = hold.attempt.take().is_some_and(|attempt| attempt.acted);
        let said = match ending {
            Ending::Known if acted => Said::Happened,
            Ending::Known if !hold.in_doubt => Said::Nothing,
            Ending::Known | Ending::Unknown => Said::Unknown,
            Ending::RetryKnown => return,
            Ending::RetryUnknown => {
                hold.in_doubt = true;
                return;
            }
        };
        self.calls[who] = Call::Settling { fence: hold.fence, used: hold.used, said };
    }

    /// It gives up between its attempts.
    pub(crate) fn let_go(&mut self, who: usize) {
        let Call::Holding(hold) = &self.calls[who] else { return };
        let said = if hold.in_doubt { Said::Unknown } else { Said::Nothing };
        self.calls[who] = Call::Settling { fence: hold.fence, used: hold.used, said };
    }

    /// Its last word arrives at the ledger, for the first time or again.
    pub(crate) fn settle(&mut self, model: &Protocol, who: usize) {
        let Call::Settling { fence, used, said } = self.calls[who] else { return };
        let verdict = match said {
            Said::Happened => Verdict::Succeeded { result: "done".into() },
            Said::Nothing => Verdict::Released { delay: Duration::ZERO },
            Said::Unknown => Verdict::Unknown { cause: "no answer".into() },
        };
        let settlement =
            Settlement { id: model.id.clone(), fence, used, verdict, attempts: Vec::new() };
        let before = self.ledger.clone();
        let settled = self.ledger.settle(model.fault, self.now, &settlement);
        match (settled, said) {
            (Settled::Recorded { .. }, Said::Happened) => {
                self.happened();
                self.saw(Sight::Success);
                if before.state() == Some(StateName::Unknown) {
                    self.saw(Sight::LateTruth);
                }
            }
            (Settled::Recorded { .. }, Said::Nothing) => {
                self.open = None;
                if before.attempts() > self.ledger.attempts() {
                    self.saw(Sight::GivenBack);
                }
            }
            (Settled::Recorded { .. }, Said::Unknown) => {}
            (Settled::Superseded { .. } | Settled::Missing, _) => self.saw(Sight::Superseded),
        }
        self.check_stale(&before, fence);
    }

    /// It asks for its lease to be prolonged.
    pub(crate) fn renew(&mut self, model: &Protocol, who: usize, answer: Answer) {
        let Call::Holding(hold) = &self.calls[who] else { return };
        let fence = hold.fence;
        let before = self.ledger.clone();
        let renewed = self.ledger.renew(self.now, fence);
        self.check_stale(&before, fence);
        let Call::Holding(hold) = &mut self.calls[who] else { return };
        match (renewed, answer) {
            (_, Answer::IsLost) => {}
            (Renewed::Lost { .. }, Answer::Arrives) => hold.until = hold.until.min(self.now),
            (Renewed::Until { .. }, Answer::Arrives) => {
                hold.until = Timestamp(self.now).after(model.terms[who].lease).0;
                self.saw(Sight::Renewed);
            }
        }
    }

    pub(crate) fn crash(&mut self, who: usize) {
        self.calls[who] = Call::Gone;
    }
}

impl Hold {
    /// What may be done by a call that holds this.
    pub(crate) fn choices(&self, model: &Protocol, who: usize, now: u64) -> Vec<Choice> {
        let Some(attempt) = self.attempt else {
            let holds = now < self.until || model.fault == Some(Fault::BeginsWithoutLease);
            let mut choices = vec![Choice::LetGo];
            if holds && self.left > 0 {
                choices.push(Choice::Begin);
            }
            return choices;
        };
        let mut choices = vec![Choice::End(Ending::Unknown)];
        if attempt.may_act(now) {
            choices.push(Choice::End(Ending::Known));
            if !attempt.acted {
                choices.push(Choice::Act);
            }
        }
        if self.left > 0 {
            if attempt.may_act(now)
                && !attempt.acted
                && (!self.in_doubt || model.terms[who].repeatable)
            {
                choices.push(Choice::End(Ending::RetryKnown));
            }
            if model.terms[who].repeatable {
                choices.push(Choice::End(Ending::RetryUnknown));
            }
        }
        choices
    }
}

/// What a holder may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// To begin an attempt.
    Begin,
    /// To do what the tool does.
    Act,
    /// To end the attempt.
    End(Ending),
    /// To give up.
    LetGo,
}
