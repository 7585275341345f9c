//! Callers, reconcilers and people around one operation, under a true time that
//! the ledger's clock may lag behind but never overtakes.
//!
//! The callers obey: they begin an attempt only while they believe that they
//! hold, and act only until its timeout. They need not know when they are late.

use super::coverage::Coverage;
use super::ghost::{Confirmation, Ghost};
use super::*;
use crate::policy::{Limit, Quota, Scope};

/// How many claims the one limit lets through.
const LIMIT: u32 = 3;
const CALLERS: usize = 3;
const RECONCILERS: usize = 2;

/// Whether the answer to a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Arrives,
    IsLost,
}

/// What happens next.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// True time goes on, and the ledger's clock by less.
    Tick {
        span: u64,
        lag: u64,
    },
    Admit {
        caller: usize,
        terms: Terms,
        hash: u8,
        intent: Intent,
        bring: bool,
        reply: Reply,
    },
    Resend {
        caller: usize,
        reply: Reply,
    },
    Begin {
        caller: usize,
    },
    Act {
        caller: usize,
    },
    End {
        caller: usize,
        unknown: bool,
    },
    Settle {
        caller: usize,
    },
    Renew {
        caller: usize,
        reply: Reply,
    },
    Crash {
        caller: usize,
    },
    Reconcile {
        who: usize,
    },
    Look {
        who: usize,
    },
    KeepLooking {
        who: usize,
    },
    Report {
        who: usize,
        cannot_tell: bool,
    },
    Resolve {
        dead: bool,
    },
    Abandon,
    Withdraw,
    Decide {
        by: u8,
        deny: bool,
        stale: bool,
    },
    /// A message arrives a second time.
    Redeliver {
        which: usize,
    },
}

#[derive(Debug, Clone)]
enum Message {
    Admission(Box<Admission>),
    Settlement(Settlement),
}

/// A caller that believes that it holds, or did.
#[derive(Debug, Clone)]
struct Hold {
    fence: Fence,
    terms: Terms,
    in_doubt: bool,
    /// Until when it believes that it holds, in true time.
    until: u64,
    left: u32,
    used: u32,
    /// The attempt that runs, and until when.
    attempt: Option<u64>,
    /// Whether the running attempt had its effect.
    acted: bool,
    ended: Ended,
}

/// What the attempts of a claim came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Nothing,
    Succeeded,
    Unknown,
}

#[derive(Debug, Clone, Default)]
enum Caller {
    #[default]
    Idle,
    /// It asked, and knows no answer.
    Asked(Admission),
    Holding(Hold),
}

impl Caller {
    /// Whether it may still act at `now`.
    fn may_act(&self, now: u64) -> bool {
        match self {
            Self::Holding(hold) => {
                hold.until > now || hold.attempt.is_some_and(|until| until >= now)
            }
            Self::Idle | Self::Asked(_) => false,
        }
    }
}

/// One that was let in.
#[derive(Debug, Clone, Copy)]
struct Reconciler {
    fence: Fence,
    /// The time of the ledger, as it was last told.
    told_at: Timestamp,
    /// Its last look: the time that it knew then, and whether it saw an effect.
    look: Option<(Timestamp, bool)>,
}

