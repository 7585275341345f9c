//! Requests that wait, and the tasks that send what waits together.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_postgres::Row;

use super::fault::{self, Fate};
use super::link::{Failed, Link};
use super::options::PostgresOptions;
use super::request::{Bounds, Columns, PARAMETERS, Request};
use super::schema::within;
use crate::ledger::LedgerError;

/// A batch that has so many bytes takes no more requests.
const MOST_BYTES: usize = 1 << 20;

/// How often a batch is sent that the server gave up for the sake of another
/// transaction.
const TRIES: u32 = 5;

/// A request that waits for its answer.
struct Job {
    request: Request,
    answer: oneshot::Sender<Result<Row, LedgerError>>,
    /// Until when it waits for a connection.
    until: Instant,
}

/// Requests that wait.
pub(super) struct Batches {
    jobs: mpsc::Sender<Job>,
    bound: usize,
    patience: Duration,
    link: Arc<Link>,
}

impl Batches {
    /// Starts the tasks: as many as there are connections. They end when this is
    /// dropped and what waits is done.
    pub(super) fn start(link: &Arc<Link>, options: &PostgresOptions) -> Self {
        let (jobs, waiting) = mpsc::channel(options.queue);
        let parameters: Vec<_> = (1..=PARAMETERS).map(|number| format!("${number}")).collect();
        let sender = Arc::new(Sender {
            link: Arc::clone(link),
            waiting: Mutex::new(waiting),
            statement: within(
                &options.schema,
                &format!("SELECT * FROM tool_contract.exchange({})", parameters.join(", ")),
            ),
            most: options.batch,
            bounds: Bounds::of(options),
        });
        for _ in 0..options.pool {
            tokio::spawn(Arc::clone(&sender).serve());
        }
        Self { jobs, bound: options.queue, patience: options.patience, link: Arc::clone(link) }
    }

    /// Has a request sent with others, and gives the row that answers it.
    pub(super) async fn ask(&self, request: Request) -> Result<Row, LedgerError> {
        let place = match timeout(self.patience, self.jobs.reserve()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(fault::closed(&self.link.target)),
            Err(_) => return Err(LedgerError::Overloaded(self.bound)),
        };
        let (answer, answered) = oneshot::channel();
        place.send(Job { request, answer, until: self.link.patience_ends() });
        let lost = |_| Err(fault::open(&self.link.target, "the ledger was closed"));
        answered.await.unwrap_or_else(lost)
    }
}

/// What the tasks share.
struct Sender {
    link: Arc<Link>,
    waiting: Mutex<mpsc::Receiver<Job>>,
    statement: String,
    most: usize,
    bounds: Bounds,
}

impl Sender {
    async fn serve(self: Arc<Self>) {
        while let Some(mut jobs) = self.take().await {
            let until = jobs.iter().map(|job| job.until).min();
            match self.link.connection(until.unwrap_or_else(Instant::now)).await {
                Ok(connection) => {
                    // Meanwhile others came.
                    if let Ok(mut waiting) = self.waiting.try_lock() {
                        self.fill(&mut jobs, &mut waiting);
                    }
                    jobs.sort_by(|one, other| one.request.order().cmp(&other.request.order()));
                    self.send(jobs, connection).await;
                }
                Err(error) => self.give_up(jobs, &error),
            }
        }
    }

    /// Waits for a request, and takes what waits with it: what was asked at once is one
    /// transaction, though other connections are free. `None` once there will be none.
    async fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.waiting.lock().await;
        let mut jobs = vec![waiting.recv().await?];
        self.fill(&mut jobs, &mut waiting);
        Some(jobs)
    }

    /// Adds what waits, as long as the batch has room.
    fn fill(&self, jobs: &mut Vec<Job>, waiting: &mut mpsc::Receiver<Job>) {
        let mut bytes: usize = jobs.iter().map(|job| job.request.bytes()).sum();
        while jobs.len() < self.most && bytes < MOST_BYTES {
            let Ok(job) = waiting.try_recv() else { break };
            bytes += job.request.bytes();
            jobs.push(job);
        }
    }

    /// Nobody can be reached: whatever waits is told so, and not made to wait in
    /// turn.
    fn give_up(&self, jobs: Vec<Job>, error: &LedgerError) {
        for job in jobs {
            let _ = job.answer.send(Err(error.clone()));
        }
        if let Ok(mut waiting) = self.waiting.try_lock() {
            while let Ok(job) = waiting.try_recv() {
                let _ = job.answer.send(Err(error.clone()));
            }
        }
    }

    /// Sends requests, and hands out what is answered.
    async fn send(&self, jobs: Vec<Job>, connection: Object) {
        match self.exchange(&jobs, connection).await {
            Ok(rows) => self.hand_out(jobs, rows),
            // One of them is to blame: each is sent by itself.
            Err(Failed { fate: Fate::Bad, .. }) if jobs.len() > 1 => {
                for job in jobs {
                    match self.link.connection(job.until).await {
                        Ok(connection) => Box::pin(self.send(vec![job], connection)).await,
                        Err(error) => drop(job.answer.send(Err(error))),
                    }
                }
            }
            Err(Failed { error, .. }) => {
                for job in jobs {
                    let _ = job.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// One round trip; more only where the server itself asks for that.
    async fn exchange(&self, jobs: &[Job], connection: Object) -> Result<Vec<Row>, Failed> {
        let columns = Columns::of(jobs.iter().map(|job| &job.request));
        let values = columns.values(&self.bounds);
        let mut connection = connection;
        let mut tries = 1;
        loop {
            match self.link.ask(connection, &self.statement, &values).await {
                Err(Failed { fate: Fate::Again, .. }) if tries < TRIES => tries += 1,
                done => return done,
            }
            connection =
                self.link.connection(self.link.patience_ends()).await.map_err(Failed::undone)?;
        }
    }

    fn hand_out(&self, jobs: Vec<Job>, rows: Vec<Row>) {
        let mut answers: Vec<_> = jobs.into_iter().map(|job| Some(job.answer)).collect();
        for row in rows {
            let number = row.try_get::<_, i32>("number").ok();
            let place = number.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
            if let Some(answer) = place.and_then(|place| answers.get_mut(place)?.take()) {
                // Whoever asked may have gone.
                let _ = answer.send(Ok(row));
            }
        }
        for answer in answers.into_iter().flatten() {
            let missing = format!("{} left a request without an answer", self.link.target);
            let _ = answer.send(Err(LedgerError::Corrupt(missing)));
        }
    }
}
