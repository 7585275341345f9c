//! Telling by HTTP that a call waits for a person.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tool_contract_spec::hex;
use ureq::http::{StatusCode, Uri};
use zeroize::Zeroizing;

use super::ApprovalRequested;

/// The header with the time and the HMAC: `t=<seconds>,sha256=<digits>`.
const SIGNATURE: &str = "Tool-Contract-Signature";

/// Posts an [`ApprovalRequested`] as JSON when a call begins to wait for a person.
///
/// It is posted by a thread of its own, from a queue of [`QUEUE`](Self::QUEUE):
/// nothing that happens to it touches the call. Each post has 5 s, and is tried 4
/// times, 1 s, 2 s and 4 s apart, unless the answer is a redirection or says that
/// the request is wrong; then it is given up, and a warning logged. The request
/// stands all the same, and its name, sent as `Idempotency-Key`, tells a second
/// try from a second request.
///
/// ```
/// # extern crate tool_contract_runtime as tool_contract;
/// use tool_contract::approval::Webhook;
///
/// let webhook = Webhook::new("https://chat.example/hooks/approvals")?.secret("between us two");
/// # let _ = webhook;
/// # Ok::<(), tool_contract::approval::WebhookError>(())
/// ```
pub struct Webhook {
    url: Uri,
    secret: Option<Zeroizing<Vec<u8>>>,
    tries: u32,
    timeout: Duration,
    pause: Duration,
}

/// Why there is no such webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's address is `http://…` or `https://…`, with a host")]
pub struct WebhookError;

impl Webhook {
    /// How many notices wait to be posted at most; what comes then is not posted.
    pub const QUEUE: usize = 256;
    /// The most tries of one notice.
    pub const MOST_TRIES: u32 = 10;
    /// The longest that one try may take.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);
    /// The longest pause between two tries.
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// Posts to this address.
    ///
    /// # Errors
    /// If it is none.
    pub fn new(url: &str) -> Result<Self, WebhookError> {
        let url: Uri = url.parse().map_err(|_| WebhookError)?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            return Err(WebhookError);
        }
        let (timeout, pause) = (Duration::from_secs(5), Duration::from_secs(1));
        Ok(Self { url, secret: None, tries: 4, timeout, pause })
    }

    /// Adds `Tool-Contract-Signature: t=<seconds>,sha256=<digits>`: the
    /// HMAC-SHA-256 under this secret of `<seconds>.` and the body, so that whoever
    /// receives it knows from whom, and when.
    #[must_use]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(Zeroizing::new(secret.as_ref().to_vec()));
        self
    }

    /// How often a post is tried; from 1 to [`MOST_TRIES`](Self::MOST_TRIES).
    #[must_use]
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries.clamp(1, Self::MOST_TRIES);
        self
    }

    /// How long one try may take; at most [`LONGEST_TIMEOUT`](Self::LONGEST_TIMEOUT).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Self::LONGEST_TIMEOUT);
        self
    }

    /// The pause before the second try; it doubles up to 30 s.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause.min(Self::LONGEST_PAUSE);
        self
    }

    /// Begins the thread that posts. It ends when the runtime is gone and the
    /// queue is empty.
    pub(super) fn start(self) -> Sender {
        let (sender, queue) = sync_channel(Self::QUEUE);
        let thread = std::thread::Builder::new().name("tool-contract-webhook".to_owned());
        if let Err(error) = thread.spawn(move || self.run(&queue)) {
            tracing::warn!(target: "tool_contract", %error, "no thread for a webhook: it stays silent");
        }
        Sender(sender)
    }

    fn run(&self, queue: &Receiver<ApprovalRequested>) {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(self.timeout))
            .http_status_as_error(false)
            // What is meant for one place is not carried to another.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        let agent = ureq::Agent::from(config);
        while let Ok(notice) = queue.recv() {
            self.deliver(&agent, &notice);
        }
    }

    fn deliver(&self, agent: &ureq::Agent, notice: &ApprovalRequested) {
        let Ok(body) = serde_json::to_vec(notice) else { return };
        let (host, request) = (self.url.host().unwrap_or_default(), &*notice.request);
        let mut pause = self.pause;
        for attempt in 1..=self.tries {
            match self.post(agent, request, &body) {
                Ok(status) if status.is_success() => return,
                Ok(status) if !may_pass(status) => {
                    tracing::warn!(target: "tool_contract", host, request, %status, "a webhook refuses the notice");
                    return;
                }
                Ok(status) => {
                    tracing::debug!(target: "tool_contract", host, request, %status, attempt, "a webhook failed");
                }
                Err(error) => {
                    tracing::debug!(target: "tool_contract", host, request, %error, attempt, "a webhook failed");
                }
            }
            if attempt < self.tries {
                std::thread::sleep(pause);
                pause = pause.saturating_mul(2).min(Self::LONGEST_PAUSE);
            }
        }
        tracing::warn!(target: "tool_contract", host, request, tries = self.tries, "a webhook was not reached: nobody was told that the request waits");
    }

    fn post(
        &self,
        agent: &ureq::Agent,
        request: &str,
        body: &[u8],
    ) -> Result<StatusCode, ureq::Error> {
        let mut post = agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", request);
        if let Some(secret) = &self.secret {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            post = post.header(SIGNATURE, signature(secret, now, body));
        }
        Ok(post.send(body)?.status())
    }
}

/// Whether it is worth trying again.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

fn signature(secret: &[u8], now: u64, body: &[u8]) -> String {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{now}.").as_bytes());
    mac.update(body);
    format!("t={now},sha256={}", hex::write(&mac.finalize().into_bytes()))
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its path may be a secret.
        f.debug_struct("Webhook").field("host", &self.url.host()).finish_non_exhaustive()
    }
}

/// The way to the thread that posts.
#[derive(Debug, Clone)]
pub(super) struct Sender(SyncSender<ApprovalRequested>);

impl Sender {
    /// Puts a notice into the queue, or gives it up; it never waits. Says whether
    /// it is in.
    pub(super) fn send(&self, notice: &ApprovalRequested) -> bool {
        self.0.try_send(notice.clone()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host() {
        for url in ["", "chat.example", "ftp://chat.example/", "http://", "/hooks"] {
            assert_eq!(Webhook::new(url).map(drop), Err(WebhookError), "{url}");
        }
        let webhook = Webhook::new("https://chat.example/hooks/hush").unwrap().secret("hush");
        assert!(!format!("{webhook:?}").contains("hush"));
    }

    #[test]
    fn bounds_are_kept() {
        let webhook = Webhook::new("http://h/").unwrap().tries(99).timeout(Duration::MAX);
        assert_eq!((webhook.tries, webhook.timeout), (10, Webhook::LONGEST_TIMEOUT));
        assert_eq!(Webhook::new("http://h/").unwrap().tries(0).tries, 1);
        assert_eq!(webhook.pause(Duration::MAX).pause, Webhook::LONGEST_PAUSE);
    }

    /// Made with `openssl dgst -sha256 -hmac`.
    #[test]
    fn the_signature_is_an_hmac() {
        assert_eq!(
            signature(b"key", 7, b"{}"),
            "t=7,sha256=77bc83bd1f40422311e47918b203449aecf84b02c1568bb1b570ac2a474cc2d8"
        );
    }
}
