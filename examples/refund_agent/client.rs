//! The provider's client: what tools call, and nothing that knows of them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tool_contract::classify::{self, Sent};
use tool_contract::{Outcome, ToolError};

use crate::money::Money;
use crate::provider::Fault;
use crate::provider::books::{Accounts, Charge};

/// Where the provider is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
}

/// Why the provider did not do as it was told, as far as one can know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// No byte of the request left.
    #[error("the provider cannot be reached: {0}")]
    NotSent(io::Error),
    /// The request left, and nothing that can be read came back.
    #[error("no answer after the request was sent: {0}")]
    NoAnswer(io::Error),
    /// It said no.
    #[error("the provider answered {status}: {why}")]
    Refused { status: u16, why: String, retry_after: Option<Duration> },
}

// What a failure means is asked of the library, which knows what HTTP promises.
impl ToolError for HttpError {
    fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(error) => classify::io_error(error, Sent::No),
            Self::NoAnswer(error) => classify::io_error(error, Sent::Maybe),
            Self::Refused { status, retry_after, .. } => {
                classify::http_status(*status, *retry_after)
            }
        }
    }
}

impl Provider {
    pub(crate) async fn charge(
        &self,
        order_id: &str,
        cents: Money,
        memo: &str,
    ) -> Result<Charge, HttpError> {
        self.ask(
            Method::POST,
            "/charges",
            json!({ "order_id": order_id, "cents": cents, "memo": memo }),
        )
        .await
    }

    pub(crate) async fn charges_of(&self, order_id: &str) -> Result<Vec<Charge>, HttpError> {
        self.ask(Method::GET, &format!("/charges?order={order_id}"), Value::Null).await
    }

    pub(crate) async fn refund(&self, charge_id: &str) -> Result<(), HttpError> {
        self.ask(Method::POST, "/refunds", json!({ "charge_id": charge_id })).await
    }

    pub(crate) async fn send_receipt(&self, order_id: &str, to: &str) -> Result<(), HttpError> {
        self.ask(Method::POST, "/receipts", json!({ "order_id": order_id, "to": to })).await
    }

    pub(crate) async fn close_account(&self, customer_id: &str) -> Result<(), HttpError> {
        self.ask(Method::DELETE, &format!("/accounts/{customer_id}"), Value::Null).await
    }

    /// What goes wrong with the next requests about `subject`.
    pub(crate) async fn script(&self, subject: &str, faults: &[Fault]) -> Result<(), HttpError> {
        self.ask(Method::PUT, &format!("/faults/{subject}"), json!(faults)).await
    }

    /// What it did, by its own count.
    pub(crate) async fn books(&self) -> Result<Accounts, HttpError> {
        self.ask(Method::GET, "/books", Value::Null).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<T, HttpError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .body(Full::<Bytes>::from(body.to_string()))
            .map_err(|why| HttpError::NotSent(io::Error::other(why)))?;
        let stream = TcpStream::connect(self.address).await.map_err(HttpError::NotSent)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|why| HttpError::NotSent(io::Error::other(why)))?;
        // It ends when the sender is dropped.
        tokio::spawn(connection);
        // From here on the provider may have acted, whatever goes wrong.
        let response = sender.send_request(request).await.map_err(no_answer)?;
        read(response).await
    }
}

async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, HttpError> {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let body: Bytes = response.into_body().collect().await.map_err(no_answer)?.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|why| HttpError::NoAnswer(why.into()));
    }
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = said["error"].as_str().unwrap_or("no reason given").to_owned();
    Err(HttpError::Refused { status: status.as_u16(), why, retry_after })
}

fn no_answer(why: hyper::Error) -> HttpError {
    HttpError::NoAnswer(io::Error::other(why))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
