//! The faults: each does the same thing every time, to the requests that its filter selects.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Wake},
    time::Duration,
};

use futures_util::Stream;
use kube_client::{
    Error,
    api::{GetParams, ListParams, Patch, PatchParams, PostParams, WatchParams},
};
use serde_json::json;
use tokio::time::{Instant, sleep};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};

use crate::{
    fixtures::{code_and_reason, pod, pods},
    watches::next,
};

#[tokio::test(start_paused = true)]
async fn cutting_breaks_the_matching_watches_and_no_other() {
    let server = ApiServer::start();
    let (mine, yours) = (pods(&server.client_as("mine")), pods(&server.client_as("yours")));
    let mut cut = Box::pin(mine.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    let mut kept = Box::pin(yours.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    assert_eq!(server.faults().open_watches(&Filter::any()), 2);
    assert_eq!(server.faults().cut_watches(&Filter::any().user_agent("mine").resource("pods")), 1);
    mine.create(&PostParams::default(), &pod("web")).await.unwrap();
    assert!(next(&mut cut).await.starts_with("broken"));
    assert_eq!(next(&mut kept).await, "added web");
    assert_eq!(server.faults().end_watches(&Filter::any()), 1);
    assert_eq!(next(&mut kept).await, "end");
    drop((cut, kept));
    assert_eq!(server.faults().open_watches(&Filter::any()), 0);
}

#[tokio::test(start_paused = true)]
async fn compaction_expires_what_happened_before_but_no_watch_that_has_seen_it() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let before = server.resource_version().to_string();
    let mut seen = Box::pin(pods.watch(&WatchParams::default(), &before).await.unwrap());
    let mut behind = Box::pin(pods.watch(&WatchParams::default(), &before).await.unwrap());
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    assert_eq!(next(&mut seen).await, "added a");
    server.faults().compact();
    pods.create(&PostParams::default(), &pod("b")).await.unwrap();
    assert_eq!(next(&mut seen).await, "added b");
    assert_eq!(next(&mut behind).await, "error 410");
    assert_eq!(next(&mut behind).await, "end");
    let mut late = Box::pin(pods.watch(&WatchParams::default(), &before).await.unwrap());
    assert_eq!(next(&mut late).await, "error 410");
}

#[tokio::test(start_paused = true)]
async fn a_lag_holds_every_event_back_for_as_long_until_it_is_released() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let mut stream = Box::pin(pods.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    let lag = server.faults().lag_watches(Filter::any().resource("pods"), Duration::from_secs(2));
    let start = Instant::now();
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    assert_eq!(next(&mut stream).await, "added a");
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    pods.create(&PostParams::default(), &pod("b")).await.unwrap();
    lag.release();
    assert_eq!(next(&mut stream).await, "added b");
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

/// A watch that wakes itself again and again takes a whole core, and a paused clock never advances beside it.
#[tokio::test(start_paused = true)]
async fn a_watch_rests_while_a_lag_holds_back_what_comes_before_a_bookmark() {
    #[derive(Default)]
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let mut stream = Box::pin(pods.watch(&WatchParams::default(), "0").await.unwrap());
    let _lag = server.faults().lag_watches(Filter::any().resource("pods"), Duration::from_secs(120));
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    let woken = Arc::new(Woken::default());
    let waker = woken.clone().into();
    let mut poll = || stream.as_mut().poll_next(&mut Context::from_waker(&waker)).is_pending();
    assert!(poll(), "the event is held back");
    sleep(Duration::from_secs(61)).await; // the first bookmark would be due after 60 s
    woken.0.store(false, SeqCst);
    assert!(poll(), "the bookmark comes after the event");
    assert!(!woken.0.load(SeqCst), "it waits for the end of the lag");
    let start = Instant::now();
    assert_eq!(next(&mut stream).await, "added a");
    assert_eq!(start.elapsed(), Duration::from_secs(59));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_watch_looks_alive_and_sends_nothing_until_it_is_released() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let stall = server.faults().stall_watches(Filter::any().verb(Verb::Watch));
    let mut stream =
        Box::pin(pods.watch(&WatchParams::default().timeout(7200).disable_bookmarks(), "0").await.unwrap());
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    assert_eq!(next(&mut stream).await, "nothing"); // for an hour
    drop(stall);
    assert_eq!(next(&mut stream).await, "added a");
}

#[tokio::test(start_paused = true)]
async fn refused_requests_change_nothing_and_the_next_one_after_them_is_served() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let filter = Filter::any().verb(Verb::Create).resource("pods").namespace("default");
    let fault = server.faults().refuse(filter, Refusal::too_many_requests().retry_after(7), 2);
    let before = server.resource_version();
    assert!(pods.get_opt("web").await.unwrap().is_none()); // another verb
    for remaining in [1, 0] {
        let refused = pods.create(&PostParams::default(), &pod("web")).await;
        let Err(Error::Api(status)) = refused else { panic!("expected a refusal") };
        assert_eq!((status.code, status.details.unwrap().retry_after_seconds), (429, 7));
        assert_eq!(fault.remaining(), remaining);
    }
    assert_eq!(server.resource_version(), before);
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_released_fault_refuses_nobody_and_one_that_is_left_stays_in_force() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    server.faults().refuse(Filter::any(), Refusal::unavailable(), 5).release();
    assert!(pods.get_opt("web").await.unwrap().is_none());
    server.faults().refuse(Filter::any().name("web"), Refusal::timeout(), 1).leave();
    assert!(pods.get_opt("other").await.unwrap().is_none());
    assert_eq!(code_and_reason(pods.get_opt("web").await), (504, "Timeout".into()));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_reply_is_lost_is_committed() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let fault = server.faults().lose_reply(Filter::any().verb(Verb::Create), 1);
    let lost = pods.create(&PostParams::default(), &pod("web")).await;
    assert!(matches!(lost, Err(Error::Service(_))), "{lost:?}");
    assert_eq!(fault.remaining(), 0);
    let again = pods.create(&PostParams::default(), &pod("web")).await;
    assert_eq!(code_and_reason(again), (409, "AlreadyExists".into()));
}

#[tokio::test(start_paused = true)]
async fn delayed_and_held_requests_see_the_state_of_when_they_are_let_go() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    let start = Instant::now();
    let _delay = server.faults().delay(Filter::any().verb(Verb::Get), Duration::from_secs(5), 1);
    let hold = server.faults().hold(Filter::any().verb(Verb::List));
    let label = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let patch = Patch::Merge(json!({"metadata": {"labels": {"a": "b"}}}));
        pods.patch("web", &PatchParams::default(), &patch).await.unwrap();
        tokio::time::sleep(Duration::from_secs(9)).await;
        drop(hold);
    };
    let params = Default::default();
    let (web, list, ()) = tokio::join!(pods.get("web"), pods.list(&params), label);
    let web = web.unwrap();
    assert_eq!(web.metadata.labels.as_ref().map(std::collections::BTreeMap::len), Some(1));
    assert_eq!(list.unwrap().items, [web]);
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn without_bookmarks_a_streaming_list_never_tells_its_end() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    let fault = server.faults().drop_bookmarks(Filter::any().resource("pods"));
    let params = WatchParams::default().initial_events().timeout(7200);
    let mut stream = Box::pin(pods.watch(&params, "").await.unwrap());
    assert_eq!(next(&mut stream).await, "added a");
    assert_eq!(next(&mut stream).await, "nothing"); // for an hour
    fault.release();
    assert_eq!(next(&mut stream).await, "bookmark end");
}

