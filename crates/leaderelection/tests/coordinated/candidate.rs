//! One candidate of a coordinated election, request by request.

use std::time::Duration;

use http::StatusCode;
use kube_client::api::{DeleteParams, PostParams};
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_leaderelection::Outcome;

use crate::{
    Candidate, WIND_UP,
    server_elector::{Hand, LeaseCandidate, is_answered},
};

/// A little more than the time in which a candidate notices a change.
const SOON: Duration = Duration::from_millis(2_100);

fn candidates() -> Filter {
    Filter::any().resource("leasecandidates.coordination.k8s.io")
}

fn unserved() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "NotFound")
}

/// LC-T1.
#[tokio::test(start_paused = true)]
async fn a_candidate_registers_its_versions_under_its_identity() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let candidate = Candidate::start(&server, "a", "1.36.0");
    sleep(Duration::from_millis(1)).await;
    let spec = hand.candidate("a").await.spec;
    assert_eq!((spec.lease_name.as_str(), spec.strategy.as_str()), ("web", "OldestEmulationVersion"));
    assert_eq!((spec.binary_version.as_str(), spec.emulation_version.as_str()), ("1.37.0", "1.36.0"));
    assert!(spec.renew_time.is_some() && spec.ping_time.is_none());
    assert_eq!(candidate.stop().await, Outcome::NeverLed);
}

/// LC-T2: within the 5 s that the server waits; after that nothing for 5 minutes.
#[tokio::test(start_paused = true)]
async fn a_candidate_answers_pings_and_is_renewed_every_five_minutes() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let _candidate = Candidate::start(&server, "a", "1.37.0");
    sleep(Duration::from_millis(1)).await;
    let fresh = hand.candidate("a").await;
    for wait in [SOON, Duration::from_secs(290), SOON] {
        let version = hand.candidate("a").await.metadata.resource_version;
        sleep(wait).await;
        assert_eq!(hand.candidate("a").await.metadata.resource_version, version, "at rest");
    }
    sleep(Duration::from_secs(10)).await;
    let renewed = hand.candidate("a").await;
    assert_ne!(renewed.metadata.resource_version, fresh.metadata.resource_version, "5 minutes have passed");
    assert!(renewed.spec.renew_time > fresh.spec.renew_time);

    for _ in 0..3 {
        hand.ping(&hand.candidate("a").await).await;
        assert!(!is_answered(&hand.candidate("a").await));
        sleep(SOON).await;
        let answer = hand.candidate("a").await;
        assert!(is_answered(&answer) && answer.spec.ping_time.is_some(), "the ping stays");
    }
}

/// The `LeaseCandidate` is deleted, for example by the garbage collector.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_was_deleted_is_created_again() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let _candidate = Candidate::start(&server, "a", "1.37.0");
    sleep(SOON).await;
    hand.candidates.delete("a", &DeleteParams::default()).await.expect("there");
    sleep(SOON).await;
    assert_eq!(hand.candidate("a").await.spec.lease_name, "web");
}

/// LE-T2. As upstream, only the server assigns the Lease.
#[tokio::test(start_paused = true)]
async fn a_candidate_leads_once_the_server_has_given_it_the_lease_and_not_before() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let candidate = Candidate::start(&server, "a", "1.37.0");
    sleep(Duration::from_secs(120)).await;
    assert!(!candidate.is_leader() && hand.lease().await.is_none(), "it creates none");
    hand.assign("b").await;
    sleep(Duration::from_secs(120)).await;
    assert!(!candidate.is_leader(), "it takes none that has expired");
    assert_eq!(hand.spec().await.holder_identity.as_deref(), Some("b"));

    hand.assign("a").await;
    sleep(SOON).await;
    assert!(candidate.is_leader());
    sleep(Duration::from_secs(600)).await;
    assert_eq!(candidate.terms(), 1);
    let spec = hand.spec().await;
    assert_eq!((spec.lease_transitions, spec.lease_duration_seconds), (Some(1), Some(15)));
    assert_eq!(spec.strategy.as_deref(), Some("OldestEmulationVersion"));
    assert_eq!(candidate.stop().await, Outcome::ShutDown(Some(())));
}

