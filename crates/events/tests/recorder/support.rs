//! A publisher that a test stops, and a server that responds from a script.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use http_body_util::BodyExt;
use k8s_openapi::{api::core::v1::ObjectReference, jiff::Timestamp};
use kube_client::{Client, client::Body};
use tokio::{sync::oneshot, task::JoinHandle};
use trimtab_events::{EventRecorder, EventRecorderBuilder, Form, NewEvent, Unsent};

pub(crate) fn pod() -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        namespace: Some("default".into()),
        name: Some("web".into()),
        uid: Some("1".into()),
        ..ObjectReference::default()
    }
}

pub(crate) fn created(note: &str) -> NewEvent {
    NewEvent::normal("Created", "CreatePod", note)
}

pub(crate) const FORMS: [Form; 2] = [Form::Events, Form::Core];

pub(crate) fn website(form: Form) -> EventRecorderBuilder {
    EventRecorder::builder("website").form(form)
}

/// A publisher that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) recorder: EventRecorder,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) publisher: JoinHandle<Unsent>,
}

impl Running {
    pub(crate) fn start(builder: EventRecorderBuilder) -> Self {
        let epoch = tokio::time::Instant::now();
        let (recorder, publisher) = builder.clock(move || Timestamp::UNIX_EPOCH + epoch.elapsed()).build();
        let (stop, stopped) = oneshot::channel::<()>();
        let publisher = tokio::spawn(publisher.run(async { _ = stopped.await }));
        Self { recorder, stop, publisher }
    }

    pub(crate) async fn stop(self) -> Unsent {
        self.stop.send(()).expect("the publisher runs");
        self.publisher.await.expect("no panic")
    }
}

/// A server that responds from a script, and accepts everything once the script has ended.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) requests: Arc<Mutex<Vec<(String, serde_json::Value)>>>,
    /// The number of requests that break for each object before one succeeds.
    pub(crate) breaks: usize,
}

#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Status(u16, &'static str),
    Garbage,
    Broken,
}

impl Script {
    pub(crate) fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    pub(crate) fn client(&self) -> Client {
        let script = self.clone();
        let answer = move |request: Request<Body>| {
            let script = script.clone();
            async move { script.answer(request).await }
        };
        Client::new(tower::service_fn(answer), "default")
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, std::io::Error> {
        let method = request.method().to_string();
        let body = request.into_body().collect().await.expect("a body").to_bytes();
        let sent: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut requests = self.requests.lock().expect("no test panicked while holding it");
        let earlier = requests.iter().rev().take(self.breaks).filter(|(_, one)| one == &sent).count();
        requests.push((method, sent));
        drop(requests);
        if earlier < self.breaks {
            return Err(std::io::Error::other("connection reset"));
        }
        let (code, text) = match self.answers.lock().expect("no test panicked while holding it").pop_front() {
            None => (201, String::from_utf8_lossy(&body).into_owned()),
            Some(Answer::Broken) => return Err(std::io::Error::other("connection reset")),
            Some(Answer::Garbage) => (200, "no JSON".to_owned()),
            Some(Answer::Status(code, reason)) => {
                let status = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "metadata": {}, "code": code, "reason": reason, "message": reason});
                (code, status.to_string())
            }
        };
        Ok(Response::builder().status(code).body(Body::from(text.into_bytes())).expect("a response"))
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().expect("no test panicked while holding it").len()
    }
}
