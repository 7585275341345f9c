//! HTTP in, HTTP out, and the faults in between.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::RETRY_AFTER;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::Fault;
use super::books::{Books, Kind};
use crate::money::Money;

/// How long [`Fault::Slow`] takes.
const SLOW: Duration = Duration::from_millis(150);

type Shared = Arc<Mutex<Books>>;

/// Serves until the process ends; says on stdout where.
pub(crate) async fn serve() -> io::Result<Infallible> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    let books = Shared::default();
    loop {
        let (stream, _) = listener.accept().await?;
        let books = Arc::clone(&books);
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(Arc::clone(&books), request));
            // An error here is one of the scripted ones, or the client's.
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

/// The connection is closed, and nothing is said.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
struct HungUp;

async fn handle(
    books: Shared,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.map_err(|_| HungUp)?.to_bytes();
    match (&method, path.as_str()) {
        (&Method::GET, "/books") => Ok(answer(StatusCode::OK, &json!(lock(&books).open))),
        (&Method::PUT, _) if path.starts_with("/faults/") => Ok(script(&books, &path, &body)),
        (&Method::GET, _) => Ok(look(&books, &path, &query)),
        _ => match Order::read(&method, &path, &body) {
            Some(order) => obey(&books, &format!("{method} {path}"), &order).await,
            None => {
                Ok(refusal(StatusCode::UNPROCESSABLE_ENTITY, "nobody understands this request"))
            }
        },
    }
}

fn script(books: &Shared, path: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let subject = path.trim_start_matches("/faults/").to_owned();
    match serde_json::from_slice(body) {
        Ok(faults) => {
            lock(books).script(subject, faults);
            answer(StatusCode::OK, &Value::Null)
        }
        Err(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &why.to_string()),
    }
}

/// `GET`: nothing changes, nothing goes wrong.
fn look(books: &Shared, path: &str, query: &str) -> Response<Full<Bytes>> {
    let Some(order_id) = query.strip_prefix("order=").filter(|_| path == "/charges") else {
        return refusal(StatusCode::NOT_FOUND, "there is nothing here");
    };
    let mut books = lock(books);
    let charges = books.charges_of(order_id);
    let found = match charges.len() {
        0 => "no charge".to_owned(),
        1 => "one charge".to_owned(),
        count => format!("{count} charges"),
    };
    books.note(order_id, Kind::Look, format!("GET {path}: {found}"));
    answer(StatusCode::OK, &json!(charges))
}

/// What is to be done.
enum Order {
    Charge { order_id: String, cents: Money },
    Refund { charge_id: String },
    Mail { order_id: String, to: String },
    Close { customer_id: String },
}

impl Order {
    fn read(method: &Method, path: &str, body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Charge {
            order_id: String,
            cents: Money,
        }
        #[derive(Deserialize)]
        struct Refund {
            charge_id: String,
        }
        #[derive(Deserialize)]
        struct Mail {
            order_id: String,
            to: String,
        }
        let order = match (method, path) {
            (&Method::POST, "/charges") => {
                let Charge { order_id, cents } = serde_json::from_slice(body).ok()?;
                Self::Charge { order_id, cents }
            }
            (&Method::POST, "/refunds") => {
                let Refund { charge_id } = serde_json::from_slice(body).ok()?;
                Self::Refund { charge_id }
            }
            (&Method::POST, "/receipts") => {
                let Mail { order_id, to } = serde_json::from_slice(body).ok()?;
                Self::Mail { order_id, to }
            }
            (&Method::DELETE, _) => {
                Self::Close { customer_id: path.strip_prefix("/accounts/")?.to_owned() }
            }
            _ => return None,
        };
        Some(order)
    }

    fn subject(&self) -> &str {
        match self {
            Self::Charge { order_id, .. } | Self::Mail { order_id, .. } => order_id,
            Self::Refund { charge_id } => charge_id,
            Self::Close { customer_id } => customer_id,
        }
    }

    /// Does it: what it came to, in JSON and in words.
    fn carry_out(&self, books: &mut Books) -> Result<(Value, String), &'static str> {
        Ok(match self {
            Self::Charge { order_id, cents } => {
                let charge = books.charge(order_id, *cents)?;
                (json!(charge), format!("charged {cents} ({})", charge.id))
            }
            Self::Refund { charge_id } => (Value::Null, format!("gave {charge_id} back")),
            Self::Mail { to, .. } => (Value::Null, format!("sent the receipt to {to}")),
            Self::Close { customer_id } => {
                (Value::Null, format!("closed the account of {customer_id}"))
            }
        })
    }
}

/// Does as it is told, except for what is scripted to go wrong.
async fn obey(books: &Shared, line: &str, order: &Order) -> Result<Response<Full<Bytes>>, HungUp> {
    let subject = order.subject();
    let note = |kind, text: &str| lock(books).note(subject, kind, format!("{line}: {text}"));
    let fault = lock(books).next_fault(subject);
    match fault {
        Some(Fault::Dropped) => {
            note(Kind::NotDone, "closed the connection, and did nothing");
            return Err(HungUp);
        }
        Some(Fault::RateLimited) => {
            let seconds = lock(books).retry_after(subject).as_secs();
            note(Kind::NotDone, &format!("429, Retry-After: {seconds}"));
            return Ok(limited(seconds));
        }
        Some(Fault::Unavailable) => {
            note(Kind::NotDone, "503");
            return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, "down for a moment"));
        }
        Some(Fault::Slow) => sleep(SLOW).await,
        Some(Fault::AnswerLost | Fault::Silent) | None => {}
    }
    let done = order.carry_out(&mut lock(books));
    match (done, fault) {
        (Err(why), _) => {
            note(Kind::NotDone, &format!("402, {why}"));
            Ok(refusal(StatusCode::PAYMENT_REQUIRED, why))
        }
        (Ok((_, words)), Some(Fault::AnswerLost)) => {
            note(Kind::Done, &format!("{words}, and closed the connection without an answer"));
            Err(HungUp)
        }
        (Ok((_, words)), Some(Fault::Silent)) => {
            note(Kind::Done, &format!("{words}, and says nothing"));
            pending().await
        }
        (Ok((body, words)), _) => {
            note(Kind::Done, &words);
            Ok(answer(StatusCode::OK, &body))
        }
    }
}

fn lock(books: &Shared) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

fn limited(retry_after: u64) -> Response<Full<Bytes>> {
    let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "too many requests");
    response.headers_mut().insert(RETRY_AFTER, retry_after.into());
    response
}

fn refusal(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    answer(status, &json!({ "error": why }))
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}