/// The work is notified at once, while its token is still valid. The Lease then expires, or is released when the work has
/// ended. Guards `.filter(|_| !coordinated)` in `Candidate::attempt`: without it, the candidate renews the Lease that
/// should expire.
#[tokio::test(start_paused = true)]
async fn a_term_ends_once_the_server_prefers_another_holder() {
    for release in [false, true] {
        let server = ApiServer::start();
        let hand = Hand::new(server.client());
        let candidate =
            Candidate::start_with(&server, "a", "1.37.0", |builder| builder.release_on_cancel(release));
        hand.assign("a").await;
        sleep(Duration::from_secs(60)).await;
        hand.prefer("b").await;
        let (version, asked) =
            (hand.lease().await.expect("a lease").metadata.resource_version, Instant::now());
        while !candidate.is_told_to_wind_up() {
            assert!(asked.elapsed() < SOON, "not told to wind up");
            sleep(Duration::from_millis(10)).await;
        }
        assert!(candidate.has_token() && candidate.is_leader(), "the lease is still ours");
        assert_eq!(hand.lease().await.expect("a lease").metadata.resource_version, version, "not renewed");
        sleep(WIND_UP + Duration::from_millis(10)).await;
        assert!(!candidate.has_token() && !candidate.is_leader());
        sleep(Duration::from_secs(60)).await;
        assert_eq!(candidate.terms(), 1, "it stands again, but does not take the lease back");
        let holder = hand.spec().await.holder_identity;
        assert_eq!(holder.as_deref(), Some(if release { "" } else { "a" }));

        hand.assign("a").await;
        sleep(SOON).await;
        assert_eq!(candidate.terms(), 2, "as the server wants it");
    }
}

/// The server does not remember the holder of a deleted Lease. Guards `(false, true) => Claim::Held` in `Candidate::attempt`.
#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_was_deleted_stops_and_creates_none() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let candidate = Candidate::start(&server, "a", "1.37.0");
    hand.assign("a").await;
    sleep(Duration::from_secs(60)).await;
    hand.leases.delete("web", &DeleteParams::default()).await.expect("there");
    sleep(SOON).await;
    assert!(!candidate.has_token() && !candidate.is_leader());
    sleep(Duration::from_secs(60)).await;
    assert!(hand.lease().await.is_none());
}

/// Errors of the `LeaseCandidate` do not affect the Lease. Guards `beside_candidacy` in `LeaderElector::run_terms`, which
/// runs both concurrently.
#[tokio::test(start_paused = true)]
async fn a_leader_whose_candidate_cannot_be_reached_renews_its_lease() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let candidate = Candidate::start(&server, "a", "1.37.0");
    hand.assign("a").await;
    sleep(SOON).await;
    let held = server.faults().hold(candidates().user_agent("a"));
    sleep(Duration::from_secs(300)).await;
    assert_eq!((candidate.is_leader(), candidate.terms()), (true, 1));
    held.release();
    let _refused = server.faults().refuse(candidates().user_agent("a"), Refusal::forbidden(), usize::MAX);
    sleep(Duration::from_secs(300)).await;
    assert_eq!((candidate.is_leader(), candidate.terms()), (true, 1));
}

/// A candidate that may not write its `LeaseCandidate` is never picked. Upstream's waits forever.
#[tokio::test(start_paused = true)]
async fn where_candidates_are_forbidden_the_plain_lease_decides() {
    for verbs in [&[Verb::Get, Verb::Create, Verb::Patch][..], &[Verb::Create, Verb::Patch]] {
        let server = ApiServer::start();
        let hand = Hand::new(server.client());
        let _faults: Vec<_> = verbs
            .iter()
            .map(|verb| {
                let requests = candidates().user_agent("a").verb(*verb);
                server.faults().refuse(requests, Refusal::forbidden(), usize::MAX)
            })
            .collect();
        let candidate = Candidate::start(&server, "a", "1.37.0");
        sleep(Duration::from_millis(1)).await;
        assert!(candidate.is_leader(), "at once: the lease was free");
        sleep(Duration::from_secs(60)).await;
        assert_eq!((candidate.is_leader(), candidate.terms()), (true, 1));
        assert_eq!(hand.spec().await.strategy, None);
    }
}

