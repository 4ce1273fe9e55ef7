//! Incidents of clusters and of other clients, replayed with the API server's faults. The numbers are those of
//! docs/upstream-behaviours.md. Incidents 2 (in part), 24 and 29 are tested by `reflector`, `errors` and `gzip`.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use k8s_openapi::{
    api::core::v1::{ConfigMap, Secret},
    jiff::Timestamp,
};
use kube_client::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    client::{Body, retry::RetryPolicy},
};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};
use tower::{Layer, ServiceExt, retry::RetryLayer, service_fn};
use trimtab_apiserver::{ApiServer, Filter, Service, Verb};
use trimtab_cache::{Change, MetaView, Metadata, Object, ObjectKey};
use trimtab_informer::{Event, Informer, InformerBuilder, InformerFactory, Phase};

/// A server with its request log, and an API to change its objects.
fn server() -> (ApiServer, Api<ConfigMap>) {
    let server = ApiServer::builder().request_log(true).start();
    let maps = Api::default_namespaced(server.client_as("user"));
    (server, maps)
}

fn builder(server: &ApiServer) -> InformerBuilder {
    Informer::builder(server.client_as("informer"))
}

fn own() -> Filter {
    Filter::any().user_agent("informer")
}

async fn create(maps: &Api<ConfigMap>, name: &str) {
    let map = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a ConfigMap");
    maps.create(&PostParams::default(), &map).await.expect("created");
}

async fn change(maps: &Api<ConfigMap>, name: &str) {
    let patch = Patch::Merge(json!({"data": {"at": format!("{:?}", Instant::now())}}));
    maps.patch(name, &PatchParams::default(), &patch).await.expect("patched");
}

async fn delete(maps: &Api<ConfigMap>, name: &str) {
    maps.delete(name, &DeleteParams::default()).await.expect("deleted");
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced("default", name)
}

/// Waits for a condition, at most two minutes, and returns the time it took.
async fn until(is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "never came");
        sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

/// The lists that informers have requested, with their times.
fn lists(server: &ApiServer) -> Vec<(Timestamp, String)> {
    let lists = server.request_log().matching(&own().verb(Verb::List));
    lists.into_iter().map(|list| (list.at, list.query)).collect()
}

/// Incident 1: kubernetes#86483, #86430. After an upgrade of the servers every client listed anew, in pages of
/// the most recent state, all from etcd and all at once.
#[tokio::test(start_paused = true)]
async fn a_thousand_watches_that_expire_together_relist_apart_and_from_the_servers_memory() {
    const CLIENTS: usize = 1_000;
    let (server, maps) = server();
    create(&maps, "a").await;
    let informers: Vec<_> =
        (0..CLIENTS).map(|_| builder(&server).streaming_lists(false).build::<ConfigMap>()).collect();
    informers.iter().for_each(Informer::start);
    until(|| server.faults().open_watches(&own()) == CLIENTS).await;
    let seen = server.resource_version();
    server.request_log().clear();
    create(&maps, "b").await;
    server.faults().cut_watches(&own());
    change(&maps, "b").await;
    server.faults().compact();
    until(|| informers.iter().all(|informer| informer.status().lists == 2)).await;
    let relists = lists(&server);
    assert_eq!(relists.len(), CLIENTS);
    let mut moments = BTreeSet::new();
    for (at, query) in relists {
        let version =
            query.split('&').find_map(|part| part.strip_prefix("resourceVersion=")).expect("a version");
        assert!(version.parse::<u64>().expect("a number") >= seen, "{query}");
        assert!(query.contains("NotOlderThan") && !query.contains("limit"), "{query}");
        moments.insert(at);
    }
    assert!(moments.len() > CLIENTS / 4, "{} moments", moments.len());
}

/// Incident 2: kubernetes#118776. Pages expired between two requests, and the client started with the first page
/// again, forever. Here one whole list from the server's memory follows.
#[tokio::test(start_paused = true)]
async fn pages_that_expire_are_followed_by_one_list_from_memory() {
    let (server, maps) = server();
    for number in 0..6 {
        create(&maps, &format!("o{number}")).await;
    }
    let informer = builder(&server).streaming_lists(false).page_size(2).build::<ConfigMap>();
    server.faults().delay(own().verb(Verb::List), Duration::from_secs(5), 2).leave();
    informer.start();
    sleep(Duration::from_secs(7)).await; // the second page is on its way
    create(&maps, "new").await;
    server.faults().compact();
    until(|| informer.has_synced()).await;
    let asked: Vec<_> = lists(&server).into_iter().map(|(_, query)| query).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[1].contains("continue=") && asked[2].contains("NotOlderThan"), "{asked:?}");
    assert_eq!(informer.store().len(), 7);
}

