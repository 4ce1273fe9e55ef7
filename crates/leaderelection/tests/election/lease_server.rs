//! One Lease in memory, behind links that can be cut, slowed down, and made to lose replies.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use kube_client::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::{BoxError, util::BoxCloneService};

/// The fault of the requests of one client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Weather {
    /// Requests and replies take this long.
    Fair { there: Duration, back: Duration },
    /// Requests are lost: there is no response.
    Cut,
    /// Requests take effect after this time, but there is no response.
    Deaf { there: Duration },
    /// Requests fail with this code.
    Failing(u16),
    /// Requests take effect if `commit`, and the response is no Lease.
    Garbage { commit: bool },
}

impl Weather {
    pub(crate) const CLEAR: Self = Self::Fair { there: Duration::ZERO, back: Duration::ZERO };
}

pub(crate) type Connection = BoxCloneService<Request<Body>, Response<Body>, BoxError>;

/// The connection of one client to the server.
#[derive(Debug)]
pub(crate) struct Link {
    weather: Mutex<Weather>,
    /// The time by which this client's wall clock is ahead.
    skew: Mutex<SignedDuration>,
    calls: Mutex<Vec<&'static str>>,
    /// The codes with which the next updates fail, in addition to the fault.
    refusals: Mutex<Vec<u16>>,
}

impl Link {
    pub(crate) fn set(&self, weather: Weather) {
        *self.weather.lock().expect("no test panics here") = weather;
    }

    /// Sets the number of seconds by which this client's wall clock is ahead.
    pub(crate) fn set_skew(&self, seconds: i64) {
        *self.skew.lock().expect("no test panics here") = SignedDuration::from_secs(seconds);
    }

    /// Fails the next update with `code`.
    pub(crate) fn refuse_update(&self, code: u16) {
        self.refusals.lock().expect("no test panics here").push(code);
    }

    /// Takes the calls so far.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().expect("no test panics here"))
    }
}

/// The server. It stores JSON, so that a test can store values that no type here can represent.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeaseServer {
    lease: Arc<Mutex<Option<Value>>>,
    version: Arc<AtomicU64>,
}

impl LeaseServer {
    /// A client with a wall clock that is `skew_seconds` ahead, and its link.
    pub(crate) fn client(&self, skew_seconds: i64) -> (Client, Arc<Link>) {
        let (service, link) = self.service(skew_seconds);
        (Client::new(service, "default"), link)
    }

