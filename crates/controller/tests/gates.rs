//! Trimtab's gates set the options of the parts.

use std::{future::pending, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::time::timeout;
use trimtab_apiserver::{ApiServer, Filter, Verb};
use trimtab_controller::{gates, leaderelection::Candidacy};

/// Counts the LIST and WATCH requests of a first list.
async fn first_list() -> (usize, usize) {
    let server = ApiServer::builder().request_log(true).start();
    let informers = gates::informers(server.client_as("test")).build();
    let _maps = informers.informer::<ConfigMap>();
    informers.start();
    informers.wait_for_sync(Duration::from_secs(10)).await.expect("synced");
    let count = |verb| server.request_log().matching(&Filter::any().verb(verb).user_agent("test")).len();
    (count(Verb::List), count(Verb::Watch))
}

#[tokio::test(start_paused = true)]
async fn watch_list_client_decides_whether_a_first_list_is_streamed() {
    let streaming = gates::WATCH_LIST_CLIENT.set_for_test(true);
    assert_eq!(first_list().await, (0, 1));
    drop(streaming);
    let _paged = gates::WATCH_LIST_CLIENT.set_for_test(false);
    assert_eq!(first_list().await, (1, 1));
}

#[test]
fn the_consistency_gates_decide_the_evidence_that_a_ledger_waits_for() {
    let waits = || {
        let ledgers = [(); 3].map(|()| gates::ledger().build::<&str, &str, u64>());
        let [version, unknown, count] = &ledgers;
        version.expect_update(&"key", "uid", "pods").succeeded(7);
        unknown.expect_update(&"key", "uid", "pods").unknown();
        count.expect_creation(&"key", "uid", "pods").succeeded_without_version();
        ledgers.map(|ledger| ledger.ready(&"key", |_| Some(6)).is_err())
    };
    assert_eq!(waits(), [true, true, true]);
    let versions_only = gates::UNKNOWN_OUTCOME_CONSISTENCY.set_for_test(false);
    assert_eq!(waits(), [true, false, true]);
    let off = gates::STALE_CONTROLLER_CONSISTENCY.set_for_test(false);
    assert_eq!(waits(), [false, false, true]);
    drop((off, versions_only));
}

#[tokio::test(start_paused = true)]
async fn coordinated_leader_election_decides_who_takes_the_lease() {
    for (coordinated, candidates) in [(true, 1), (false, 0)] {
        let _gate = gates::COORDINATED_LEADER_ELECTION.set_for_test(coordinated);
        let server = ApiServer::builder().request_log(true).start();
        let candidacy = Candidacy::new("1.2.3");
        let elector = gates::leader_election(server.client_as("test"), "default", "lease", candidacy).build();
        let mut elector = elector.expect("valid settings");
        let led = timeout(Duration::from_secs(60), elector.run(pending(), async |_| ())).await.is_ok();
        assert_eq!(led, !coordinated, "this server has no elector");
        let created = Filter::any().verb(Verb::Create).resource("leasecandidates.coordination.k8s.io");
        assert_eq!(server.request_log().matching(&created).len(), candidates);
    }
}
