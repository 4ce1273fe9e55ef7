//! The fence: no write is sent after the end of the token, even by retries of the client.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Request, Response};
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    client::{Body, ClientBuilder, retry::RetryPolicy},
};
use tokio::{
    sync::Notify,
    time::{Instant, advance, sleep, timeout},
};
use tower::{BoxError, retry::RetryLayer};
use trimtab_leaderelection::{FenceLayer, FencedError, LeaderElector, Leadership, Outcome};

use crate::lease_server::{LeaseServer, Weather};

const RENEW: Duration = Duration::from_secs(10);

/// A server that counts requests, and replies with a ConfigMap and this code after a delay.
#[derive(Clone, Default)]
struct Writes {
    count: Arc<AtomicUsize>,
    code: Arc<Mutex<u16>>,
    delay: Arc<Mutex<Duration>>,
    /// The request waits for a connection until this is notified.
    connection: Option<Arc<Notify>>,
}

impl Writes {
    fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    fn set(&self, code: u16, delay: Duration) {
        *self.code.lock().expect("unpoisoned") = code;
        *self.delay.lock().expect("unpoisoned") = delay;
    }

    fn client(&self, fence: &FenceLayer) -> Api<ConfigMap> {
        let this = self.clone();
        let service = tower::service_fn(move |_: Request<Body>| {
            let this = this.clone();
            async move {
                if let Some(connection) = &this.connection {
                    connection.notified().await;
                }
                this.count.fetch_add(1, SeqCst);
                let (code, delay) =
                    (*this.code.lock().expect("unpoisoned"), *this.delay.lock().expect("unpoisoned"));
                sleep(delay).await;
                let body = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}"#;
                let body = Body::from(body.as_bytes().to_vec());
                let code = if code == 0 { 200 } else { code };
                Ok::<_, BoxError>(Response::builder().status(code).body(body).expect("valid"))
            }
        });
        let retries = RetryLayer::new(RetryPolicy::server_retry());
        let client: Client =
            ClientBuilder::new(service, "default").with_layer(&retries).with_layer(fence).build();
        Api::default_namespaced(client)
    }
}

fn elector(server: &LeaseServer) -> (LeaderElector, Arc<crate::lease_server::Link>) {
    let (client, link) = server.client(0);
    (LeaderElector::builder(client, "default", "web").identity("a").build().expect("sound settings"), link)
}

async fn create(api: &Api<ConfigMap>) -> Result<(), kube_client::Error> {
    api.create(&PostParams::default(), &ConfigMap::default()).await.map(drop)
}

/// Returns whether `result` is the fence's error, and nothing was sent.
fn unsent(result: Result<(), kube_client::Error>) -> bool {
    let error = result.expect_err("fenced");
    let fenced = FencedError::find(&error).expect("the fence's own error");
    fenced.is_unsent()
}

/// Guarantee 8. Guards the first `is_valid` in `Fence::call`.
#[tokio::test(start_paused = true)]
async fn writes_are_sent_while_this_process_leads_and_reads_always() {
    let (server, writes) = (LeaseServer::default(), Writes::default());
    let (mut elector, _) = elector(&server);
    let api = writes.client(&elector.fence());
    assert!(unsent(create(&api).await));
    assert!(unsent(api.delete("x", &DeleteParams::default()).await.map(drop)));
    let patch = Patch::Merge(serde_json::json!({}));
    assert!(unsent(api.patch("x", &PatchParams::default(), &patch).await.map(drop)));
    assert_eq!(writes.count(), 0);
    api.get("x").await.expect("read");
    assert_eq!(writes.count(), 1);

    let mut of_first_term = None;
    for term in 0..2 {
        let outcome = elector
            .run(pending(), |leadership| {
                let first = of_first_term.get_or_insert_with(|| writes.client(&FenceLayer::new(leadership)));
                let (api, first) = (api.clone(), first.clone());
                async move { (create(&api).await.is_ok(), create(&first).await.is_ok()) }
            })
            .await;
        assert_eq!(outcome, Outcome::Finished((true, term == 0)), "a token's fence opens for its term");
        assert!(unsent(create(&api).await), "between the terms");
    }
    assert_eq!(writes.count(), 1 + 2 + 1);
}

/// Guarantee 8: a write in flight is cut off at the token's end, with an unknown outcome.
#[tokio::test(start_paused = true)]
async fn a_write_in_flight_is_bounded_by_the_token_and_a_renewal_moves_the_bound() {
    let (server, writes) = (LeaseServer::default(), Writes::default());
    let (mut elector, link) = elector(&server);
    let api = writes.client(&elector.fence());
    let outcome: Outcome<()> = elector
        .run(pending(), |leadership| async move {
            writes.set(200, RENEW * 2);
            create(&api).await.expect("the token was renewed meanwhile");
            link.set(Weather::Cut);
            let end = leadership.valid_until();
            assert!(!unsent(create(&api).await), "it was sent");
            assert!(Instant::now() <= end + Duration::from_millis(1));
            pending().await
        })
        .await;
    assert_eq!(outcome, Outcome::Lost(None));
}

/// The client would retry for hours.
#[tokio::test(start_paused = true)]
async fn no_retry_is_sent_after_the_end_of_the_token() {
    let (server, writes) = (LeaseServer::default(), Writes::default());
    let (mut elector, link) = elector(&server);
    let api = writes.client(&elector.fence());
    let (counter, writes_) = (writes.clone(), writes.clone());
    let outcome: Outcome<()> = elector
        .run(pending(), |_| async move {
            link.set(Weather::Cut);
            writes_.set(503, Duration::ZERO);
            tokio::spawn(async move { assert!(!unsent(create(&api).await)) });
            pending().await
        })
        .await;
    assert_eq!(outcome, Outcome::Lost(None));
    let sent = counter.count();
    assert!(sent > 3, "it retried: {sent}");
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(writes.count(), sent);
}

/// The process was suspended between the check and the sending. Guards `is_valid` in the `poll_fn` of `Fence::call`.
#[tokio::test(start_paused = true)]
async fn a_write_that_waited_for_a_connection_is_not_sent_after_the_end_of_the_token() {
    let server = LeaseServer::default();
    let connection = Arc::new(Notify::new());
    let writes = Writes { connection: Some(connection.clone()), ..Writes::default() };
    let (mut elector, _) = elector(&server);
    let api = writes.client(&elector.fence());
    let lead = |_: Leadership| async move {
        let writing = tokio::spawn(async move { create(&api).await });
        sleep(Duration::from_millis(1)).await;
        advance(RENEW).await; // everybody sleeps, renewals included
        connection.notify_one();
        timeout(Duration::from_secs(1), writing).await.expect("at once").expect("no panic")
    };
    let outcome = elector.run(pending(), lead).await;
    let error = outcome.into_output().expect("it returns in time").expect_err("fenced");
    assert!(!FencedError::find(&error).expect("the fence's error").is_unsent(), "for all the fence knows");
    assert_eq!(writes.count(), 0);
}