    /// The service of such a client.
    pub(crate) fn service(&self, skew_seconds: i64) -> (Connection, Arc<Link>) {
        let link = Arc::new(Link {
            weather: Mutex::new(Weather::CLEAR),
            skew: Mutex::new(SignedDuration::from_secs(skew_seconds)),
            calls: Mutex::default(),
            refusals: Mutex::default(),
        });
        let (server, of) = (self.clone(), Arc::clone(&link));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, link) = (server.clone(), Arc::clone(&of));
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                // In its own task: a sent request arrives, even if the client stops waiting for it.
                let response =
                    tokio::spawn(async move { server.transmit(&link, &parts.method, &body).await });
                let (code, body) = response.await.expect("the server does not panic");
                let body = match body {
                    Value::String(garbage) => garbage,
                    json => json.to_string(),
                };
                let mut response = Response::builder().status(code);
                if code == StatusCode::TOO_MANY_REQUESTS {
                    response = response.header("Retry-After", "3600");
                }
                let body = Body::from(body.into_bytes());
                Ok(response.body(body).expect("valid"))
            }
        });
        (BoxCloneService::new(service), link)
    }

    async fn transmit(&self, link: &Link, method: &Method, body: &[u8]) -> (StatusCode, Value) {
        let verb = match *method {
            Method::GET => "get",
            Method::POST => "create",
            _ => "update",
        };
        link.calls.lock().expect("no test panics here").push(verb);
        let weather = *link.weather.lock().expect("no test panics here");
        let refusal = (verb == "update").then(|| link.refusals.lock().expect("no test panics here").pop());
        if let Some(Some(code)) = refusal {
            return failure(code);
        }
        let skew = *link.skew.lock().expect("no test panics here");
        match weather {
            Weather::Fair { there, back } => {
                sleep(there).await;
                let response = self.serve(method, body, skew);
                sleep(back).await;
                response
            }
            Weather::Cut => std::future::pending().await,
            Weather::Deaf { there } => {
                sleep(there).await;
                self.serve(method, body, skew);
                std::future::pending().await
            }
            Weather::Failing(code) => failure(code),
            Weather::Garbage { commit } => {
                if commit {
                    self.serve(method, body, skew);
                }
                (StatusCode::OK, json!("<html>"))
            }
        }
    }

    fn serve(&self, method: &Method, body: &[u8], skew: SignedDuration) -> (StatusCode, Value) {
        let mut stored = self.lease.lock().expect("no test panics here");
        if *method == Method::GET {
            return stored.as_ref().map_or_else(|| failure(404), |lease| (StatusCode::OK, lease.clone()));
        }
        let mut lease: Value = serde_json::from_slice(body).expect("JSON");
        let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
        match (&*stored, *method == Method::POST) {
            (None, false) => return failure(404),
            (Some(_), true) => return failure(409),
            (Some(old), false) if version(old) != version(&lease) => return failure(409),
            _ => {}
        }
        // The client writes the times of its own clock.
        for field in ["renewTime", "acquireTime"] {
            if let Ok(MicroTime(time)) = serde_json::from_value(lease["spec"][field].clone()) {
                let skewed = time.checked_add(skew).expect("not at the end of time");
                lease["spec"][field] = json!(MicroTime(skewed));
            }
        }
        self.store(&mut stored, lease)
    }

    fn store(&self, stored: &mut Option<Value>, mut lease: Value) -> (StatusCode, Value) {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        lease["metadata"]["resourceVersion"] = json!(version.to_string());
        *stored = Some(lease.clone());
        (StatusCode::OK, lease)
    }

    /// The Lease.
    pub(crate) fn lease(&self) -> Option<Value> {
        self.lease.lock().expect("no test panics here").clone()
    }

    /// Returns the holder, if there is one, the transitions and the duration of the Lease.
    pub(crate) fn record(&self) -> Option<(Option<String>, Option<i32>, Option<i32>)> {
        let lease: Lease = serde_json::from_value(self.lease()?).expect("a lease");
        let spec = lease.spec.unwrap_or_default();
        let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
        Some((holder, spec.lease_transitions, spec.lease_duration_seconds))
    }

    /// Writes a record without a client: of `holder`, for 3 s, after one transition, renewed `ago` seconds
    /// before now by the wall clock.
    pub(crate) fn put(&self, holder: Option<&str>, ago: i64) {
        let time = MicroTime(Timestamp::now() - SignedDuration::from_secs(ago));
        self.put_spec(&json!({
            "holderIdentity": holder, "leaseDurationSeconds": 3, "leaseTransitions": 1,
            "renewTime": time, "acquireTime": time,
        }));
    }

    /// Writes a record without a client.
    pub(crate) fn put_spec(&self, spec: &Value) {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"namespace": "default", "name": "web"}, "spec": spec,
        });
        self.store(&mut self.lease.lock().expect("no test panics here"), lease);
    }

    /// Deletes the Lease, or removes its record.
    pub(crate) fn wipe(&self, delete: bool) {
        let mut stored = self.lease.lock().expect("no test panics here");
        if delete {
            *stored = None;
        } else if let Some(mut lease) = stored.clone() {
            lease.as_object_mut().expect("an object").remove("spec");
            self.store(&mut stored, lease);
        }
    }
}

fn failure(code: u16) -> (StatusCode, Value) {
    let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "no"});
    (StatusCode::from_u16(code).expect("a status code"), status)
}