/// Incident 4: k9s#4044, rancher/steve#1229, kubernetes#135895, kubernetes#140890. A server, or a proxy before
/// it, that does not know streaming lists, or swallows the bookmark that ends them.
#[tokio::test(start_paused = true)]
async fn a_streaming_list_without_an_end_is_given_up_for_a_list() {
    for swallowed in [false, true] {
        let (server, maps) = server();
        create(&maps, "a").await;
        let _fault = if swallowed {
            server.faults().drop_bookmarks(own())
        } else {
            server.faults().ignore_parameters(own(), &["sendInitialEvents", "resourceVersionMatch"])
        };
        let informer = builder(&server).build::<ConfigMap>();
        informer.start();
        let took = until(|| informer.has_synced()).await;
        assert!(took <= Duration::from_secs(11), "{took:?}");
        create(&maps, "b").await;
        until(|| informer.store().len() == 2).await;
    }
}

/// Incident 5: rancher/steve#1229. One kind without a list blocked the readers of all others.
#[tokio::test(start_paused = true)]
async fn a_kind_that_never_syncs_holds_up_no_other() {
    let (server, maps) = server();
    create(&maps, "a").await;
    let _held = server.faults().hold(own().resource("secrets"));
    let factory = InformerFactory::new(server.client_as("informer"));
    let (maps_informer, secrets) = (factory.informer::<ConfigMap>(), factory.informer::<Secret>());
    factory.start();
    let error = factory.wait_for_sync(Duration::from_secs(20)).await.expect_err("secrets are missing");
    assert!(error.to_string().starts_with("not synced: secrets (listing"), "{error}");
    assert!(maps_informer.has_synced() && maps_informer.store().len() == 1);
    secrets.stop().await;
    change(&maps, "a").await;
    factory.shut_down().await;
}

/// Incident 8: kubernetes#115620, kubernetes#27004. An object was deleted while the watch was down, before its
/// addition had been handled, and stayed in the client forever.
#[tokio::test(start_paused = true)]
async fn an_object_deleted_while_its_addition_waits_leaves_nothing_behind() {
    let (server, maps) = server();
    let informer = builder(&server).build::<ConfigMap>();
    informer.start();
    informer.wait_for_sync().await;
    let mut slow = informer.subscribe();
    create(&maps, "untaken").await;
    create(&maps, "taken").await;
    until(|| slow.pending() == 2).await;
    assert_eq!(slow.try_next().expect("the first").key(), key("untaken"));
    server.faults().cut_watches(&own());
    delete(&maps, "untaken").await;
    delete(&maps, "taken").await;
    server.faults().compact();
    until(|| informer.store().is_empty()).await;
    let left: Vec<_> = std::iter::from_fn(|| slow.try_next()).collect();
    assert_eq!(left.len(), 1, "what was never told of needs no end: {left:?}");
    assert!(
        matches!(&left[0].change, Change::Deleted(last) if last.key == key("untaken") && last.final_state_unknown)
    );
}

/// Incident 9: kubernetes#86015. The changes of a relist were taken for a resync, which handlers without a resync
/// do not receive.
#[tokio::test(start_paused = true)]
async fn what_a_relist_brings_is_an_update_to_handlers_without_a_resync() {
    let (server, maps) = server();
    create(&maps, "a").await;
    create(&maps, "same").await;
    let informer = builder(&server).build::<ConfigMap>();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    informer.on_change(move |event: &Event<ConfigMap>| {
        log.lock().push(format!("{event:?} {}", event.is_resync()))
    });
    informer.start();
    informer.wait_for_sync().await;
    server.faults().cut_watches(&own());
    change(&maps, "a").await;
    server.faults().compact();
    until(|| informer.status().lists == 2).await;
    assert_eq!(told.lock()[2..], ["updated default/a false"]);
}

/// A client whose server can be replaced.
fn switched(first: &ApiServer) -> (Client, Arc<Mutex<Service>>) {
    let current = Arc::new(Mutex::new(first.service()));
    let service = current.clone();
    let client = service_fn(move |mut request: http::Request<Body>| {
        request.headers_mut().insert("user-agent", http::HeaderValue::from_static("informer"));
        let service = service.lock().clone();
        service.oneshot(request)
    });
    (Client::new(client, "default"), current)
}

