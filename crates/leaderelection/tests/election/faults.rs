//! Faults of an API server: the term continues, and the log has the reason of a failed renewal once.

use std::time::Duration;

use kube_client::client::{ClientBuilder, retry::RetryPolicy};
use tokio::time::sleep;
use tower::retry::RetryLayer;
use trimtab_leaderelection::{LeaderElector, Outcome};

use crate::{
    lease_server::{LeaseServer, Link, Weather},
    log,
};

/// Leads, injects a fault after 5 s for 6 s, and checks that the leader still leads 20 s later. Returns the log.
async fn outlives(fault: impl Fn(&LeaseServer, &Link), end: impl Fn(&Link)) -> Vec<String> {
    let (log, _guard) = log::capture();
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let builder = LeaderElector::builder(client, "default", "web").identity("a");
    let mut elector = builder.build().expect("sound settings");
    let outcome = elector
        .run(std::future::pending(), |leadership| {
            let (server, link, fault, end) = (&server, &link, &fault, &end);
            async move {
                sleep(Duration::from_secs(5)).await;
                fault(server, link);
                sleep(Duration::from_secs(6)).await;
                end(link);
                sleep(Duration::from_secs(20)).await;
                leadership.is_valid()
            }
        })
        .await;
    assert_eq!(outcome, Outcome::Finished(true), "{:?}", log.take());
    log.take()
}

fn clear(link: &Link) {
    link.set(Weather::CLEAR);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_logged_and_overcome() {
    let lines = outlives(|_, link| link.refuse_update(409), clear).await;
    let line = "renewing the Lease failed, so it is read again: another client wrote first (409)";
    assert_eq!(lines, [line]);
}

/// The leader creates its deleted Lease again, if no other candidate has.
#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_logged_and_created_again() {
    let lines = outlives(|server, _| server.wipe(true), clear).await;
    assert_eq!(lines, ["renewing the Lease failed, so it is read again: the object is gone (404)"]);
}

#[tokio::test(start_paused = true)]
async fn denied_access_is_logged_once_and_outlived() {
    let lines = outlives(|_, link| link.set(Weather::Failing(403)), clear).await;
    let line = "renewing the Lease failed, so it is read again: the API server denies access (401 or 403): \
                check the Role of this process";
    assert_eq!(lines, [line]);
}

/// The server requests a delay of an hour, and the client obeys.
#[tokio::test(start_paused = true)]
async fn a_long_retry_after_is_logged_once_and_does_not_delay_the_next_attempt() {
    let lines = outlives(|_, link| link.set(Weather::Failing(429)), clear).await;
    let line = "renewing the Lease failed, so it is read again: the API server is overloaded (429); \
                Retry-After does not delay the next attempt";
    assert_eq!(lines, [line]);

    let server = LeaseServer::default();
    let (service, link) = server.service(0);
    let retries = RetryLayer::new(RetryPolicy::server_retry());
    let client = ClientBuilder::new(service, "default").with_layer(&retries).build();
    let mut elector = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    let outcome = elector
        .run(std::future::pending(), |leadership| {
            let link = &link;
            async move {
                link.set(Weather::Failing(429));
                sleep(Duration::from_secs(4)).await;
                link.set(Weather::CLEAR);
                sleep(Duration::from_secs(20)).await;
                leadership.is_valid()
            }
        })
        .await;
    assert_eq!(outcome, Outcome::Finished(true));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_logged_once_and_outlived() {
    let lines = outlives(|_, link| link.set(Weather::Cut), clear).await;
    assert_eq!(lines, ["renewing the Lease failed, so it is read again: no response within 5s"]);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_logged_once_and_outlived() {
    for commit in [false, true] {
        let lines = outlives(|_, link| link.set(Weather::Garbage { commit }), clear).await;
        let start = "renewing the Lease failed, so it is read again: the response is not what was requested";
        assert!(lines[0].starts_with(start), "{lines:?}");
        // A write whose response could not be read has changed the Lease.
        let conflict = "renewing the Lease failed, so it is read again: another client wrote first (409)";
        assert_eq!(lines[1..], [conflict][..usize::from(commit)]);
    }
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_server_are_logged_once_and_outlived() {
    let lines = outlives(|_, link| link.set(Weather::Failing(503)), clear).await;
    let line = "renewing the Lease failed, so it is read again: the API server responded with 503";
    assert_eq!(lines, [line]);
}

/// The wall clock of the leader jumps an hour ahead, then to an hour behind, without an effect.
#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_changes_nothing() {
    let lines = outlives(|_, link| link.set_skew(3600), |link| link.set_skew(-3600)).await;
    assert_eq!(lines, [""; 0]);
}

/// A loss is logged with its reason. A candidate that cannot read the Lease logs the reason once.
#[tokio::test(start_paused = true)]
async fn a_loss_and_a_failing_candidate_are_logged_once() {
    let (log, _guard) = log::capture();
    let server = LeaseServer::default();
    let (client, link) = server.client(0);
    let mut elector = LeaderElector::builder(client, "default", "web").build().expect("sound settings");
    let lead = |leadership: trimtab_leaderelection::Leadership| {
        link.set(Weather::Failing(403));
        async move { leadership.lost().await }
    };
    let outcome = elector.run_terms(sleep(Duration::from_secs(60)), lead).await;
    assert_eq!(outcome, Outcome::NeverLed, "in its second term");
    let lines = log.take();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("denies access"));
    assert_eq!(lines[1], "no renewal succeeded in time: leadership is lost");
}
