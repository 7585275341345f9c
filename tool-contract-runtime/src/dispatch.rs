//! Calls by name, with JSON: what an agent makes.
//!
//! Every check that the types make for Rust callers is made here at run time,
//! by the same rulebook.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tool_contract_spec::ledger::{ApprovalId, EscalationId};
use tool_contract_spec::operation::{Fingerprint, OperationHash};
use tool_contract_spec::policy::Text;
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::rulebook::suggest::likely;

use crate::call;
use crate::calling::Called;
use crate::error::{About, CallError, Rejected};
use crate::job::read::Misfit;
use crate::job::{Job, TypedJob, read};
use crate::runtime::Runtime;
use crate::saga::Outcome;
use crate::tool::{BoxFuture, Output as _, Tool};

/// A call by name.
///
/// `Debug` does not show the arguments: nobody has said yet which are secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The tool's name.
    pub tool: String,
    /// Its arguments, a JSON object.
    pub arguments: Box<RawValue>,
    /// What is known of the caller.
    #[serde(default)]
    pub meta: Meta,
}

impl Request {
    /// A call of `tool` with these arguments.
    ///
    /// ```
    /// # extern crate tool_contract_runtime as tool_contract;
    /// use tool_contract::{Meta, Request};
    ///
    /// let arguments = serde_json::json!({ "order_id": "order-17", "cents": 4_200 });
    /// let key = Some("order-17/charge".to_owned());
    /// let request = Request::new("charge_card", &arguments, Meta { idempotency_key: key, ..Meta::default() })?;
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the arguments cannot be written as JSON.
    pub fn new(
        tool: impl Into<String>,
        arguments: &impl Serialize,
        meta: Meta,
    ) -> Result<Self, serde_json::Error> {
        let arguments = serde_json::value::to_raw_value(arguments)?;
        Ok(Self { tool: tool.into(), arguments, meta })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("tool", &self.tool)
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}

/// What a dynamic call says of its caller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// The key of the operation; wanted by every write whose key is not
    /// derived.
    pub idempotency_key: Option<String>,
    /// What ties this call to others.
    pub correlation_id: Option<String>,
    /// How often the agent has made this call, as far as it knows. It is
    /// logged and decides nothing: the ledger counts.
    pub attempt_number: Option<u32>,
    /// How long the whole call may take, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// Whose call it is.
    pub tenant: Option<String>,
    /// On whose behalf it is made.
    pub user: Option<String>,
    /// Which run of a plan it belongs to.
    pub workflow: Option<String>,
    /// The approval that it was given.
    pub approval: Option<ApprovalId>,
    /// What it binds besides its arguments: see [`Call::fingerprint`](crate::Call::fingerprint).
    pub fingerprint: Option<serde_json::Value>,
}

/// How a dynamic call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It happened, now or before.
    Succeeded,
    /// It ran, and left nothing behind; or it is a saga that was undone, and
    /// [`result`](Response::result) says what of it.
    Failed,
    /// Nothing ran.
    Refused,
    /// A person has been asked, by [`approval`](Response::approval). Nothing ran; of a
    /// saga, what came before that step stands.
    AwaitingApproval,
    /// It may have happened, and is on record.
    Unknown,
}

/// The answer to a dynamic call.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Response {
    /// The tool.
    pub tool: String,
    /// How it ended.
    pub status: Status,
    /// The result, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// Whether the result was on record, and nothing ran for this call.
    pub replayed: bool,
    /// Attempts: of the key if it succeeded, else of this call.
    pub attempts: u32,
    /// The key of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The other key under which the same operation stands: this call's key
    /// looks newly minted for an old intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminted_from: Option<String>,
    /// What the operation is: tool, contract version and arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_hash: Option<OperationHash>,
    /// The rule that refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What happened, what did not, and what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When to come again, in milliseconds, where time alone will help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The request for approval that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// The unknown outcome on record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<EscalationId>,
}

/// A dynamic call on its way to its tool.
pub struct DynamicCall {
    arguments: Box<RawValue>,
    meta: Meta,
}

impl DynamicCall {
    pub(crate) const fn new(arguments: Box<RawValue>, meta: Meta) -> Self {
        Self { arguments, meta }
    }
}

impl Runtime {
    /// Makes the call that `bytes` describe, a JSON [`Request`].
    ///
    /// It always answers: what cannot be read is refused, and nothing runs.
    pub async fn dispatch_json(&self, bytes: &[u8]) -> Response {
        if bytes.len() > self.largest_request() {
            let reason = format!(
                "the request has {} bytes, and {} are read",
                bytes.len(),
                self.largest_request()
            );
            return refused(
                "",
                Code::TOO_LARGE,
                &reason,
                "send less, or raise `.largest_request(..)`",
            );
        }
        match serde_json::from_slice::<Request>(bytes) {
            Ok(request) => self.dispatch(request).await,
            Err(why) => {
                let reason = format!("the request cannot be read: {why}");
                let next = "send {\"tool\": \"..\", \"arguments\": {..}, \"meta\": {..}}";
                refused("", Code::ARGUMENTS_MALFORMED, &reason, next)
            }
        }
    }

    /// Makes a call by name.
    pub async fn dispatch(&self, request: Request) -> Response {
        let size = request.arguments.get().len();
        if size > self.largest_request() {
            let reason =
                format!("the arguments have {size} bytes, and {} are read", self.largest_request());
            return refused(
                &request.tool,
                Code::TOO_LARGE,
                &reason,
                "send less, or raise `.largest_request(..)`",
            );
        }
        match self.named(&request.tool) {
            Some(entry) => {
                let call = DynamicCall { arguments: request.arguments, meta: request.meta };
                entry.tool.dispatch(self, call).await
            }
            None => self.unknown_tool(&request.tool),
        }
    }

