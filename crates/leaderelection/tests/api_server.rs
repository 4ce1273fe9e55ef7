//! Elections against an API server.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube_client::Api;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_leaderelection::{LeaderElector, Outcome};

fn elector(server: &ApiServer, identity: &str) -> LeaderElector {
    LeaderElector::builder(server.client_as(identity), "default", "web")
        .identity(identity)
        .labels([("app", "web")])
        .release_on_cancel(true)
        .build()
        .expect("sound settings")
}

/// Candidates take turns: the leader is cut off, or shut down, and the other one follows.
#[tokio::test(start_paused = true)]
async fn one_candidate_leads_and_the_other_follows_when_it_is_cut_off_or_shut_down() {
    let server = ApiServer::start();
    let (tell, mut told) = mpsc::unbounded_channel();
    let run = |identity: &'static str, life: Duration| {
        let (mut elector, tell) = (elector(&server, identity), tell.clone());
        tokio::spawn(async move {
            elector
                .run_terms(sleep(life), |leadership| {
                    let tell = tell.clone();
                    async move {
                        tell.send(identity).expect("still listened to");
                        leadership.lost().await;
                    }
                })
                .await
        })
    };
    let first = run("a", Duration::from_secs(300));
    assert_eq!(told.recv().await, Some("a"));
    let second = run("b", Duration::from_secs(120));

    let cut = server.faults().hold(Filter::any().user_agent("a").resource("leases.coordination.k8s.io"));
    assert_eq!(timeout(Duration::from_secs(30), told.recv()).await, Ok(Some("b")), "a's lease expires");
    cut.release();
    assert_eq!(second.await.expect("no panic"), Outcome::ShutDown(Some(())));
    assert_eq!(timeout(Duration::from_secs(5), told.recv()).await, Ok(Some("a")), "b has released it");
    assert_eq!(first.await.expect("no panic"), Outcome::ShutDown(Some(())));

    let lease: Lease = Api::default_namespaced(server.client()).get("web").await.expect("a lease");
    assert_eq!(lease.metadata.labels.expect("labels")["app"], "web");
    let spec = lease.spec.expect("a spec");
    assert_eq!((spec.holder_identity.as_deref(), spec.lease_transitions), (Some(""), Some(2)));
}

/// Refusals, conflicts and lost replies of single requests do not end a term.
#[tokio::test(start_paused = true)]
async fn a_leader_outlives_single_failures_of_every_kind() {
    let server = Arc::new(ApiServer::start());
    let updates = || Filter::any().verb(Verb::Update).resource("leases.coordination.k8s.io");
    let faults = Arc::clone(&server);
    let mut elector = elector(&server, "a");
    let outcome = elector
        .run(std::future::pending(), |leadership| async move {
            let faults = faults.faults();
            for refusal in
                [Refusal::conflict(), Refusal::unavailable(), Refusal::forbidden(), Refusal::internal_error()]
            {
                faults.refuse(updates(), refusal, 1).leave();
                sleep(Duration::from_secs(12)).await;
                assert!(leadership.is_valid());
            }
            faults.lose_reply(updates(), 1).leave();
            sleep(Duration::from_secs(12)).await;
            assert!(leadership.is_valid());
            Instant::now() < leadership.valid_until()
        })
        .await;
    assert_eq!(outcome, Outcome::Finished(true));
    let lease: Lease = Api::default_namespaced(server.client()).get("web").await.expect("a lease");
    assert_eq!(lease.spec.expect("a spec").lease_transitions, Some(0), "one term");
}
