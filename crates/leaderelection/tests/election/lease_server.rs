//! One Lease in memory, behind links that can be cut, slowed down, and made to lose replies.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{api::coordination::v1::Lease, apimachinery::pkg::apis::meta::v1::MicroTime};
use kube_client::Client;
use serde_json::{Value, json};
use tokio::time::sleep;
use trimtab_test_support::server::{ApiRequest, client, failure, json_response};

/// What becomes of the requests of one client.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Weather {
    /// Requests and replies take this long.
    Fair { there: Duration, back: Duration },
    /// Requests vanish: no answer ever comes.
    Cut,
    /// Requests take effect after this long, but no answer ever comes.
    Deaf { there: Duration },
    /// Requests are answered with this code.
    Failing(u16),
}

impl Weather {
    pub(crate) const CLEAR: Self = Self::Fair { there: Duration::ZERO, back: Duration::ZERO };
}

/// One client's way to the server.
#[derive(Debug)]
pub(crate) struct Link {
    weather: Mutex<Weather>,
    /// How far this client's wall clock is ahead.
    skew: SignedDuration,
    calls: Mutex<Vec<&'static str>>,
    /// Failures to answer the next updates with, whatever the weather.
    refusals: Mutex<Vec<u16>>,
}

impl Link {
    pub(crate) fn set(&self, weather: Weather) {
        *self.weather.lock().expect("no test panics here") = weather;
    }

    /// Answers the next update with `code`.
    pub(crate) fn refuse_update(&self, code: u16) {
        self.refusals.lock().expect("no test panics here").push(code);
    }

    /// The calls so far, which are forgotten.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().expect("no test panics here"))
    }
}

/// The server.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeaseServer {
    lease: Arc<Mutex<Option<Lease>>>,
    version: Arc<AtomicU64>,
}

impl LeaseServer {
    /// A client with a wall clock that is `skew_seconds` ahead, and its link.
    pub(crate) fn client(&self, skew_seconds: i64) -> (Client, Arc<Link>) {
        let link = Arc::new(Link {
            weather: Mutex::new(Weather::CLEAR),
            skew: SignedDuration::from_secs(skew_seconds),
            calls: Mutex::default(),
            refusals: Mutex::default(),
        });
        let (server, of) = (self.clone(), Arc::clone(&link));
        let client = client(move |request| {
            let (server, link) = (server.clone(), Arc::clone(&of));
            async move {
                // A task of its own: a request that was sent arrives, even if the client stops waiting.
                let response = tokio::spawn(async move { server.transmit(&link, request).await });
                let (code, body) = response.await.expect("the server does not panic");
                Ok(json_response(code, &body))
            }
        });
        (client, link)
    }

    async fn transmit(&self, link: &Link, request: ApiRequest) -> (u16, Value) {
        let verb = match request.method {
            Method::GET => "get",
            Method::POST => "create",
            _ => "update",
        };
        link.calls.lock().expect("no test panics here").push(verb);
        let weather = *link.weather.lock().expect("no test panics here");
        let refused = (verb == "update").then(|| link.refusals.lock().expect("no test panics here").pop());
        if let Some(Some(code)) = refused {
            return refusal(code);
        }
        match weather {
            Weather::Fair { there, back } => {
                sleep(there).await;
                let answer = self.serve(request, link.skew);
                sleep(back).await;
                answer
            }
            Weather::Cut => std::future::pending().await,
            Weather::Deaf { there } => {
                sleep(there).await;
                self.serve(request, link.skew);
                std::future::pending().await
            }
            Weather::Failing(code) => refusal(code),
        }
    }

    fn serve(&self, request: ApiRequest, skew: SignedDuration) -> (u16, Value) {
        let mut stored = self.lease.lock().expect("no test panics here");
        if request.method == Method::GET {
            return stored.as_ref().map_or_else(|| refusal(404), |lease| (200, json!(lease)));
        }
        let mut lease: Lease = serde_json::from_value(request.body).expect("a lease");
        match (&*stored, request.method == Method::POST) {
            (None, false) => return refusal(404),
            (Some(_), true) => return refusal(409),
            (Some(old), false) if old.metadata.resource_version != lease.metadata.resource_version => {
                return refusal(409);
            }
            _ => {}
        }
        // As if the client had written the times of its own clock.
        let spec = lease.spec.as_mut().expect("a spec");
        let skewed = |time: &mut Option<MicroTime>| {
            *time =
                time.take().map(|time| MicroTime(time.0.checked_add(skew).expect("not at the end of time")));
        };
        skewed(&mut spec.renew_time);
        skewed(&mut spec.acquire_time);
        self.store(&mut stored, lease)
    }

    fn store(&self, stored: &mut Option<Lease>, mut lease: Lease) -> (u16, Value) {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        lease.metadata.resource_version = Some(version.to_string());
        *stored = Some(lease.clone());
        (200, json!(lease))
    }

    /// The holder, if there is one, the transitions and the duration that the lease has now.
    pub(crate) fn record(&self) -> Option<(Option<String>, Option<i32>, Option<i32>)> {
        let lease = self.lease.lock().expect("no test panics here").clone()?;
        let spec = lease.spec.unwrap_or_default();
        let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
        Some((holder, spec.lease_transitions, spec.lease_duration_seconds))
    }

    /// Writes a record past all clients: of `holder`, for 3 s, after one transition, renewed `ago`
    /// seconds before now, by the wall clock.
    pub(crate) fn put(&self, holder: Option<&str>, ago: i64) {
        let time = MicroTime(Timestamp::now() - SignedDuration::from_secs(ago));
        let lease = json!({
            "metadata": {"namespace": "default", "name": "web"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 3, "leaseTransitions": 1, "renewTime": time, "acquireTime": time},
        });
        let lease = serde_json::from_value(lease).expect("a lease");
        self.store(&mut self.lease.lock().expect("no test panics here"), lease);
    }

    /// Deletes the lease, or takes its record away.
    pub(crate) fn wipe(&self, delete: bool) {
        let mut stored = self.lease.lock().expect("no test panics here");
        if delete {
            *stored = None;
        } else if let Some(mut lease) = stored.clone() {
            lease.spec = None;
            self.store(&mut stored, lease);
        }
    }
}

fn refusal(code: u16) -> (u16, Value) {
    (code, failure(code, "no"))
}
