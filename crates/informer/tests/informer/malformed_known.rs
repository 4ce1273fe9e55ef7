//! An object with malformed metadata that the store has from before: its UID says that it still exists.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Duration;
use trimtab_cache::ObjectKey;
use trimtab_informer::Informer;
use trimtab_test_support::{
    server::{ScriptedServer, WatchBody, failure},
    settle,
};

use crate::fixtures::{lists, object};

/// An informer with the objects `a` and `b` at version 5, and the names of the events of its handler.
struct Followed {
    server: ScriptedServer,
    watch: WatchBody,
    informer: Informer<ConfigMap>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Followed {
    async fn begin() -> Self {
        let (mut server, client) = ScriptedServer::new();
        let informer = lists(client).build::<ConfigMap>();
        let told = Arc::new(Mutex::new(Vec::new()));
        let log = told.clone();
        informer.start();
        server.next().await.list("5", &[object("a", "1"), object("b", "2")]);
        let watch = server.next().await.watch();
        assert!(informer.wait_for_sync().await);
        informer.on_change(move |event| log.lock().push(format!("{event:?}")));
        let followed = Self { server, watch, informer, told };
        followed.told().await;
        followed
    }

    async fn told(&self) -> Vec<String> {
        settle(Duration::from_millis(1)).await;
        std::mem::take(&mut self.told.lock())
    }

    /// Ends the watch and answers the relist.
    async fn relist(&mut self, version: &str, items: &[Value]) {
        self.watch.event("ERROR", &failure(410, "Expired"));
        self.server.next().await.list(version, items);
        self.watch = self.server.next().await.watch();
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.informer.store().keys().iter().map(ToString::to_string).collect();
        names.sort();
        names
    }
}

/// `object` without a readable name.
fn nameless(name: &str, version: &str) -> Value {
    let mut object = object(name, version);
    object["metadata"]["name"] = json!(5);
    object
}

fn without_uid(name: &str, version: &str) -> Value {
    let mut object = nameless(name, version);
    object["metadata"].as_object_mut().expect("metadata").remove("uid");
    object
}

/// A controller that counts objects would otherwise create one too many.
#[tokio::test(start_paused = true)]
async fn an_object_whose_name_becomes_unreadable_does_not_vanish_if_its_uid_is_known() {
    let mut followed = Followed::begin().await;
    let key = ObjectKey::namespaced("default", "a");
    followed.relist("8", &[nameless("a", "7"), object("b", "2")]).await;
    assert_eq!(followed.told().await, ["undecodable default/a"]);
    assert_eq!(followed.names(), ["default/a", "default/b"]);
    assert!(followed.informer.is_outdated(&key));
    assert_eq!(followed.informer.status().malformed, 0, "it is known which object it is");

    followed.watch.event("MODIFIED", &nameless("a", "9"));
    assert_eq!(followed.told().await, ["undecodable default/a"]);
    assert_eq!(followed.informer.store().resource_version().as_deref(), Some("9"));

    followed.watch.event("MODIFIED", &object("a", "10"));
    assert_eq!(followed.told().await, ["updated default/a"]);
    assert!(!followed.informer.is_outdated(&key));

    followed.watch.event("DELETED", &nameless("a", "11"));
    assert_eq!(followed.told().await, ["deleted default/a"]);
    assert_eq!(followed.names(), ["default/b"]);
    assert_eq!(followed.informer.status().malformed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_never_decodable_is_recognised_by_its_uid_too() {
    let mut followed = Followed::begin().await;
    let mut wrong = object("c", "6");
    wrong["data"] = json!("text");
    followed.watch.event("ADDED", &wrong);
    assert_eq!(followed.told().await, ["undecodable default/c"]);
    followed.relist("8", &[object("a", "1"), object("b", "2"), nameless("c", "7")]).await;
    assert_eq!(followed.told().await, ["undecodable default/c"]);
    followed.watch.event("DELETED", &nameless("c", "9"));
    assert_eq!(followed.told().await, ["deleted undecodable default/c"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_without_readable_name_and_uid_is_as_good_as_absent() {
    let mut followed = Followed::begin().await;
    followed.watch.event("MODIFIED", &without_uid("a", "6"));
    followed.watch.event("DELETED", &without_uid("b", "7"));
    assert_eq!(followed.told().await, [""; 0], "an event changes nothing");
    assert_eq!(followed.names(), ["default/a", "default/b"]);
    followed.relist("8", &[without_uid("a", "6"), object("b", "2")]).await;
    assert_eq!(followed.told().await, ["deleted default/a"], "a list deletes what it does not name");
    assert_eq!(followed.informer.status().malformed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_readable_object_of_a_list_comes_before_a_malformed_one_of_its_key() {
    let mut followed = Followed::begin().await;
    let mut successor = object("a", "7");
    successor["metadata"]["uid"] = json!("another");
    followed.relist("8", &[nameless("a", "6"), successor, object("b", "2")]).await;
    assert_eq!(followed.told().await, ["updated default/a"]);
    assert!(followed.informer.status().undecodable.is_empty());
    assert_eq!(followed.informer.status().malformed, 1);
}
