//! One order, on books and a ledger of its own.

use std::time::UNIX_EPOCH;

use order_shop::service::{Account, Service};

use crate::blow::Blow;
use crate::way::{NONE, WHOLE, Way};
use crate::worker::{Line, Said, Worker};

/// How much later each process begins: more than any lease, timeout and settle time
/// together.
const LATER: u64 = 3_600;
/// How often a dead order is recovered before we call it stuck.
const PATIENCE: usize = 5;

/// One order.
pub(super) struct Case {
    way: Way,
    service: Service,
    folder: tempfile::TempDir,
    since: u128,
    hours: u64,
    /// What was done to it, for who has to find out why it failed.
    told: Vec<String>,
}

impl Case {
    pub(super) async fn new(way: Way) -> Self {
        let service = Service::start().await.unwrap();
        way.prepare(&service);
        let folder = tempfile::tempdir().unwrap();
        let since = UNIX_EPOCH.elapsed().unwrap().as_millis();
        Self { way, service, folder, since, hours: 0, told: vec![format!("{way:?}")] }
    }

    async fn start(&self, role: &str, blow: &[String]) -> Worker {
        let mut arguments = vec![
            self.folder.path().join("ledger.db").to_str().unwrap().to_owned(),
            self.service.address().to_string(),
            self.since.to_string(),
            (self.hours * LATER).to_string(),
            role.to_owned(),
        ];
        arguments.extend_from_slice(blow);
        Worker::start(&arguments).await
    }

    /// A process that is struck at its `nth` point; says where, if it has so many.
    pub(super) async fn strike(&mut self, role: &str, blow: Blow, nth: usize) -> Option<String> {
        let request = self.service.requests() + nth;
        if let Some(fault) = blow.at_service() {
            self.service.fail_at(request, fault);
        }
        let at_ledger = blow.at_ledger().map(|fault| vec![nth.to_string(), format!("{fault:?}")]);
        let mut worker = self.start(role, &at_ledger.unwrap_or_default()).await;
        worker.go().await;
        let is_killed_there = matches!(blow, Blow::KilledAtService(_));
        let line = tokio::select! {
            () = self.service.met(request), if is_killed_there => Line::At("a request".to_owned()),
            line = worker.line() => line,
        };
        let struck = match line {
            Line::At(step) => {
                worker.kill().await;
                Some(step)
            }
            Line::Ended(said) => {
                let met = || self.service.requests() > request;
                let at_service = blow.at_service().filter(|_| met());
                self.told.push(format!("{role}: {said:?}"));
                said.struck.or(at_service.map(|fault| format!("{fault:?}")))
            }
        };
        self.told.push(format!("{role}, {blow}, point {nth}: {struck:?}"));
        self.hours += 1;
        struck
    }

    async fn run(&mut self, role: &str) -> Said {
        let mut worker = self.start(role, &[]).await;
        worker.go().await;
        let said = worker.ended().await;
        self.told.push(format!("{role}: {said:?}"));
        self.hours += 1;
        said
    }

    /// Two processes recover it at the same time, and one does. Says whether there was
    /// something to recover.
    pub(super) async fn recover_twice_at_once(&mut self) -> bool {
        let left = self.run("look").await.queue;
        let is_left = left.iter().any(|id| id.starts_with("place_order"));
        let (mut one, mut two) =
            tokio::join!(self.start("recover", &[]), self.start("recover", &[]));
        tokio::join!(one.go(), two.go());
        let (one, two) = tokio::join!(one.ended(), two.ended());
        self.told.push(format!("recover: {one:?}\nrecover: {two:?}"));
        self.hours += 1;
        assert_eq!(one.ran + two.ran, usize::from(is_left), "{}", self.story());
        is_left
    }

    /// Processes recover it, and the books are audited; then its caller asks again, and
    /// they are audited against what it hears. Says whether it took a person.
    pub(super) async fn come_to_its_end(&mut self) -> bool {
        self.recover().await;
        let mut said = self.run("place").await;
        if said.ended == "rests" {
            self.recover().await;
            said = self.run("place").await;
        }
        let rests = said.ended == "rests";
        if rests {
            self.audit_queue(&said);
            self.service.heal();
            self.run("resolve").await;
            assert_eq!(self.run("recover").await.ran, 1, "{}", self.story());
            said = self.run("place").await;
        }
        let expected = match &*said.ended {
            "finished" => WHOLE,
            "undone" => NONE,
            _ => panic!("it is not at its end\n{}", self.story()),
        };
        self.balances(expected);
        assert_eq!(said.queue, Vec::<String>::new(), "{}", self.story());
        rests
    }

    /// What is recovered is whole or undone, or in front of a person, before anybody
    /// asks for it again.
    async fn recover(&mut self) {
        for _ in 0..PATIENCE {
            let said = self.run("recover").await;
            if said.open > 0 {
                continue;
            }
            let account = self.account();
            match &*said.queue {
                [] if account == WHOLE || account == NONE => {}
                [] => panic!("the books do not balance: {account}\n{}", self.story()),
                _ => self.audit_queue(&said),
            }
            return;
        }
        panic!("it is recovered again and again\n{}", self.story());
    }

    /// Nothing is before a person but what only a person can do.
    fn audit_queue(&self, said: &Said) {
        let Some(case) = self.way.rests() else {
            panic!("it takes no person: {:?}\n{}", said.queue, self.story())
        };
        self.balances(case.stands);
        let expected = [case.queued, "place_order[order-7]"];
        assert!(
            said.queue.len() == 2 && expected.iter().all(|id| said.queue.iter().any(|it| it == id)),
            "{:?} is in front of a person\n{}",
            said.queue,
            self.story()
        );
    }

    fn account(&self) -> Account {
        self.service.books().account("order-7")
    }

    #[track_caller]
    fn balances(&self, expected: Account) {
        let account = self.account();
        assert_eq!(account, expected, "the books do not balance: {account}\n{}", self.story());
    }

    /// What happened, for who has to find out why.
    fn story(&self) -> String {
        let books = self.service.books();
        let journal: Vec<_> = books.about("order-7").collect();
        format!("{}\n---\n{}\n---", self.told.join("\n"), journal.join("\n"))
    }
}
