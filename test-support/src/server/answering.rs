//! A server that answers from a function and keeps the requests.

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use kube_client::Client;
use serde_json::Value;

use super::{ApiRequest, client, json_response};

/// The requests that a server has received, in order.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<ApiRequest>>>);

impl Requests {
    /// Returns all requests so far.
    pub fn all(&self) -> Vec<ApiRequest> {
        self.0.lock().expect("no test panics while it records").clone()
    }

    /// Returns the requests so far with one HTTP method.
    pub fn of(&self, method: &str) -> Vec<ApiRequest> {
        self.all().into_iter().filter(|request| request.method == method).collect()
    }
}

/// Returns a client of a server that gives the responses of `respond`, a status code and a JSON body, and its
/// requests.
pub fn answering(
    respond: impl Fn(&ApiRequest) -> (u16, Value) + Send + Sync + 'static,
) -> (Client, Requests) {
    let requests = Requests::default();
    let record = requests.clone();
    let respond = Arc::new(respond);
    let client = client(move |request| {
        record.0.lock().expect("no test panics while it records").push(request.clone());
        let (code, body) = respond(&request);
        ready(Ok(json_response(code, &body)))
    });
    (client, requests)
}
