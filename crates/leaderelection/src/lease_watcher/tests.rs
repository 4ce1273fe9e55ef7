//! The watcher without a server: what each elector hears.

use futures_util::FutureExt;
use serde_json::{Value, json, value::to_raw_value};
use tokio::time::advance;
use trimtab_test_support::server;

use super::*;
use crate::clock::TokioClock;

const SILENCE: Duration = Duration::from_secs(4);

fn lease(version: &str, holder: &str) -> Value {
    json!({"metadata": {"name": "web", "resourceVersion": version}, "spec": {"holderIdentity": holder}})
}

fn record(version: &str, holder: &str) -> Arc<Record> {
    let mut lease = lease(version, holder);
    lease["kind"] = "Lease".into();
    Record::parse(&lease.to_string()).expect("a Lease").into()
}

fn written(version: &str, holder: &str) -> Change {
    Change::Written(record(version, holder))
}

fn watcher() -> LeaseWatcher {
    LeaseWatcher::new(server::answering(|_| (500, json!("no request is needed"))).0, "default")
}

fn follow(watcher: &LeaseWatcher, version: &str, holder: &str) -> Followed {
    let timer = Timer::new(Arc::new(TokioClock::new()));
    watcher.follow_lease("web", record(version, holder), timer, SILENCE)
}

fn next(followed: &Followed) -> Option<String> {
    Some(match followed.next().now_or_never()? {
        News::Change(Change::Written(record)) => record.version().expect("a version").to_owned(),
        News::Change(Change::Deleted) => "deleted".to_owned(),
        News::Silence => "silence".to_owned(),
    })
}

fn renewal(followed: &Followed) -> Option<String> {
    followed.take_renewal().map(|renewal| renewal.version.into())
}

/// The line that it guards: the comparison in `Slot::written`.
#[tokio::test(start_paused = true)]
async fn a_renewal_wakes_nobody_and_is_found_by_who_looks() {
    let watcher = watcher();
    let followed = follow(&watcher, "10", "a");
    assert_eq!((next(&followed), renewal(&followed)), (None, None));
    for version in ["11", "12"] {
        watcher.0.tell("web", &written(version, "a"));
    }
    watcher.0.tell("another", &written("13", "a"));
    assert_eq!(next(&followed), None);
    assert_eq!((renewal(&followed).as_deref(), renewal(&followed)), (Some("12"), None));
}

#[tokio::test(start_paused = true)]
async fn another_holder_and_no_holder_are_news() {
    let watcher = watcher();
    let followed = follow(&watcher, "10", "a");
    watcher.0.tell("web", &written("11", "a"));
    watcher.0.tell("web", &written("12", "b"));
    assert_eq!((next(&followed).as_deref(), renewal(&followed)), (Some("12"), None), "the newest counts");
    watcher.0.tell("web", &written("13", "b"));
    assert_eq!((next(&followed), renewal(&followed).as_deref()), (None, Some("13")));
    for version in ["14", "15"] {
        watcher.0.tell("web", &written(version, ""));
        assert_eq!(next(&followed).as_deref(), Some(version), "nobody renews a Lease without a holder");
    }
    watcher.0.tell("web", &Change::Deleted);
    assert_eq!(next(&followed).as_deref(), Some("deleted"));
    watcher.0.tell("web", &Change::Deleted);
    assert_eq!(next(&followed), None, "it is known");
}

#[tokio::test(start_paused = true)]
async fn silence_is_news_and_so_is_the_end_of_the_watch() {
    let watcher = watcher();
    let followed = follow(&watcher, "10", "a");
    let tick = || watcher.0.each_slot(|slot| slot.tick(Instant::now()));
    advance(SILENCE / 2).await;
    watcher.0.tell("web", &written("11", "a"));
    advance(SILENCE / 2).await;
    tick();
    assert_eq!(next(&followed), None);
    advance(SILENCE / 2).await;
    tick();
    tick();
    assert_eq!(next(&followed).as_deref(), Some("silence"));
    assert_eq!(next(&followed), None, "it is said once");
    let watching = Watching::begin(&watcher.0);
    assert!(followed.is_watched());
    drop(watching);
    assert!(!followed.is_watched());
    assert_eq!(next(&followed).as_deref(), Some("silence"));
}

#[tokio::test(start_paused = true)]
async fn a_list_tells_what_is_new_and_what_is_gone() {
    let watcher = watcher();
    let followed = follow(&watcher, "10", "a");
    let list = |version, holder| HashMap::from([("web".to_owned(), record(version, holder))]);
    watcher.0.tell_all(&list("13", "a"));
    assert_eq!((next(&followed), renewal(&followed).as_deref()), (None, Some("13")));
    watcher.0.tell_all(&list("14", "b"));
    assert_eq!(next(&followed).as_deref(), Some("14"));
    watcher.0.tell_all(&HashMap::new());
    assert_eq!(next(&followed).as_deref(), Some("deleted"));
}

#[tokio::test(start_paused = true)]
async fn an_elector_that_follows_no_more_is_forgotten() {
    let watcher = watcher();
    let (first, second) = (follow(&watcher, "10", "a"), follow(&watcher, "10", "a"));
    drop(first);
    watcher.0.tell("web", &written("11", "b"));
    assert_eq!(next(&second).as_deref(), Some("11"));
    drop(second);
    assert!(watcher.0.leases.lock().is_empty());
}

/// An unreadable Lease is left out: it stops nobody else. Items of a list need not say their kind.
#[test]
fn an_item_of_a_list_is_read_without_its_text() {
    let item = |json: Value| of_list(&to_raw_value(&json).expect("JSON"));
    let (name, record) = item(lease("7", "a")).expect("a Lease");
    assert_eq!((&*name, record.version(), record.is_complete()), ("web", Some("7"), false));
    assert!(item(json!({"spec": {}})).is_none() && item(json!({"metadata": 7})).is_none());
}