    fn unknown_tool(&self, name: &str) -> Response {
        let names = self.tool_names();
        let next = match likely(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => {
                "register tools with `.tool::<T>()` or `.linked_tools()`".to_owned()
            }
            None => format!("there are {}", names.join(", ")),
        };
        refused(name, Code::UNKNOWN_TOOL, "no tool has this name", &next)
    }
}

fn refused(tool: &str, code: Code, reason: &str, next: &str) -> Response {
    let rejected = Rejected::new(code, About::tool(Text::Owned(tool.to_owned())), reason, next);
    Response::of(tool, None).failed(&CallError::<String>::from(rejected))
}

/// Makes a dynamic call of the tool `T`.
pub(crate) fn typed<T: Tool>(runtime: &Runtime, call: DynamicCall) -> BoxFuture<'static, Response> {
    let tool = &*T::contract().name;
    let refuse = |reason: &str| -> BoxFuture<'static, Response> {
        let response =
            refused(tool, Code::ARGUMENTS_MALFORMED, reason, "correct them and call again");
        Box::pin(std::future::ready(response))
    };
    let (given_key, attempt) = (call.meta.idempotency_key.clone(), call.meta.attempt_number);
    let meta = call::Meta::from(call.meta);
    let bound = meta.fingerprint.as_ref().and_then(|bound| bound.as_ref().ok());
    // Some argument's own `Deserialize` or `Serialize` may panic at what an
    // agent sends.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let arguments = read::arguments::<T>(call.arguments.get())?;
        let described = TypedJob::new(arguments.clone()).describe(runtime.secret_key(), bound);
        Ok::<_, Misfit>((arguments, described.ok().map(|described| described.hash)))
    }));
    let (arguments, hash) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(why)) => return refuse(&format!("its arguments do not fit: {why}")),
        Err(_) => return refuse("its arguments do not fit: reading them panicked"),
    };
    tracing::debug!(target: "tool_contract", tool, key = ?given_key, ?attempt, "dispatched");
    let calling = crate::calling::Calling::new(runtime, arguments, meta);
    Box::pin(async move {
        let mut response = Response::of(tool, hash);
        response.idempotency_key = given_key;
        response.ended::<T>(calling.await)
    })
}

impl From<Meta> for call::Meta {
    fn from(meta: Meta) -> Self {
        let fingerprint = meta
            .fingerprint
            .map(|context| Fingerprint::of(&context).map_err(|why| why.to_string().into()));
        let more = call::More {
            fingerprint,
            tenant: meta.tenant,
            user: meta.user,
            workflow: meta.workflow,
            correlation_id: meta.correlation_id,
            deadline: meta.deadline_ms.map(Duration::from_millis),
            approval: meta.approval,
            step: None,
        };
        Self::new(meta.idempotency_key, more)
    }
}

impl Response {
    fn of(tool: &str, operation_hash: Option<OperationHash>) -> Self {
        Self {
            tool: tool.to_owned(),
            status: Status::Refused,
            result: None,
            replayed: false,
            attempts: 0,
            idempotency_key: None,
            reminted_from: None,
            operation_hash,
            code: None,
            message: None,
            retry_after_ms: None,
            approval: None,
            escalation: None,
        }
    }

    fn ended<T: Tool>(mut self, called: Called<T>) -> Self {
        match called {
            Ok(completed) => {
                self.status = Status::Succeeded;
                self.replayed = completed.replayed();
                self.attempts = completed.attempts();
                self.idempotency_key = completed.key().map(ToString::to_string);
                self.reminted_from = completed.reminted_from().map(ToString::to_string);
                let result = completed.to_json().unwrap_or_default();
                if let Some(undone) = T::IS_SAGA.then(|| undone(&result)).flatten() {
                    self.status = Status::Failed;
                    self.message = Some(undone);
                }
                self.result = RawValue::from_string(result).ok();
                self
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed<E: fmt::Display>(mut self, error: &CallError<E>) -> Self {
        self.code = error.code();
        self.attempts = error.about().attempts;
        self.message = Some(error.to_string());
        if let Some(key) = &error.about().key {
            self.idempotency_key = Some(key.to_string());
        }
        self.status = match error {
            CallError::Rejected(rejected) => {
                self.retry_after_ms = rejected.retry_after.map(millis);
                self.approval.clone_from(&rejected.request);
                if rejected.code == Code::APPROVAL_MISSING {
                    Status::AwaitingApproval
                } else {
                    Status::Refused
                }
            }
            CallError::Ledger(_) => Status::Refused,
            CallError::Failed(_, about) => {
                self.retry_after_ms = about.retry_after.map(millis);
                Status::Failed
            }
            CallError::Unknown(unknown) => {
                self.escalation.clone_from(&unknown.escalation);
                self.approval.clone_from(&unknown.request);
                self.retry_after_ms = unknown.about.retry_after.map(millis);
                if unknown.request.is_some() { Status::AwaitingApproval } else { Status::Unknown }
            }
        };
        self
    }
}

/// What there is to say of a saga with this result, if it was undone.
fn undone(result: &str) -> Option<String> {
    let outcome: Outcome<IgnoredAny> = serde_json::from_str(result).ok()?;
    let undone = outcome.finished().err()?;
    Some(format!(
        "{undone}; its key has this answer for good; where another try is right, it takes a new key"
    ))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