/// client-go 1.35 and kube-runtime 5.0 wait for ever for the bookmark that such a server never sends.
#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_streaming_lists_sends_a_plain_watch() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    pods.create(&PostParams::default(), &pod("a")).await.unwrap();
    let unknown = ["sendInitialEvents", "resourceVersionMatch"];
    let _old = server.faults().ignore_parameters(Filter::any().verb(Verb::Watch), &unknown);
    let params = WatchParams::default().initial_events().timeout(61);
    let mut stream = Box::pin(pods.watch(&params, "").await.unwrap());
    for expected in ["added a", "bookmark", "end"] {
        assert_eq!(next(&mut stream).await, expected);
    }
}

/// Time travel: a replica of the API server that lags shows a Pod that is gone, as in kubernetes#59848.
#[tokio::test(start_paused = true)]
async fn a_stale_read_of_any_version_shows_the_past_and_a_fresh_one_the_present() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    let later = || tokio::time::sleep(Duration::from_secs(10));
    pods.create(&PostParams::default(), &pod("old")).await.unwrap();
    let then = server.resource_version();
    later().await;
    pods.delete("old", &Default::default()).await.unwrap();
    pods.create(&PostParams::default(), &pod("new")).await.unwrap();
    let fault = server.faults().stale_reads(Filter::any(), Duration::from_secs(5));
    let any = ListParams::default().match_any();
    let stale = pods.list(&any).await.unwrap();
    assert_eq!(stale.metadata.resource_version, Some(then.to_string()));
    assert_eq!(stale.items[0].metadata.name.as_deref(), Some("old"));
    assert!(pods.get_with("old", &GetParams::any()).await.is_ok());
    let mut stream = Box::pin(pods.watch(&WatchParams::default().disable_bookmarks(), "0").await.unwrap());
    for expected in ["added old", "deleted old", "added new"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    let fresh = pods.list(&ListParams::default()).await.unwrap();
    assert_eq!(fresh.items[0].metadata.name.as_deref(), Some("new"));
    fault.release();
    assert_eq!(pods.list(&any).await.unwrap().items, fresh.items);
}
