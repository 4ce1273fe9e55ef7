//! A server that answers from a script and keeps the requests.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube_client::{Client, client::Body};
use serde_json::{Value, json};

/// A request: its method, its path, and its body if it has one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// The calls that were made, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    pub(crate) fn all(&self) -> Vec<Call> {
        self.0.lock().expect("no test panics while it records").clone()
    }

    pub(crate) fn of(&self, method: &str) -> Vec<Call> {
        self.all().into_iter().filter(|call| call.method == method).collect()
    }
}

/// A client of a server that gives the answers of `script`: a status code and a body.
pub(crate) fn client(script: impl Fn(&Call) -> (u16, Value) + Send + Sync + 'static) -> (Client, Calls) {
    let calls = Calls::default();
    let record = calls.clone();
    let script = Arc::new(script);
    let service = tower::service_fn(move |request: Request<Body>| {
        let (record, script) = (record.clone(), Arc::clone(&script));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            let call = Call {
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            record.0.lock().expect("no test panics while it records").push(call.clone());
            let (code, answer) = script(&call);
            let body = Body::from(answer.to_string().into_bytes());
            Ok::<_, kube_client::Error>(
                Response::builder().status(code).body(body).expect("a valid response"),
            )
        }
    });
    (Client::new(service, "default"), calls)
}

/// The `Status` that a server sends with an error.
pub(crate) fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (code, status)
}
