//! HTTP in, HTTP out, and the faults in between.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Books, Desk, Fault};

/// The services, as long as this is kept.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    desks: Arc<Desks>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Desks {
    state: Mutex<State>,
    /// How many requests were dealt with, or are and never end.
    met: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    books: Books,
    /// How many requests came.
    requests: usize,
    /// What goes wrong with which of them.
    faults: BTreeMap<usize, Fault>,
    /// Who says no to each.
    refusing: Vec<Desk>,
}

impl Service {
    /// Opens on loopback, with empty books.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let desks = Arc::<Desks>::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&desks)));
        Ok(Self { address, desks, serving })
    }

    /// Where they are.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The books as they are now.
    #[must_use]
    pub fn books(&self) -> Books {
        self.desks.state().books.clone()
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.desks.state().requests
    }

    /// Lets something go wrong with the `nth` request, counted from 0 since they
    /// opened.
    pub fn fail_at(&self, nth: usize, fault: Fault) {
        self.desks.state().faults.insert(nth, fault);
    }

    /// From now on this desk refuses everything.
    pub fn refuse(&self, desk: Desk) {
        self.desks.state().refusing.push(desk);
    }

    /// From now on nothing goes wrong.
    pub fn heal(&self) {
        let mut state = self.desks.state();
        state.faults.clear();
        state.refusing.clear();
    }

    /// Returns when as much as is ever done about the `nth` request is done.
    pub async fn met(&self, nth: usize) {
        // The sender is kept beside this.
        self.desks.met.subscribe().wait_for(|met| *met > nth).await.ok();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Desks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, desks: Arc<Desks>) {
    while let Ok((stream, _)) = listener.accept().await {
        let desks = Arc::clone(&desks);
        tokio::spawn(async move {
            let service = service_fn(move |request| handle(Arc::clone(&desks), request));
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
    desks: Arc<Desks>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let is_look = request.method() == Method::GET;
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.map_err(|_| HungUp)?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let desk = Desk::ALL.into_iter().find(|desk| desk.path() == path);
    let (fault, response) = match desk {
        Some(Desk::Parcels) if is_look => desks.look(query.trim_start_matches("order=")),
        Some(desk) => desks.obey(desk, &body),
        None => (None, refusal(404, "there is nothing here")),
    };
    match fault {
        Some(Fault::Dropped | Fault::AnswerLost) => Err(HungUp),
        Some(Fault::Deaf | Fault::Silent) => pending().await,
        Some(Fault::Busy | Fault::Refused) | None => Ok(response),
    }
}

impl Desks {
    /// Says what the carrier has of an order.
    fn look(&self, order_id: &str) -> (Option<Fault>, Response<Full<Bytes>>) {
        let mut state = self.state();
        let fault = state.next();
        let response = if fault == Some(Fault::Busy) || fault == Some(Fault::Refused) {
            refusal(503, "down for a moment")
        } else {
            let parcels = state.books.parcels_of(order_id);
            let found = parcels.as_array().map_or(0, Vec::len);
            state.books.note(order_id, format!("GET /parcels: {found} found"));
            answer(StatusCode::OK, &parcels)
        };
        self.met.send_replace(state.requests);
        (fault, response)
    }

    /// Does as it is told, except for what is to go wrong.
    fn obey(&self, desk: Desk, body: &Value) -> (Option<Fault>, Response<Full<Bytes>>) {
        let mut state = self.state();
        let fault = state.next();
        // What it has done it does not refuse: the same key gets the same answer.
        let says_no = state.refusing.contains(&desk) || fault == Some(Fault::Refused);
        let refuses = says_no && !state.books.has_done(desk, body);
        let acts = !refuses && fault.is_none_or(Fault::acts);
        let order_id = state.books.order_of(body);
        let done = if acts { state.books.carry_out(desk, body) } else { None };
        let (response, words) = match done {
            Some((body, words)) => (answer(StatusCode::OK, &body), words),
            None if fault == Some(Fault::Busy) => {
                (refusal(503, "down for a moment"), "503".to_owned())
            }
            None if refuses => {
                let (status, why) = desk.refusal();
                (refusal(status, why), format!("{status}, {why}"))
            }
            None if acts => (refusal(400, "nobody understands this"), "400".to_owned()),
            None => (refusal(500, "never said"), "does nothing".to_owned()),
        };
        let after = match fault {
            Some(Fault::Dropped | Fault::AnswerLost) => ", and hangs up without an answer",
            Some(Fault::Deaf | Fault::Silent) => ", and never answers",
            _ => "",
        };
        state.books.note(&order_id, format!("POST {}: {words}{after}", desk.path()));
        self.met.send_replace(state.requests);
        (fault, response)
    }
}

impl State {
    /// What goes wrong with the next request.
    fn next(&mut self) -> Option<Fault> {
        let nth = self.requests;
        self.requests += 1;
        self.faults.get(&nth).copied()
    }
}

fn refusal(status: u16, why: &str) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, &json!({ "error": why }))
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
}
