//! A controller's own writes against the in-process API server, with paused time.

use std::time::Duration;

use k8s_openapi::api::{
    apps::v1::{ReplicaSet, ReplicaSetStatus},
    core::v1::{ConfigMap, Pod},
};
use kube_client::{
    Api, Client,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_controller::{
    Ledger, OwnWrites, Writer,
    cache::{Metadata, Object, ObjectKey},
    informer::{Informer, InformerFactory},
    ownership::controller_reference,
};
use trimtab_test_support::settle;

struct World {
    server: ApiServer,
    client: Client,
    _sets: Informer<ReplicaSet>,
    pods: Informer<Pod>,
    web: ReplicaSet,
    key: ObjectKey,
    writes: OwnWrites,
}

impl World {
    async fn new() -> Self {
        let server = ApiServer::start();
        let client = server.client_as("controller");
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let web = json!({
            "metadata": {"name": "web"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        });
        let web = serde_json::from_value(web).expect("a ReplicaSet");
        let sets: Api<ReplicaSet> = Api::default_namespaced(server.client());
        let web = sets.create(&PostParams::default(), &web).await.expect("created");
        let informers = InformerFactory::new(client.clone());
        let (sets, pods) = (informers.informer::<ReplicaSet>(), informers.informer::<Pod>());
        let writes = OwnWrites::new(Ledger::new(), &sets).of(&pods).request_timeout(Duration::from_secs(10));
        informers.start();
        assert!(sets.wait_for_sync().await && pods.wait_for_sync().await);
        Self { server, client, _sets: sets, pods, key: web.key(), web, writes }
    }

    fn api(&self) -> Api<Pod> {
        Api::default_namespaced(self.client.clone())
    }

    fn pod(&self) -> Pod {
        let owner = controller_reference(&self.web).expect("a set from a server");
        let pod = json!({
            "metadata": {"generateName": "web-", "labels": {"app": "web"}, "ownerReferences": [owner]},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        });
        serde_json::from_value(pod).expect("a Pod")
    }

    async fn waits(&self) -> bool {
        self.writes.wait(&self.key, &self.client).await.expect("a server that answers").is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_until_the_cache_shows_its_creates_and_deletes() {
    let world = World::new().await;
    let (api, pod, params) = (world.api(), world.pod(), PostParams::default());
    let watches = Filter::any().verb(Verb::Watch).resource("pods");
    let uid = world.web.metadata().uid();
    let stalled = world.server.faults().stall_watches(watches.clone());
    let made = world.writes.create(&world.key, uid, api.create(&params, &pod)).await.expect("created");
    assert!(world.waits().await);
    stalled.release();
    settle(Duration::from_secs(1)).await;
    assert!(!world.waits().await && world.pods.store().contains(&made.key()));

    let stalled = world.server.faults().stall_watches(watches);
    world.writes.delete(&world.key, uid, &api, &made).await.expect("deleted");
    assert!(world.waits().await);
    stalled.release();
    settle(Duration::from_secs(1)).await;
    assert!(!world.waits().await);
}

/// A create without a reply: one read of the server, and the cache, say what has become of it.
#[tokio::test(start_paused = true)]
async fn a_create_that_hangs_is_given_up_and_settled_by_a_read() {
    let world = World::new().await;
    let (api, pod, params) = (world.api(), world.pod(), PostParams::default());
    let creates = Filter::any().verb(Verb::Create).resource("pods");
    let held = world.server.faults().hold(creates);
    let uid = world.web.metadata().uid();
    let error = world.writes.create(&world.key, uid, api.create(&params, &pod)).await.expect_err("no reply");
    assert_eq!(
        (error.code(), error.is_refusal(), error.to_string()),
        (None, false, "no reply within 10s".to_owned())
    );
    held.release();
    settle(Duration::from_secs(1)).await;
    assert!(!world.waits().await);
}

/// A refusal with 503 says nothing about the create. The cache of a kind that nobody writes gets no event, and a bookmark
/// only each minute: the read must not wait for it. Fails if the version of the list decides.
#[tokio::test(start_paused = true)]
async fn an_unknown_create_in_a_quiet_namespace_is_settled_at_once() {
    let world = World::new().await;
    let (api, pod, params) = (world.api(), world.pod(), PostParams::default());
    let creates = Filter::any().verb(Verb::Create).resource("pods");
    let refused = world.server.faults().refuse(creates, Refusal::unavailable(), 1);
    let uid = world.web.metadata().uid();
    let error = world.writes.create(&world.key, uid, api.create(&params, &pod)).await.expect_err("refused");
    assert_eq!((error.code(), error.is_refusal(), refused.remaining()), (Some(503), false, 0));
    // Another kind moves the version of the server.
    let maps: Api<ConfigMap> = Api::default_namespaced(world.server.client());
    let map = serde_json::from_value(json!({"metadata": {"name": "other"}})).expect("a ConfigMap");
    maps.create(&params, &map).await.expect("created");
    assert!(!world.waits().await);
}

/// A deletion that the cache has not seen has no version in the list: it is read again until its event has come.
#[tokio::test(start_paused = true)]
async fn an_unknown_delete_waits_for_its_event() {
    let world = World::new().await;
    let (api, pod, params) = (world.api(), world.pod(), PostParams::default());
    let uid = world.web.metadata().uid();
    let made = world.writes.create(&world.key, uid, api.create(&params, &pod)).await.expect("created");
    settle(Duration::from_secs(1)).await;
    assert!(!world.waits().await);
    let stalled = world.server.faults().stall_watches(Filter::any().verb(Verb::Watch).resource("pods"));
    let _lost = world.server.faults().lose_reply(Filter::any().verb(Verb::Delete).resource("pods"), 1);
    world.writes.delete(&world.key, uid, &api, &made).await.expect_err("no reply");
    assert!(world.waits().await);
    stalled.release();
    settle(Duration::from_secs(2)).await;
    assert!(!world.waits().await);
}

/// EX-T5: upstream's `DeletePod` returns `NotFound`; here it is success, and nothing is expected any more.
#[tokio::test(start_paused = true)]
async fn a_delete_that_finds_nothing_succeeds_and_expects_nothing() {
    let world = World::new().await;
    let (api, mut missing) = (world.api(), world.pod());
    missing.metadata.name = Some("missing".to_owned());
    let uid = world.web.metadata().uid();
    world.writes.delete(&world.key, uid, &api, &missing).await.expect("it is gone");
    assert!(!world.waits().await);
}

/// A write that did not find the owner says more than a cache whose watch hangs: the key waits until an event tells the cache.
#[tokio::test(start_paused = true)]
async fn an_owner_that_the_server_lacks_waits_while_the_cache_shows_it() {
    let world = World::new().await;
    let uid = world.web.metadata().uid();
    let sets: Api<ReplicaSet> = Api::default_namespaced(world.server.client());
    world.writes.owner_not_found(&world.key, "another");
    assert!(!world.waits().await, "the cache does not show that one");
    let watches = Filter::any().verb(Verb::Watch).resource("replicasets.apps");
    let stalled = world.server.faults().stall_watches(watches);
    sets.delete("web", &DeleteParams::default()).await.expect("deleted");
    assert!(!world.waits().await, "the cache shows it, and nothing says otherwise");

    world.writes.owner_not_found(&world.key, uid);
    assert!(world.waits().await);
    let error = world.writes.settled(&world.key, &world.client).await.expect_err("it waits");
    assert!(error.to_string().contains("does not have the owner any more"), "{error}");
    stalled.release();
    settle(Duration::from_secs(1)).await;
    assert!(!world.waits().await, "the cache shows that it is gone");
}

/// A writer of the status notes it by itself.
#[tokio::test(start_paused = true)]
async fn a_status_that_finds_no_owner_says_so() {
    let world = World::new().await;
    let writer = Writer::new(world.client.clone(), "controller").own_writes(world.writes.clone());
    let watches = Filter::any().verb(Verb::Watch).resource("replicasets.apps");
    let _stalled = world.server.faults().stall_watches(watches);
    let sets: Api<ReplicaSet> = Api::default_namespaced(world.server.client());
    sets.delete("web", &DeleteParams::default()).await.expect("deleted");
    let status = ReplicaSetStatus { replicas: 1, ..ReplicaSetStatus::default() };
    let refused = writer.patch_status(&world.web, None, &status).await.expect_err("no set");
    assert!(refused.is_not_found() && world.waits().await, "{refused}");
}
