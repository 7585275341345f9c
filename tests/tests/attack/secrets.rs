//! Secrets are nowhere in clear.

use serde_json::json;
use tool_contract::ledger::{Query, verify};
use tool_contract::{Meta, Request, Status};

use crate::stage::{Folder, in_file, pay};

#[tokio::test]
async fn a_secret_is_nowhere_in_clear() {
    const SECRET: &str = "4111-1111-1111-1234";
    let folder = Folder::new();
    let runtime = in_file(&folder.ledger()).await;
    let mut seen = Vec::new();
    let approver = runtime.insecure_local_approver("alice");
    for (key, order) in [("s1", "secret"), ("s2", "secret-busy")] {
        let arguments = json!({"order": order, "card": SECRET});
        let meta = Meta { idempotency_key: Some(key.into()), ..Meta::default() };
        let request = Request::new("pay", &arguments, meta).unwrap();
        seen.push(format!("{request:?}"));
        let asked = runtime.dispatch(request.clone()).await;
        seen.push(format!("{asked:?} {}", serde_json::to_string(&asked).unwrap()));
        seen.push(format!("{:?}", approver.waiting().await.unwrap()));
        approver.grant_request(asked.approval.as_ref().unwrap()).await.unwrap();
        let done = runtime.dispatch(request).await;
        assert_ne!(done.status, Status::Refused, "{done:?}");
        seen.push(format!("{done:?} {}", serde_json::to_string(&done).unwrap()));
        let call = pay("another".into(), SECRET.into());
        seen.push(format!("{call:?} {:?}", call.arguments()));
        let call = call.key(key);
        seen.push(format!("{:?}", call.request_approval(&runtime).await));
    }
    // Of the wrong type, in the wrong place, twice.
    for arguments in [
        json!({"order": "o", "card": [SECRET]}).to_string(),
        json!({"order": "o", "card": {"number": SECRET}}).to_string(),
        json!({"order": "o", "card": SECRET, "carb": SECRET}).to_string(),
        json!([SECRET]).to_string(),
        json!(SECRET).to_string(),
        format!(r#"{{"order":"o","card":"{SECRET}","card":"{SECRET}"}}"#),
        format!(r#"{{"order":"o","card":"{SECRET}"#),
    ] {
        let request = format!(
            r#"{{"tool":"pay","arguments":{arguments},"meta":{{"idempotency_key":"s3"}}}}"#
        );
        seen.push(format!("{:?}", runtime.dispatch_json(request.as_bytes()).await));
    }
    let ledger = runtime.ledger().unwrap();
    for (id, record) in ledger.list(Query::default()).await.unwrap() {
        let history = ledger.history(id.clone()).await.unwrap();
        verify(&history, &record.chain).unwrap();
        seen.push(format!("{record:?} {history:?}"));
    }
    for text in &seen {
        assert!(!text.contains(SECRET), "{text}");
    }
    let bytes = folder.bytes();
    assert!(bytes.windows(6).any(|window| window == b"secret"), "the file is searched");
    assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
}
