//! The services' client: what tools call, and nothing that knows of them.

use std::io;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tool_contract::classify::{self, Sent};
use tool_contract::{Outcome, ToolError};

use crate::tools::{Charge, Parcel, Reservation};

/// Where the services are.
#[derive(Debug, Clone, Copy)]
pub struct Shop {
    address: SocketAddr,
}

/// Why a service did not do as it was told, as far as one can know.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No byte of the request left.
    #[error("the service cannot be reached: {0}")]
    NotSent(io::Error),
    /// The request left, and nothing that can be read came back.
    #[error("no answer after the request was sent: {0}")]
    NoAnswer(io::Error),
    /// It said no.
    #[error("the service answered {status}: {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason.
        why: String,
    },
}

// What a failure means is asked of the library, which knows what HTTP promises.
impl ToolError for HttpError {
    fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(error) => classify::io_error(error, Sent::No),
            Self::NoAnswer(error) => classify::io_error(error, Sent::Maybe),
            Self::Refused { status, .. } => classify::http_status(*status, None),
        }
    }
}

impl Shop {
    /// The services at this address.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self { address }
    }

    pub(crate) async fn reserve(
        &self,
        reservation_id: &str,
        order_id: &str,
        item: &str,
        quantity: u32,
    ) -> Result<Reservation, HttpError> {
        let body = json!({ "reservation_id": reservation_id, "order_id": order_id, "item": item, "quantity": quantity });
        self.ask(Method::POST, "/reservations", &body).await
    }

    pub(crate) async fn release(&self, reservation_id: &str) -> Result<(), HttpError> {
        self.ask(Method::POST, "/releases", &json!({ "reservation_id": reservation_id })).await
    }

    pub(crate) async fn charge(
        &self,
        key: &str,
        order_id: &str,
        cents: u64,
    ) -> Result<Charge, HttpError> {
        let body = json!({ "key": key, "order_id": order_id, "cents": cents });
        self.ask(Method::POST, "/charges", &body).await
    }

    /// Gives a charge back.
    ///
    /// # Errors
    /// If the payment service does not, or does not say so.
    pub async fn refund(&self, key: &str, charge_id: &str) -> Result<(), HttpError> {
        self.ask(Method::POST, "/refunds", &json!({ "key": key, "charge_id": charge_id })).await
    }

    pub(crate) async fn ship(&self, order_id: &str) -> Result<Parcel, HttpError> {
        self.ask(Method::POST, "/parcels", &json!({ "order_id": order_id })).await
    }

    pub(crate) async fn parcels_of(&self, order_id: &str) -> Result<Vec<Parcel>, HttpError> {
        self.ask(Method::GET, &format!("/parcels?order={order_id}"), &Value::Null).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
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
        // From here on the service may have acted, whatever goes wrong.
        let response = sender.send_request(request).await.map_err(no_answer)?;
        read(response).await
    }
}

async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, HttpError> {
    let status = response.status();
    let body: Bytes = response.into_body().collect().await.map_err(no_answer)?.to_bytes();
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|why| HttpError::NoAnswer(why.into()));
    }
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = said["error"].as_str().unwrap_or("no reason given").to_owned();
    Err(HttpError::Refused { status: status.as_u16(), why })
}

fn no_answer(why: hyper::Error) -> HttpError {
    HttpError::NoAnswer(io::Error::other(why))
}