pub(super) struct World {
    bench: Bench,
    /// The true time.
    now: u64,
    cell: Cell,
    callers: [Caller; CALLERS],
    reconcilers: [Option<Reconciler>; RECONCILERS],
    messages: Vec<Message>,
    requests: Vec<ApprovalId>,
    nonces: u128,
    ghost: Ghost,
    pub(super) coverage: Coverage,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            bench: Bench::default(),
            now: 0,
            cell: Cell::default(),
            callers: Default::default(),
            reconcilers: Default::default(),
            messages: Vec::new(),
            requests: Vec::new(),
            nonces: 0,
            ghost: Ghost::default(),
            coverage: Coverage::default(),
        }
    }

    pub(super) fn run(&mut self, command: &Command) {
        match command {
            Command::Tick { span, lag } => {
                self.now += span;
                self.bench.now += span.saturating_sub(*lag);
            }
            Command::Admit { caller, terms, hash, intent, bring, reply } => {
                self.admit(*caller, terms, *hash, *intent, *bring, *reply);
            }
            Command::Resend { caller, reply } => self.resend(*caller, *reply),
            Command::Begin { caller } => self.begin(*caller),
            Command::Act { caller } => self.act(*caller),
            Command::End { caller, unknown } => self.end(*caller, *unknown),
            Command::Settle { caller } => self.settle(*caller),
            Command::Renew { caller, reply } => self.renew(*caller, *reply),
            Command::Crash { caller } => self.callers[*caller] = Caller::Idle,
            Command::Reconcile { who } => self.reconcile(*who),
            Command::Look { who } => self.look(*who),
            Command::KeepLooking { who } => self.keep_looking(*who),
            Command::Report { who, cannot_tell } => self.report(*who, *cannot_tell),
            Command::Resolve { dead } => self.resolve(*dead),
            Command::Abandon => self.abandon(),
            Command::Withdraw => self.withdraw(),
            Command::Decide { by, deny, stale } => self.decide(*by, *deny, *stale),
            Command::Redeliver { which } => self.redeliver(*which),
        }
        self.check();
    }

    /// What holds after every step.
    fn check(&mut self) {
        let now = self.now;
        let believers = self.callers.iter().filter(|caller| match caller {
            Caller::Holding(hold) => hold.until > now,
            Caller::Idle | Caller::Asked(_) => false,
        });
        assert!(believers.count() <= 1, "no two holders at once");
        assert_eq!(self.cell.count, self.ghost.claims, "limits count claims");
        assert!(self.cell.count <= LIMIT, "a limit holds");
        if let Some(record) = &self.bench.slot {
            assert!(record.attempts <= MAX_TOTAL, "attempts never exceed the cap");
            let is_spent = record.attempts == MAX_TOTAL && !record.terms.covered;
            match record.state.name() {
                StateName::Released => assert!(!is_spent, "what is spent waits for a person"),
                StateName::Exhausted => assert!(is_spent, "what may be tried waits for nobody"),
                _ => {}
            }
            if record.state.name().is_escalated() {
                assert!(record.escalation.is_some(), "what waits for a person has a name");
            }
            self.coverage.state(record.state.name());
        }
        self.coverage.events(&self.bench.events);
    }

    // ---- callers ----

    fn admit(
        &mut self,
        caller: usize,
        terms: &Terms,
        number: u8,
        intent: Intent,
        bring: bool,
        reply: Reply,
    ) {
        if !matches!(self.callers[caller], Caller::Idle) {
            return;
        }
        let limit = Limit { scope: Scope::Tool, quota: Quota::Count(LIMIT) };
        let cell = CellId { over: "tool".into(), limit, tenant: None, subject: None };
        self.nonces += 1;
        let request = Admission {
            hash: hash(number),
            arguments: number.to_string().into(),
            intent,
            approval: self.requests.last().filter(|_| bring).cloned(),
            requested_by: Some(format!("person {}", caller % 2).into()),
            draws: vec![Draw::now(cell)],
            ..admission(self.nonces, terms.clone())
        };
        self.callers[caller] = Caller::Asked(request);
        self.resend(caller, reply);
    }

    fn resend(&mut self, caller: usize, reply: Reply) {
        let Caller::Asked(request) = self.callers[caller].clone() else { return };
        self.messages.push(Message::Admission(Box::new(request.clone())));
        let answer = self.deliver_admission(&request);
        if reply == Reply::IsLost {
            return;
        }
        self.callers[caller] = match answer {
            Admitted::Claimed(claim) => Caller::Holding(Hold {
                fence: claim.fence,
                until: self.now + LEASE,
                left: claim.attempts,
                in_doubt: claim.in_doubt,
                terms: Terms::clone(&request.terms),
                used: 0,
                attempt: None,
                acted: false,
                ended: Ended::Nothing,
            }),
            Admitted::Replay(_) | Admitted::Refused(_) => Caller::Idle,
        };
    }

    fn deliver_admission(&mut self, request: &Admission) -> Admitted {
        let before = self.bench.slot.clone();
        let (drawn_before, now) = (self.cell.clone(), self.now);
        let cell = &mut self.cell;
        let answer = self
            .bench
            .step(|slot, around| admit(slot, request, None, std::slice::from_mut(cell), around));
        self.coverage.admitted(&answer);
        if let Admitted::Claimed(claim) = &answer
            && !self.ghost.knows(claim.fence)
        {
            assert_eq!(request.intent, Intent::Claim, "to ask is not to run");
            let stored = before.as_ref().and_then(|record| record.terms.confirm);
            let standing = before.and_then(|record| record.approval).map(|approval| approval.id);
            let confirmation = match request.terms.confirm.or(stored) {
                Some((_, quorum)) => Confirmation::Wanted { standing, quorum },
                None => Confirmation::NotWanted,
            };
            self.ghost.claimed(claim, &request.terms, confirmation);
            let others = self.callers.iter().filter(|caller| match caller {
                Caller::Holding(hold) => hold.until > now,
                Caller::Idle | Caller::Asked(_) => false,
            });
            assert_eq!(others.count(), 0, "nobody is given what another holds");
            return answer;
        }
        assert_eq!(self.cell, drawn_before, "only a new claim draws");
        match &answer {
            Admitted::Claimed(_) => self.coverage.found_again(),
            Admitted::Replay(replay) => {
                self.ghost.replayed(&replay.result);
                assert_eq!(self.bench.slot, before, "a replay changes nothing");
            }
            Admitted::Refused(refusal) => {
                if let Refusal::AwaitingApproval { request, .. } = refusal
                    && !self.requests.contains(request)
                {
                    self.requests.push(request.clone());
                }
                let held = |record: &Option<Record>| {
                    record
                        .as_ref()
                        .filter(|record| record.state.name() == StateName::Running)
                        .map(|record| record.fence)
                };
                let after = held(&self.bench.slot);
                assert!(
                    after.is_none() || after == held(&before),
                    "a refused call leaves no claim"
                );
            }
        }
        answer
    }

    fn holding(&mut self, caller: usize) -> Option<&mut Hold> {
        match &mut self.callers[caller] {
            Caller::Holding(hold) => Some(hold),
            Caller::Idle | Caller::Asked(_) => None,
        }
    }

    fn begin(&mut self, caller: usize) {
        let now = self.now;
        let Some(hold) = self.holding(caller) else { return };
        let may_go_on = match hold.ended {
            Ended::Nothing => true,
            Ended::Unknown => hold.terms.repeatable,
            Ended::Succeeded => false,
        };
        if hold.attempt.is_none() && hold.left > 0 && now < hold.until && may_go_on {
            hold.attempt = Some(if hold.terms.stoppable { now + TIMEOUT } else { u64::MAX });
            hold.acted = false;
            hold.left -= 1;
            hold.used += 1;
            self.ghost.began();
        }
    }

    fn act(&mut self, caller: usize) {
        let now = self.now;
        let Some(hold) = self.holding(caller) else { return };
        if hold.attempt.is_some_and(|until| now <= until) && !hold.acted {
            hold.acted = true;
            let deduped = hold.terms.repeatable;
            self.ghost.acted(now, deduped);
        }
    }

    fn end(&mut self, caller: usize, unknown: bool) {
        let now = self.now;
        let Some(hold) = self.holding(caller) else { return };
        let Some(until) = hold.attempt.take() else { return };
        // One that is late was cut off, whatever it would have said.
        if unknown || now > until {
            hold.ended = Ended::Unknown;
        } else if hold.acted {
            hold.ended = Ended::Succeeded;
        }
    }

    fn settle(&mut self, caller: usize) {
        let Some(hold) = self.holding(caller) else { return };
        if hold.attempt.is_some() {
            return;
        }
        let verdict = match hold.ended {
            Ended::Succeeded => happened("done"),
            Ended::Nothing if !hold.in_doubt => nothing(2),
            Ended::Nothing | Ended::Unknown => unknown(),
        };
        let (fence, used) = (hold.fence, hold.used);
        self.callers[caller] = Caller::Idle;
        let settlement = Settlement { id: id("key"), fence, used, verdict, attempts: Vec::new() };
        self.messages.push(Message::Settlement(settlement.clone()));
        self.deliver_settlement(&settlement);
    }

    fn deliver_settlement(&mut self, settlement: &Settlement) {
        let before = self.bench.slot.clone();
        let newest = before.as_ref().map(|record| record.fence);
        let answer = self.bench.step(|slot, around| settle(slot, settlement, around));
        self.coverage.settled(&answer);
        if newest != Some(settlement.fence) {
            assert_eq!(self.bench.slot, before, "a stale fence changes nothing");
        }
        if matches!(answer, Settled::Recorded { .. }) {
            match &settlement.verdict {
                Verdict::Succeeded { result } => self.ghost.succeeded(result),
                Verdict::Released { .. } | Verdict::Exhausted => {
                    self.ghost.released(Some(settlement.fence));
                }
                Verdict::Unknown { .. } => self.ghost.unknown(),
            }
        } else {
            assert_eq!(self.bench.slot, before, "what is not recorded changes nothing");
        }
    }

    fn renew(&mut self, caller: usize, reply: Reply) {
        let Some(hold) = self.holding(caller) else { return };
        let fence = hold.fence;
        let before = self.bench.slot.clone();
        let answer = self.bench.renew(fence);
        let newest = before.as_ref().map(|record| record.fence);
        match answer {
            Renewed::Until { .. } => {
                assert_eq!(newest, Some(fence), "only the newest fence renews");
            }
            Renewed::Lost { .. } => {
                let name =
                    |record: &Option<Record>| record.as_ref().map(|record| record.state.name());
                let lapsed = name(&self.bench.slot) != name(&before);
                assert!(lapsed || self.bench.slot == before, "a lost renewal changes nothing");
            }
        }
        let now = self.now;
        let Some(hold) = self.holding(caller) else { return };
        match (reply, answer) {
            (Reply::IsLost, _) => {}
            (Reply::Arrives, Renewed::Until { .. }) => hold.until = now + LEASE,
            (Reply::Arrives, Renewed::Lost { .. }) => hold.until = hold.until.min(now),
        }
    }

    fn redeliver(&mut self, which: usize) {
        if self.messages.is_empty() {
            return;
        }
        match self.messages[which % self.messages.len()].clone() {
            Message::Admission(request) => drop(self.deliver_admission(&request)),
            Message::Settlement(settlement) => self.deliver_settlement(&settlement),
        }
    }

    // ---- finding out ----

    fn reconcile(&mut self, who: usize) {
        self.nonces += 1;
        let nonce = self.nonces;
        let answer = self.bench.begin(nonce);
        self.coverage.reconciling(&answer);
        if let ReconcileClaim::Claimed { fence, now: told_at, .. } = answer {
            self.ghost.unknown();
            self.reconcilers[who] = Some(Reconciler { fence, told_at, look: None });
        }
    }

    fn look(&mut self, who: usize) {
        let sees = self.ghost.sees_effect(self.now);
        if let Some(reconciler) = &mut self.reconcilers[who] {
            reconciler.look = Some((reconciler.told_at, sees));
        }
    }

    /// Keeps the lease, and is told the time.
    fn keep_looking(&mut self, who: usize) {
        let Some(reconciler) = self.reconcilers[who] else { return };
        if let Renewed::Until { now, .. } = self.bench.renew(reconciler.fence) {
            self.reconcilers[who] = Some(Reconciler { told_at: now, ..reconciler });
        }
    }

    /// A reconciler is naive: it reports what it saw, be that too early, and
    /// takes its time.
    fn report(&mut self, who: usize, cannot_tell: bool) {
        let Some(Reconciler { fence, look, .. }) = self.reconcilers[who] else { return };
        let finding = match look {
            _ if cannot_tell => Finding::CannotTell { why: "no idea".into() },
            None => return,
            Some((_, true)) => Finding::Happened { result: "done".into() },
            Some((looked_at, false)) => Finding::DidNotHappen { looked_at, delay: ms(1) },
        };
        let before = self.bench.slot.clone();
        let answer = self.bench.finish(fence, &finding);
        self.coverage.reconciled(&answer);
        match (&answer, &finding) {
            (Reconciled::Recorded { .. }, Finding::Happened { result }) => {
                self.ghost.succeeded(result);
            }
            (Reconciled::Recorded { .. }, Finding::DidNotHappen { .. }) => self.did_not_happen(),
            (Reconciled::Recorded { .. }, Finding::CannotTell { .. }) => {}
            (Reconciled::TooEarly { .. }, _) => {
                assert_eq!(self.bench.slot, before, "what comes too early changes nothing");
                return;
            }
            (Reconciled::OfItsSteps { .. }, _) => panic!("it is no saga"),
            (Reconciled::Superseded { .. }, _) => {
                let newest = before.as_ref().map(|record| record.fence);
                assert!(newest != Some(fence) || self.bench.state() != StateName::Reconciling);
            }
        }
        self.reconcilers[who] = None;
    }

    /// A person looks. That the holders are dead is said only if it is true, and
    /// then the person knows all that happened.
    fn resolve(&mut self, dead: bool) {
        let dead = dead && !self.callers.iter().any(|caller| caller.may_act(self.now));
        let happened =
            if dead { self.ghost.has_effect() } else { self.ghost.sees_effect(self.now) };
        let resolved = if happened {
            Resolved::Happened { result: "done".into() }
        } else {
            Resolved::DidNotHappen { holder_is_dead: dead }
        };
        let answer = self.bench.resolve(resolved);
        self.coverage.resolved(&answer);
        match answer {
            Reconciled::Recorded { .. } if happened => self.ghost.succeeded("done"),
            Reconciled::Recorded { .. } => self.did_not_happen(),
            Reconciled::TooEarly { .. } | Reconciled::Superseded { .. } => {}
            Reconciled::OfItsSteps { .. } => panic!("it is no saga"),
        }
    }

    /// A person gives it up, without looking.
    fn abandon(&mut self) {
        let before = self.bench.slot.as_ref().map(|record| record.state.name());
        let answer = self.bench.resolve(Resolved::Abandoned);
        self.coverage.resolved(&answer);
        match answer {
            Reconciled::Recorded { .. } => self.ghost.abandoned(),
            Reconciled::TooEarly { .. } => panic!("it is never too early to give up"),
            Reconciled::OfItsSteps { .. } => panic!("it is no saga"),
            Reconciled::Superseded { .. } => {
                assert!(!before.is_some_and(StateName::is_escalated), "all in the queue may be");
            }
        }
    }

    /// Nobody needs it any more.
    fn withdraw(&mut self) {
        let before = self.bench.slot.clone();
        let answer = self.bench.resolve(Resolved::Withdrawn);
        self.coverage.resolved(&answer);
        if let Reconciled::Recorded { .. } = answer {
            let standing = before.and_then(|record| record.approval);
            self.ghost.refused(&standing.expect("a request stood").id);
        }
    }

    /// "It did not happen" was believed of a reconciler or a person.
    fn did_not_happen(&mut self) {
        let may_act = self.callers.iter().any(|caller| caller.may_act(self.now));
        assert!(!may_act, "`did not happen` is never believed while a former holder may act");
        self.ghost.released(None);
    }

    // ---- approvals ----

    fn decide(&mut self, by: u8, deny: bool, stale: bool) {
        let request = if stale { self.requests.first() } else { self.requests.last() };
        let Some(request) = request.cloned() else { return };
        let verdict =
            if deny { ApprovalVerdict::Deny { why: "no".into() } } else { ApprovalVerdict::GRANT };
        let answer = self.bench.decide(&request, &format!("person {by}"), verdict);
        self.coverage.decided(&answer);
        if let Decided::Granted { .. } | Decided::Pending { .. } = answer {
            self.ghost.agreed(&request);
        }
        if let Decided::Granted { .. } = answer {
            self.ghost.granted(&request);
        }
        if answer == Decided::Denied {
            self.ghost.refused(&request);
        }
    }
}
