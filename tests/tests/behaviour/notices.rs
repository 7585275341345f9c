//! Others are told that a call waits for a person: once, and at no cost to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::sync::mpsc;
use tool_contract::approval::{ApprovalRequested, Approvers, PrivateKey, Webhook};
use tool_contract::{BuildError, Cx, Meta, Request, Response, Runtime, Status, tool};

use crate::stage::{Ending, Stage};
use crate::world::{Trouble, World};

/// Close an account.
#[tool(
    side_effect = "destructive",
    idempotent,
    confirm(by = "human"),
    rollback = "none",
    state(World)
)]
async fn close_account(
    cx: &Cx,
    #[arg(secret)] pin: String,
    account: String,
) -> Result<u32, Trouble> {
    let _ = pin;
    cx.state::<World>().act(&account).await
}

fn keys() -> Approvers {
    let key = PrivateKey::generate().unwrap().public().to_string();
    Approvers::new().trust("ann", &key).unwrap()
}

async fn ask(runtime: &Runtime, key: &str) -> Response {
    let meta = Meta {
        idempotency_key: Some(key.to_owned()),
        user: Some("agent".to_owned()),
        ..Meta::default()
    };
    let arguments = serde_json::json!({ "pin": "open-sesame", "account": "a" });
    runtime.dispatch(Request::new("close_account", &arguments, meta).unwrap()).await
}

fn with_secret(builder: tool_contract::RuntimeBuilder) -> tool_contract::RuntimeBuilder {
    let key = tool_contract::SecretKey::new([7; 32]).unwrap();
    builder.secret_key(key).tool::<CloseAccount>()
}

#[tokio::test]
async fn a_runtime_knows_whose_approval_counts() {
    let stage = Stage::new();
    let builder = || with_secret(stage.secure_builder());
    let error = builder().build().unwrap_err();
    assert!(matches!(&error, BuildError::ApproversMissing { tool } if tool == "close_account"));
    assert_eq!(error.code(), Some(tool_contract::spec::rulebook::Code::APPROVERS_MISSING));
    for part in ["close_account", ".approvers(", ".insecure_local_approvals()", "keygen"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let nobody = builder().approvers(Approvers::new()).build().unwrap_err();
    assert_eq!(nobody, error);
    let both = builder().approvers(keys()).insecure_local_approvals().build().unwrap_err();
    assert_eq!(both, BuildError::ApproversInsecure);
    builder().approvers(keys()).build().unwrap();
    builder().insecure_local_approvals().build().unwrap();
    // A tool that was not registered is refused when it is called.
    let key = tool_contract::SecretKey::new([7; 32]).unwrap();
    let runtime = stage.secure_builder().secret_key(key).build().unwrap();
    let asking = close_account("pin".into(), "a".into()).key("k").request_approval(&runtime).await;
    let rejected = asking.refused(tool_contract::spec::rulebook::Code::APPROVERS_MISSING);
    assert!(rejected.reason.contains(".approvers("), "{rejected}");
}

#[tokio::test]
async fn a_listener_is_told_once_and_never_waited_for() {
    let stage = Stage::new();
    let (sender, mut listener) = mpsc::channel(1);
    let (gone, _) = mpsc::channel::<ApprovalRequested>(1);
    let builder = stage.secure_builder().approvers(keys());
    let builder = builder.on_approval_requested(sender).on_approval_requested(gone);
    let runtime = with_secret(builder).build().unwrap();
    let first = ask(&runtime, "k").await;
    assert_eq!(first.status, Status::AwaitingApproval);
    let notice = listener.recv().await.unwrap();
    assert_eq!(Some(&*notice.request), first.approval.as_ref().map(|request| &*request.0));
    assert_eq!((&*notice.tool, &*notice.key), ("close_account", "k"));
    assert_eq!(
        (&*notice.arguments, notice.requested_by.as_deref()),
        (r#"{"account":"a"}"#, Some("agent"))
    );
    assert_eq!(Some(notice.operation_hash), first.operation_hash);
    assert!(!format!("{notice:?}").contains("sesame"));
    // Nobody reads: the second is told to the one place there is, the third missed.
    for key in ["k", "k", "k2", "k3", "k3"] {
        assert_eq!(ask(&runtime, key).await.status, Status::AwaitingApproval);
    }
    let call = close_account("open-sesame".into(), "a".into()).key("k").user("agent");
    call.request_approval(&runtime).await.unwrap();
    assert_eq!(&*listener.recv().await.unwrap().key, "k2");
    // A typed request is told, too.
    let call = close_account("open-sesame".into(), "a".into()).key("k4").user("agent");
    call.request_approval(&runtime).await.unwrap();
    assert_eq!(&*listener.recv().await.unwrap().key, "k4");
    assert!(listener.try_recv().is_err());
}

/// What was posted: the head, and the body.
type Posted = (String, String);

/// A server that gives these answers, one after the other, and then fine ones.
fn server(answers: &'static [&'static str]) -> (String, Receiver<Posted>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/hush", listener.local_addr().unwrap());
    let (sender, posted) = channel();
    std::thread::spawn(move || {
        let mut answers = answers.iter().copied().chain(std::iter::repeat("200 OK"));
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = answers.next().unwrap();
            write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            let posted = (head.to_ascii_lowercase(), String::from_utf8(body).unwrap());
            if sender.send(posted).is_err() {
                return;
            }
        }
    });
    (url, posted)
}