/// Without the API there is no coordinated election.
#[tokio::test(start_paused = true)]
async fn where_candidates_are_not_served_the_plain_lease_decides() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let fault = server.faults().refuse(candidates().user_agent("a"), unserved(), usize::MAX);
    let candidate = Candidate::start(&server, "a", "1.37.0");
    sleep(Duration::from_millis(1)).await;
    assert!(candidate.is_leader(), "at once: the lease was free");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(hand.spec().await.strategy, None);
    assert!(hand.candidates.get_opt("a").await.expect("an answer").is_none());

    // After an upgrade of the server the term continues, and the server picks the next leader.
    fault.release();
    sleep(SOON).await;
    assert_eq!(hand.candidate("a").await.spec.lease_name, "web");
    sleep(Duration::from_secs(60)).await;
    assert_eq!((candidate.is_leader(), candidate.terms()), (true, 1));
    hand.prefer("b").await;
    sleep(SOON + WIND_UP).await;
    assert!(!candidate.is_leader());

    // After a downgrade the candidate competes for the plain Lease again.
    let _fault = server.faults().refuse(candidates().user_agent("a"), unserved(), usize::MAX);
    sleep(Duration::from_secs(10)).await;
    assert_eq!((candidate.is_leader(), candidate.terms()), (true, 2));
}

/// Neither a missing object nor a server that fails is a missing API.
#[tokio::test(start_paused = true)]
async fn only_an_unknown_path_or_denied_access_makes_a_candidate_stand_for_the_plain_lease() {
    for refusal in [Refusal::unavailable(), Refusal::internal_error()] {
        let server = ApiServer::start();
        let _fault = server.faults().refuse(candidates().user_agent("a"), refusal, usize::MAX);
        let candidate = Candidate::start(&server, "a", "1.37.0");
        sleep(Duration::from_secs(120)).await;
        assert!(!candidate.is_leader() && Hand::new(server.client()).lease().await.is_none());
        assert_eq!(candidate.stop().await, Outcome::NeverLed);
    }
}

/// Lost replies: to the create, and to the renewal after a ping.
#[tokio::test(start_paused = true)]
async fn lost_replies_about_the_candidate_are_made_up_for_at_the_next_look() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    for verb in [Verb::Create, Verb::Patch] {
        server.faults().lose_reply(candidates().user_agent("a").verb(verb), 1).leave();
    }
    let _candidate = Candidate::start(&server, "a", "1.37.0");
    sleep(Duration::from_secs(20)).await;
    hand.ping(&hand.candidate("a").await).await;
    sleep(Duration::from_secs(10)).await;
    assert!(is_answered(&hand.candidate("a").await));
}

/// A process restarts under the same name, as a later version.
#[tokio::test(start_paused = true)]
async fn an_earlier_candidate_of_the_same_name_is_brought_up_to_date() {
    let server = ApiServer::start();
    let hand = Hand::new(server.client());
    let old: LeaseCandidate = serde_json::from_value(serde_json::json!({
        "apiVersion": "coordination.k8s.io/v1beta1", "kind": "LeaseCandidate", "metadata": {"name": "a"},
        "spec": {"leaseName": "web", "strategy": "OldestEmulationVersion", "binaryVersion": "1.35.0", "emulationVersion": "1.35.0"},
    }))
    .expect("a candidate");
    hand.candidates.create(&PostParams::default(), &old).await.expect("created");
    let _candidate = Candidate::start(&server, "a", "1.36.0");
    sleep(Duration::from_millis(1)).await;
    let spec = hand.candidate("a").await.spec;
    assert_eq!((spec.binary_version.as_str(), spec.emulation_version.as_str()), ("1.37.0", "1.36.0"));
}

/// As upstream: no request after the shutdown was requested.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_is_shut_down_sends_nothing() {
    let server = ApiServer::start();
    let (before, start) = (server.resource_version(), Instant::now());
    assert_eq!(Candidate::start(&server, "a", "1.37.0").stop().await, Outcome::NeverLed);
    assert_eq!((server.resource_version(), start.elapsed()), (before, Duration::ZERO));
}
