//! Hooks: Events on the Lease, and annotations that a leader passes to its successor.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::sleep;
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, LeaderEvent, Outcome};

use crate::lease_server::LeaseServer;

fn builder(server: &LeaseServer, identity: &str) -> LeaderElectorBuilder {
    let (client, _) = server.client(0);
    LeaderElector::builder(client, "default", "web").identity(identity).release_on_cancel(true)
}

/// LE-T7, LL-T1: the Events of upstream, in their order.
#[tokio::test(start_paused = true)]
async fn a_recorder_is_told_of_the_beginning_and_the_end_of_each_term() {
    let server = LeaseServer::default();
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let record = move |event: &LeaderEvent| {
        let lease = event.lease.clone();
        assert_eq!((lease.kind.as_deref(), lease.name.as_deref()), (Some("Lease"), Some("web")));
        assert_eq!(lease.namespace.as_deref(), Some("default"));
        assert!(lease.resource_version.is_some());
        seen.lock().expect("unpoisoned").push(event.message());
    };
    let mut elector = builder(&server, "a").on_event(record).build().expect("sound settings");
    assert_eq!(elector.run(async {}, |_| async {}).await, Outcome::NeverLed);
    assert_eq!(elector.run(pending(), |_| async {}).await, Outcome::Finished(()));
    assert_eq!(*events.lock().expect("unpoisoned"), ["a became leader", "a stopped leading"]);
    assert_eq!((LeaderEvent::TYPE, LeaderEvent::REASON), ("Normal", "LeaderElection"));
}

#[tokio::test(start_paused = true)]
async fn annotations_of_a_leader_reach_its_successor() {
    let server = LeaseServer::default();
    let renewals = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&renewals);
    let snapshot = move || {
        let count = count.fetch_add(1, SeqCst) + 1;
        BTreeMap::from([("example.com/versions".to_owned(), format!("pods={count}"))])
    };
    let mut first = builder(&server, "a").on_renew(snapshot).build().expect("sound settings");
    let outcome = first
        .run(sleep(Duration::from_secs(5)), |leadership| async move {
            leadership.lost().await;
            leadership.inherited_annotations().len()
        })
        .await;
    assert_eq!(outcome, Outcome::ShutDown(Some(0)), "nobody led before");
    let written = server.lease().expect("a Lease")["metadata"]["annotations"]["example.com/versions"].clone();
    assert_eq!(written, "pods=3", "one write that takes, two renewals");

    let overwrite = || BTreeMap::from([("example.com/versions".to_owned(), "none".to_owned())]);
    let mut second = builder(&server, "b").on_renew(overwrite).build().expect("sound settings");
    let outcome = second
        .run(pending(), |leadership| async move {
            leadership.inherited_annotations().get("example.com/versions").cloned()
        })
        .await;
    assert_eq!(outcome, Outcome::Finished(Some("pods=3".into())));
}