fn posting(stage: &Stage, webhook: Webhook) -> Runtime {
    let builder = stage.secure_builder().approvers(keys());
    with_secret(builder.approval_webhook(webhook.pause(Duration::ZERO))).build().unwrap()
}

/// A bound against hanging, and nothing that is measured.
fn next(posted: &Receiver<Posted>) -> Posted {
    posted.recv_timeout(Duration::from_secs(30)).unwrap()
}

#[tokio::test]
async fn a_webhook_is_posted_until_it_is_taken_and_once_for_each_request() {
    let stage = Stage::new();
    let (url, posted) = server(&["503 Busy", "429 Slower"]);
    let runtime = posting(&stage, Webhook::new(&url).unwrap().secret("between us"));
    let request = ask(&runtime, "k").await.approval.unwrap();
    ask(&runtime, "k").await;
    ask(&runtime, "k2").await;
    let tries = [next(&posted), next(&posted), next(&posted)];
    assert!(tries.iter().all(|(_, body)| *body == tries[0].1), "{tries:?}");
    let (head, body) = &tries[0];
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["request"], &told["key"]), (&(&*request.0).into(), &"k".into()));
    assert!(head.starts_with("post /hooks/hush http/1.1"), "{head}");
    assert!(head.contains(&format!("idempotency-key: {request}")), "{head}");
    assert!(head.contains("tool-contract-signature: t="), "{head}");
    assert!(!format!("{tries:?}").contains("sesame"));
    let (_, body) = next(&posted);
    assert!(body.contains(r#""key":"k2""#), "{body}");
}

#[tokio::test]
async fn a_webhook_that_fails_touches_nothing() {
    let stage = Stage::new();
    // The first is refused for good; the second is given up after its tries.
    let (url, posted) = server(&["403 No", "500 No", "500 No"]);
    let runtime = posting(&stage, Webhook::new(&url).unwrap().tries(2));
    for key in ["k", "k2", "k3"] {
        assert_eq!(ask(&runtime, key).await.status, Status::AwaitingApproval);
    }
    let keys: Vec<_> = (0..4).map(|_| next(&posted).1).collect();
    for (body, key) in keys.iter().zip(["k", "k2", "k2", "k3"]) {
        assert!(body.contains(&format!(r#""key":"{key}""#)), "{body}");
    }
    // And where nobody listens at all.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = Webhook::new(&format!("http://{closed}/")).unwrap();
    let runtime = posting(&stage, webhook);
    assert_eq!(ask(&runtime, "k4").await.status, Status::AwaitingApproval);
}
