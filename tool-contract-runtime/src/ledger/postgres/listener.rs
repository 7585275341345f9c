//! Hears from the server when an operation comes to rest.
//!
//! One connection listens, and only once somebody has waited. Through a pooler
//! that hands each transaction to another session nothing is heard; that is
//! found out by a word sent to oneself the other way round. Who waits then looks
//! again and again, and so he does, more seldom, while the line is good: what
//! was not heard costs him time and nothing else.

use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Connection};

use super::fault;
use super::link::Link;
use crate::ledger::waiting::Waiting;

/// How long the word to oneself may take.
const PROBE: Duration = Duration::from_secs(2);
/// How long to wait before the line is tried again, after it broke and after it
/// turned out deaf.
const BROKEN: Duration = Duration::from_millis(500);
const DEAF: Duration = Duration::from_mins(1);

/// Whether the server is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hearing {
    Unknown,
    Good,
    None,
}

/// The connection that listens.
pub(super) struct Listener {
    link: Arc<Link>,
    channel: String,
    waiting: Arc<Waiting>,
    hearing: watch::Sender<Hearing>,
    task: OnceLock<JoinHandle<()>>,
}

impl Listener {
    pub(super) fn new(link: &Arc<Link>, channel: &str, waiting: &Arc<Waiting>) -> Self {
        Self {
            link: Arc::clone(link),
            channel: channel.to_owned(),
            waiting: Arc::clone(waiting),
            hearing: watch::Sender::new(Hearing::Unknown),
            task: OnceLock::new(),
        }
    }

    /// Whether the server is heard; it takes a while to find out.
    pub(super) async fn hears(&self) -> bool {
        self.task.get_or_init(|| {
            tokio::spawn(listen(Line {
                link: Arc::clone(&self.link),
                channel: self.channel.clone(),
                waiting: Arc::clone(&self.waiting),
                hearing: self.hearing.clone(),
            }))
        });
        let mut hearing = self.hearing.subscribe();
        let known = hearing.wait_for(|hearing| *hearing != Hearing::Unknown);
        matches!(timeout(2 * PROBE, known).await, Ok(Ok(hearing)) if *hearing == Hearing::Good)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

struct Line {
    link: Arc<Link>,
    channel: String,
    waiting: Arc<Waiting>,
    hearing: watch::Sender<Hearing>,
}

/// Why a line is not listened to any more.
enum End {
    Broken(String),
    Deaf,
}

async fn listen(line: Line) {
    loop {
        let end = line.serve().await;
        line.hearing.send_replace(Hearing::None);
        // Something may have been missed.
        line.waiting.wake_all();
        let server = &line.link.target;
        sleep(match end {
            End::Broken(why) => {
                tracing::debug!(%server, "changes are not heard: {why}");
                BROKEN
            }
            End::Deaf => {
                tracing::debug!(%server, "changes are not heard; is there a pooler between?");
                DEAF
            }
        })
        .await;
    }
}

impl Line {
    /// Listens for as long as it goes; why it went no further.
    #[allow(clippy::clone_on_copy, reason = "without TLS it is nothing")]
    async fn serve(&self) -> End {
        let connecting = self.link.target.config.connect(self.link.tls.clone());
        let (client, connection) = match timeout(2 * PROBE, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return End::Broken(fault::told(&error)),
            Err(_) => return End::Broken("no connection was made in time".to_owned()),
        };
        tokio::select! {
            why = self.hear(connection) => End::Broken(why),
            end = self.begin(client) => end,
        }
    }

    /// Asks to be told, and keeps the connection.
    async fn begin(&self, client: Client) -> End {
        let listening = client.batch_execute(&format!("LISTEN \"{}\"", self.channel)).await;
        if let Err(error) = listening {
            return End::Broken(fault::told(&error));
        }
        let until = Instant::now() + PROBE;
        let probe: &str = "";
        let values: [super::link::Value<'_>; 2] =
            [(&self.channel, Type::TEXT), (&probe, Type::TEXT)];
        if let Err(error) = self.link.ask_alone("SELECT pg_notify($1, $2)", &values).await {
            return End::Broken(error.to_string());
        }
        let mut hearing = self.hearing.subscribe();
        if timeout_at(until, hearing.wait_for(|hearing| *hearing == Hearing::Good)).await.is_err() {
            return End::Deaf;
        }
        std::future::pending().await
    }

    /// Hands on what is heard.
    async fn hear<S, T>(&self, mut connection: Connection<S, T>) -> String
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        loop {
            match poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notification(heard))) => {
                    self.hearing.send_if_modified(|hearing| {
                        std::mem::replace(hearing, Hearing::Good) != Hearing::Good
                    });
                    self.waiting.wake(heard.payload());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return fault::told(&error),
                None => return "the server closed the connection".to_owned(),
            }
        }
    }
}
