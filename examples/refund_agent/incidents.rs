//! The script: what goes wrong, what the agent does, and what it comes to.

use tool_contract::Status;

use crate::ask::Ask;
use crate::money::Money;
use crate::provider::Fault;

/// Something that goes wrong.
pub(crate) struct Incident {
    pub(crate) title: &'static str,
    /// The order or the customer that it is about.
    pub(crate) subject: &'static str,
    /// What goes wrong with the provider's next answers.
    pub(crate) faults: &'static [Fault],
    pub(crate) steps: Vec<Step>,
    /// What the agent hears in the end, with contracts.
    pub(crate) heard: Status,
    /// What is done about the subject, once or not at all, with contracts.
    pub(crate) effects: usize,
    /// How often it is done without.
    pub(crate) without: usize,
    pub(crate) verb: Verb,
}

/// What is done about a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Charged,
    Mailed,
    Closed,
}

/// What the agent does.
pub(crate) enum Step {
    /// It asks, and asks again while it does not hear a yes.
    Insist(Ask),
    /// Two of its branches ask at the same moment.
    AtOnce(Ask, Ask),
    /// Its process is killed as soon as the provider has acted, and started
    /// again.
    Killed(Ask),
    /// A person says yes to what waits for one, and the agent asks again.
    Approved(Ask),
}

fn charge(order_id: &str, cents: u64, memo: &str) -> Ask {
    charge_under(&format!("{order_id}/charge"), order_id, cents, memo)
}

fn charge_under(key: &str, order_id: &str, cents: u64, memo: &str) -> Ask {
    let (order_id, memo, key) = (order_id.to_owned(), memo.to_owned(), key.to_owned());
    Ask::ChargeCard { order_id, cents: Money(cents), memo, key }
}

/// Everything that goes wrong, in the order in which it does.
pub(crate) fn all() -> Vec<Incident> {
    let mut all = lost_answers();
    all.extend(refusals());
    all.extend(repetitions());
    all.extend(crashes());
    all.extend(people());
    all
}

fn lost_answers() -> Vec<Incident> {
    vec![
        Incident {
            title: "The answer is lost after the charge",
            subject: "order-11",
            faults: &[Fault::AnswerLost, Fault::AnswerLost],
            steps: vec![
                Step::Insist(charge("order-11", 4_200, "two books")),
                Step::Insist(Ask::OrderStatus { order_id: "order-11".to_owned() }),
            ],
            heard: Status::Succeeded,
            effects: 1,
            without: 3,
            verb: Verb::Charged,
        },
        Incident {
            title: "It looks the same, and nothing was charged",
            subject: "order-12",
            faults: &[Fault::Dropped],
            steps: vec![Step::Insist(charge("order-12", 1_999, "a lamp"))],
            heard: Status::Succeeded,
            effects: 1,
            without: 1,
            verb: Verb::Charged,
        },
    ]
}

fn refusals() -> Vec<Incident> {
    vec![
        Incident {
            title: "429, come back in a second",
            subject: "order-13",
            faults: &[Fault::RateLimited],
            steps: vec![Step::Insist(charge("order-13", 6_000, "a kettle"))],
            heard: Status::Succeeded,
            effects: 1,
            without: 0,
            verb: Verb::Charged,
        },
        Incident {
            title: "503, twice",
            subject: "order-14",
            faults: &[Fault::Unavailable, Fault::Unavailable],
            steps: vec![Step::Insist(charge("order-14", 850, "postage"))],
            heard: Status::Succeeded,
            effects: 1,
            without: 1,
            verb: Verb::Charged,
        },
        Incident {
            title: "The card is declined",
            subject: "order-15",
            faults: &[],
            steps: vec![Step::Insist(charge("order-15", 120_000, "a sofa"))],
            heard: Status::Failed,
            effects: 0,
            without: 0,
            verb: Verb::Charged,
        },
    ]
}

fn repetitions() -> Vec<Incident> {
    vec![
        Incident {
            title: "The agent forgets that it has charged, and words it anew",
            subject: "order-16",
            faults: &[],
            steps: vec![
                Step::Insist(charge("order-16", 3_300, "a teapot")),
                Step::Insist(charge("order-16", 3_300, "teapot, as agreed")),
            ],
            heard: Status::Succeeded,
            effects: 1,
            without: 2,
            verb: Verb::Charged,
        },
        Incident {
            title: "The agent forgets its key, too",
            subject: "order-17",
            faults: &[],
            steps: vec![
                Step::Insist(charge("order-17", 2_750, "a chair")),
                Step::Insist(charge_under("7f3c09", "order-17", 2_750, "a chair")),
            ],
            heard: Status::Succeeded,
            effects: 1,
            without: 2,
            verb: Verb::Charged,
        },
        Incident {
            title: "The same key with another amount",
            subject: "order-18",
            faults: &[],
            steps: vec![
                Step::Insist(charge("order-18", 5_000, "a clock")),
                Step::Insist(charge("order-18", 5_490, "a clock and postage")),
            ],
            heard: Status::Refused,
            effects: 1,
            without: 2,
            verb: Verb::Charged,
        },
        Incident {
            title: "Two branches of the agent at once",
            subject: "order-19",
            faults: &[Fault::Slow, Fault::Slow],
            steps: vec![Step::AtOnce(
                charge("order-19", 7_700, "a rug"),
                charge("order-19", 7_700, "the rug"),
            )],
            heard: Status::Succeeded,
            effects: 1,
            without: 2,
            verb: Verb::Charged,
        },
    ]
}

fn crashes() -> Vec<Incident> {
    vec![Incident {
        title: "The agent's process is killed in the middle of a charge",
        subject: "order-20",
        faults: &[Fault::Silent],
        steps: vec![Step::Killed(charge("order-20", 9_900, "a coat"))],
        heard: Status::Succeeded,
        effects: 1,
        without: 2,
        verb: Verb::Charged,
    }]
}

fn people() -> Vec<Incident> {
    let mail =
        Ask::SendReceipt { order_id: "order-21".to_owned(), to: "mia@example.com".to_owned() };
    let close = Ask::CloseAccount { customer_id: "customer-7".to_owned() };
    vec![
        Incident {
            title: "The answer is lost, and nobody can be asked: mail",
            subject: "order-21",
            faults: &[Fault::AnswerLost, Fault::AnswerLost],
            steps: vec![Step::Insist(mail)],
            heard: Status::Unknown,
            effects: 1,
            without: 3,
            verb: Verb::Mailed,
        },
        Incident {
            title: "The agent wants to destroy something",
            subject: "customer-7",
            faults: &[],
            steps: vec![Step::Insist(close.clone()), Step::Approved(close)],
            heard: Status::Succeeded,
            effects: 1,
            without: 1,
            verb: Verb::Closed,
        },
    ]
}