/// Incident 10: kubernetes#107133. The versions of a restored server are older than those of its clients: they
/// requested a version that was too large, again and again. The server accepts a watch from such a version and sends
/// nothing on it.
#[tokio::test(start_paused = true)]
async fn a_server_behind_the_seen_version_is_listed_as_it_is() {
    let (before, maps) = server();
    for number in 0..30 {
        create(&maps, &format!("o{number}")).await;
    }
    let (client, current) = switched(&before);
    let informer = Informer::builder(client).build::<ConfigMap>();
    informer.start();
    informer.wait_for_sync().await;
    let (restored, maps) = server();
    create(&maps, "old").await;
    assert!(restored.resource_version() < before.resource_version());
    *current.lock() = restored.service();
    before.faults().cut_watches(&own());
    let took = until(|| informer.store().keys() == [key("old")]).await;
    assert!(took < Duration::from_secs(80), "{took:?}");
    create(&maps, "new").await;
    until(|| informer.store().len() == 2).await;
}

/// Incidents 11 and 12: client-go#374, kubernetes#65012: a dead connection went unnoticed for a quarter of an
/// hour. kubernetes#121793: it was noticed after 45 s, and after 40 s all nodes counted as gone. A controller that acts
/// on missing objects checks the lag first.
#[tokio::test(start_paused = true)]
async fn a_black_hole_is_seen_in_the_lag_at_once_and_left_within_75_seconds() {
    let (server, maps) = server();
    let informer = builder(&server).build::<ConfigMap>();
    informer.start();
    informer.wait_for_sync().await;
    sleep(Duration::from_secs(300)).await; // bookmarks come
    let status = informer.status();
    assert!(status.lag <= Some(Duration::from_secs(62)) && status.restarts == 0, "{status:?}");
    let opened = status.watches;
    let hole = server.faults().stall_watches(own());
    let fell = Instant::now();
    create(&maps, "unseen").await;
    sleep(Duration::from_secs(40)).await;
    assert!(informer.status().lag >= Some(Duration::from_secs(40)));
    until(|| informer.status().watches > opened).await;
    assert!(fell.elapsed() <= Duration::from_secs(75), "{:?}", fell.elapsed());
    hole.release();
    until(|| informer.store().len() == 1).await;
    let status = informer.status();
    assert!(status.lists == 1 && status.lag <= Some(Duration::from_secs(1)), "{status:?}");
}

/// Incident 13: kubernetes#80693. The server closes the watch of a slow reader without a reason. Here a slow subscriber
/// delays no reader, and a closed watch continues at its last version.
#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_slows_no_reader_and_a_closed_watcher_misses_nothing() {
    let (server, maps) = server();
    create(&maps, "a").await;
    let informer = builder(&server).build::<ConfigMap>();
    informer.start();
    informer.wait_for_sync().await;
    let asleep = informer.subscribe();
    for round in 0..100 {
        change(&maps, "a").await;
        create(&maps, &format!("o{round}")).await;
        if round % 25 == 24 {
            sleep(Duration::from_secs(2)).await;
            assert_eq!(server.faults().end_watches(&own()), 1);
        }
    }
    until(|| informer.store().len() == 101).await;
    assert_eq!((informer.status().lists, informer.status().restarts), (1, 0));
    assert_eq!(asleep.pending(), 101);
}

/// A view that counts its instances.
#[derive(Debug)]
struct Counted {
    metadata: MetaView,
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static MOST_ALIVE: AtomicUsize = AtomicUsize::new(0);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Inner {
            metadata: MetaView,
        }
        let Inner { metadata } = Inner::deserialize(deserializer)?;
        MOST_ALIVE.fetch_max(ALIVE.fetch_add(1, SeqCst) + 1, SeqCst);
        Ok(Self { metadata })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, SeqCst);
    }
}

