//! What a contract says, in words.

use tool_contract_runtime::ledger::Terms;
use tool_contract_spec::duration;
use tool_contract_spec::policy::Remint;

use crate::report::counted;

/// The terms of the newest claim, one sentence each.
pub(super) fn words(terms: &Terms) -> Vec<String> {
    let span = duration::format;
    // A saga's attempts do no harm: its steps, which have terms of their own, see to that.
    let mut words = if terms.saga { Vec::new() } else { attempts(terms) };
    words.extend([
        if terms.stoppable {
            format!("an attempt ends after {}", span(terms.timeout))
        } else {
            format!(
                "an attempt is given up after {}, but cannot be stopped while its process lives",
                span(terms.timeout)
            )
        },
        format!("a claim holds for {} unless it is renewed", span(terms.lease)),
        format!(
            "a finished key replays for {}{}",
            span(terms.ttl),
            if terms.sliding { ", anew from each replay" } else { "" }
        ),
        remint(terms.remint).to_owned(),
    ]);
    words.extend(terms.confirm.map(|(ttl, quorum)| {
        format!(
            "{} must approve, and that holds for {}",
            counted(quorum as usize, "person", "people"),
            span(ttl)
        )
    }));
    if terms.covered {
        words.push("it is a step of a saga, which sees to its failure".to_owned());
    }
    words
}

/// How often it is tried, and what that may do.
fn attempts(terms: &Terms) -> Vec<String> {
    let attempts = counted(terms.attempts as usize, "attempt", "attempts");
    vec![
        format!("{attempts} a call, {} under one key in all", terms.max_total),
        repetition(terms).to_owned(),
        finding_out(terms),
    ]
}

const fn repetition(terms: &Terms) -> &'static str {
    if terms.repeatable {
        "to repeat what may have happened is harmless"
    } else {
        "to repeat what may have happened may do it twice"
    }
}

fn finding_out(terms: &Terms) -> String {
    let shows = format!("an effect shows after {} at most", duration::format(terms.settle));
    if terms.reconcilable {
        format!("a reconcile function finds out what happened; {shows}")
    } else {
        format!("nothing but a person finds out what happened; {shows}")
    }
}

const fn remint(remint: Remint) -> &'static str {
    match remint {
        Remint::Warn => "the same operation under another key runs, and is noted",
        Remint::Reject => "the same operation under another key is refused",
        Remint::Replay => "the same operation under another key gets the first result",
    }
}