impl Object for Counted {
    type Kind = ConfigMap;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// Incidents 19 to 22: kubernetes#113305, client-go#871, kubewarden-controller#716, kubernetes#73497. A list
/// was in memory beside its objects; a single object kept the whole response in memory; a relist held all objects twice.
/// `cargo xtask bench informer` measures the memory of an object: `sync-rss`.
#[tokio::test(start_paused = true)]
async fn a_relist_holds_no_object_twice_and_none_keeps_another() {
    const OBJECTS: usize = 300;
    let (server, maps) = server();
    for number in 0..OBJECTS {
        create(&maps, &format!("o{number}")).await;
    }
    let informer = builder(&server).build::<Counted>();
    informer.start();
    informer.wait_for_sync().await;
    assert_eq!((ALIVE.load(SeqCst), MOST_ALIVE.load(SeqCst)), (OBJECTS, OBJECTS));
    server.faults().cut_watches(&own());
    change(&maps, "o0").await;
    server.faults().compact();
    until(|| informer.status().lists == 2).await;
    assert_eq!(ALIVE.load(SeqCst), OBJECTS);
    // At the end one that changed; on the way one that did not, until it was recognised.
    assert!(MOST_ALIVE.load(SeqCst) <= OBJECTS + 2, "{}", MOST_ALIVE.load(SeqCst));

    let kept = informer.store().get(&key("o7")).expect("it is there");
    informer.stop().await;
    drop(informer);
    assert_eq!((ALIVE.load(SeqCst), kept.metadata().name()), (1, "o7"));
}

/// Incident 23: emberstack/kubernetes-reflector#696. Handlers wrote into a channel of 1,024 that was read only
/// after all of them had returned.
#[tokio::test(start_paused = true)]
async fn more_objects_than_any_buffer_hold_up_no_start() {
    let (server, maps) = server();
    for number in 0..1_500 {
        create(&maps, &format!("o{number}")).await;
    }
    let informer = builder(&server).build::<ConfigMap>();
    let (early, handled) = (informer.subscribe(), Arc::new(AtomicUsize::new(0)));
    let counter = handled.clone();
    informer.on_change(move |_| {
        counter.fetch_add(1, SeqCst);
    });
    informer.start();
    until(|| handled.load(SeqCst) == 1_500).await;
    let late = informer.subscribe();
    assert_eq!((early.pending(), late.pending()), (1_500, 1_500));
    assert_eq!(informer.status().phase, Phase::Watching);
}

/// Incident 27: all watches of a process that asks for the same timeout end together, and all reconnect.
#[tokio::test(start_paused = true)]
async fn watches_that_began_together_do_not_reconnect_together() {
    const CLIENTS: usize = 100;
    let (server, _) = server();
    let informers: Vec<_> = (0..CLIENTS).map(|_| builder(&server).build::<ConfigMap>()).collect();
    informers.iter().for_each(Informer::start);
    until(|| server.faults().open_watches(&own()) == CLIENTS).await;
    server.request_log().clear();
    sleep(Duration::from_secs(605)).await;
    let reconnects = server.request_log().matching(&own().verb(Verb::Watch));
    let seconds: BTreeSet<_> = reconnects.iter().map(|watch| watch.at.as_second()).collect();
    assert!(reconnects.len() >= CLIENTS && seconds.len() > 60, "{} in {}", reconnects.len(), seconds.len());
    assert!(informers.iter().all(|informer| informer.status().restarts == 0));
}

/// The same with kube-client's own retries. They hide "too large resource version" from the informer, with growing
/// delays, so that relists hung forever.
#[tokio::test(start_paused = true)]
async fn retries_below_the_informer_do_not_make_it_wait_for_ever() {
    for streaming in [true, false] {
        let (before, maps) = server();
        for number in 0..30 {
            create(&maps, &format!("o{number}")).await;
        }
        let current = Arc::new(Mutex::new(before.service()));
        let service = current.clone();
        let service = service_fn(move |request| {
            let service = service.lock().clone();
            async move { service.oneshot(request).await.map_err(tower::BoxError::from) }
        });
        let retries = RetryLayer::new(RetryPolicy::server_retry());
        let client = Client::new(retries.layer(service), "default");
        let informer = Informer::builder(client).streaming_lists(streaming).build::<ConfigMap>();
        informer.start();
        informer.wait_for_sync().await;
        informer.stop().await;
        let (restored, maps) = server();
        create(&maps, "old").await;
        *current.lock() = restored.service();
        informer.start();
        let begun = Instant::now();
        while informer.store().keys() != [key("old")] {
            assert!(begun.elapsed() < Duration::from_secs(200), "{:?}", informer.status());
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Repeated compactions and cuts: after each, the informer is up to date within seconds, because a watch that was healthy
/// for a while resets the backoff. Early runs of the demo waited half a minute here.
#[tokio::test(start_paused = true)]
async fn after_many_disturbances_in_a_row_the_next_is_over_as_soon_as_the_first() {
    let (server, maps) = server();
    create(&maps, "a").await;
    let informer = builder(&server).build::<ConfigMap>();
    informer.start();
    informer.wait_for_sync().await;
    for round in 0..12 {
        server.faults().cut_watches(&own());
        change(&maps, "a").await;
        if round % 2 == 0 {
            server.faults().compact();
        }
        let now = server.resource_version().to_string();
        let took = until(|| informer.store().resource_version() == Some(now.clone())).await;
        assert!(took < Duration::from_secs(6), "round {round}: {took:?}");
        sleep(Duration::from_secs(15)).await;
    }
}
