//! Watches from a resource version.

use crate::case::cases;
use crate::objects::config_map;
use crate::site::MERGE;
use serde_json::json;

cases! {
    /// A watch sends what happened after its version, in order.
    #[source("kubernetes/test/e2e/apimachinery/watch.go")]
    async fn a_watch_sends_what_happened_after_its_version(site) {
        let start = site.get("secrets").await?;
        site.secrets(&["a", "b"]).await?;
        site.delete("secrets/a").await?.code(200)?;
        let mut events = site.watch(&format!("secrets?watch=true&resourceVersion={}", start.version())).await?;
        events.expect_of("ADDED", "a").await?;
        events.expect_of("ADDED", "b").await?;
        events.expect_of("DELETED", "a").await?;
    }

    /// A change is MODIFIED, with the whole object.
    #[source("API concepts: efficient detection of changes")]
    async fn a_change_is_modified(site) {
        let made = site.create("configmaps", config_map("a")).await?;
        let mut events = site.watch(&format!("configmaps?watch=true&resourceVersion={}&fieldSelector=metadata.name%3Da", made.version())).await?;
        site.patch(MERGE, "configmaps/a", json!({"data": {"more": "yes"}})).await?.code(200)?;
        let event = events.expect_of("MODIFIED", "a").await?;
        events.check(event.object["data"] == json!({"key": "value", "more": "yes"}), "the whole object", &event)?;
        events.check(event.object["kind"] == "ConfigMap" && event.object["apiVersion"] == "v1", "kind and apiVersion", &event)?;
    }

    /// A deletion carries the last state, with the version of the deletion.
    #[source("KEP-2340")]
    async fn a_deletion_has_its_own_version(site) {
        let made = site.create("configmaps", config_map("a")).await?;
        site.delete("configmaps/a").await?.code(200)?;
        let mut events = site.watch(&format!("configmaps?watch=true&resourceVersion={}&fieldSelector=metadata.name%3Da", made.version())).await?;
        let event = events.expect_of("DELETED", "a").await?;
        events.check(event.object["data"]["key"] == "value", "the last state", &event)?;
        events.check(event.version().parse::<u64>().ok() > made.version().parse().ok(), "a later version", &event)?;
    }

    /// The version in an event is where a watch can go on from: nothing comes twice.
    #[source("kubernetes/test/e2e/apimachinery/watch.go")]
    async fn a_watch_goes_on_from_an_events_version(site) {
        let start = site.get("secrets").await?;
        site.secrets(&["a", "b", "c"]).await?;
        let mut events = site.watch(&format!("secrets?watch=true&resourceVersion={}", start.version())).await?;
        events.expect_of("ADDED", "a").await?;
        let second = events.expect_of("ADDED", "b").await?;
        let mut rest = site.watch(&format!("secrets?watch=true&resourceVersion={}", second.version())).await?;
        rest.expect_of("ADDED", "c").await?;
    }

    /// Two watches see the same events in the same order.
    #[source("kubernetes/test/e2e/apimachinery/watch.go")]
    async fn watches_agree_about_the_order(site) {
        let start = site.get("secrets").await?;
        for name in ["a", "b", "c"] {
            site.secrets(&[name]).await?;
            site.patch(MERGE, &format!("secrets/{name}"), json!({"metadata": {"labels": {"x": "y"}}})).await?.code(200)?;
        }
        site.delete("secrets/b").await?.code(200)?;
        let path = format!("secrets?watch=true&resourceVersion={}&timeoutSeconds=2", start.version());
        let (mut one, mut two) = (site.watch(&path).await?, site.watch(&path).await?);
        let tell = |events: Vec<crate::events::Event>| events.iter().map(|event| (event.kind.clone(), event.name().to_owned(), event.version().to_owned())).collect::<Vec<_>>();
        let (one, two) = (tell(one.rest().await?), tell(two.rest().await?));
        let same = one == two && one.len() == 7;
        site.get("secrets").await?.check(same, format!("the same seven events in both watches, not {one:?} and {two:?}"))?;
    }

    /// A watch without a version begins with an ADDED for each object that is there.
    #[source("API concepts: watch semantics, get state and start at most recent")]
    async fn a_watch_without_a_version_begins_with_the_state(site) {
        site.secrets(&["a", "b"]).await?;
        let mut events = site.watch("secrets?watch=true").await?;
        let mut names = [events.expect("ADDED").await?.name().to_owned(), events.expect("ADDED").await?.name().to_owned()];
        names.sort();
        site.get("secrets").await?.check(names == ["a", "b"], "both")?;
        site.secrets(&["c"]).await?;
        events.expect_of("ADDED", "c").await?;
    }

    /// A watch at 0 begins with the state, too.
    #[source("API concepts: watch semantics, get state and start at any")]
    async fn a_watch_at_zero_begins_with_the_state(site) {
        let path = "/api/v1/namespaces?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Ddefault";
        site.watch(path).await?.expect_of("ADDED", "default").await?;
    }

    /// A watch of one name has events of that name only.
    #[source("API concepts: field selectors")]
    async fn a_watch_of_one_name(site) {
        let start = site.get("secrets").await?;
        site.secrets(&["a", "b"]).await?;
        let path = format!("secrets?watch=true&resourceVersion={}&fieldSelector=metadata.name%3Db", start.version());
        site.watch(&path).await?.expect_of("ADDED", "b").await?;
    }

    /// The deprecated path for watches serves the same.
    #[source("API reference: watch paths")]
    async fn the_old_watch_path_still_serves(site) {
        let start = site.get("secrets").await?;
        site.secrets(&["a"]).await?;
        let path = format!("/api/v1/watch/namespaces/{}/secrets?resourceVersion={}", site.namespace(), start.version());
        site.watch(&path).await?.expect_of("ADDED", "a").await?;
    }

    /// A watch of a single object by the deprecated path.
    #[source("API reference: watch paths")]
    async fn the_old_watch_path_of_one_object(site) {
        let start = site.get("secrets").await?;
        site.secrets(&["a", "b"]).await?;
        let path = format!("/api/v1/watch/namespaces/{}/secrets/b?resourceVersion={}", site.namespace(), start.version());
        site.watch(&path).await?.expect_of("ADDED", "b").await?;
    }

    /// `watch=1` is as good as `watch=true`.
    #[source("apimachinery: parameter codec")]
    async fn watch_is_a_boolean(site) {
        site.secrets(&["a"]).await?;
        site.watch("secrets?watch=1").await?.expect_of("ADDED", "a").await?;
        site.get("secrets?watch=false").await?.code(200)?.is("/kind", "SecretList")?;
        site.get("secrets?watch=0").await?.code(200)?.is("/kind", "SecretList")?;
    }

    /// An object that begins to match a label selector is ADDED, one that ends to match is DELETED.
    #[source("kubernetes/test/e2e/apimachinery/watch.go")]
    async fn a_selector_turns_changes_into_additions_and_deletions(site) {
        let start = site.get("secrets").await?;
        let mut events = site.watch(&format!("secrets?watch=true&labelSelector=colour%3Dblue&resourceVersion={}", start.version())).await?;
        site.secrets(&["a"]).await?;
        for colour in [json!("blue"), json!("red"), json!("blue"), json!(null)] {
            site.patch(MERGE, "secrets/a", json!({"metadata": {"labels": {"colour": colour}}})).await?.code(200)?;
        }
        for kind in ["ADDED", "DELETED", "ADDED", "DELETED"] {
            events.expect_of(kind, "a").await?;
        }
    }

    /// The DELETED of an object that no longer matches shows the object as it was, with the version of the change.
    #[source("etcd3 watcher: transform")]
    async fn what_leaves_a_selection_is_shown_as_it_was(site) {
        let made = site.create("secrets", json!({"metadata": {"name": "a", "labels": {"colour": "blue"}}})).await?;
        let changed = site.patch(MERGE, "secrets/a", json!({"metadata": {"labels": {"colour": "red"}}})).await?.code(200)?;
        let mut events = site.watch(&format!("secrets?watch=true&labelSelector=colour%3Dblue&resourceVersion={}", made.version())).await?;
        let event = events.expect_of("DELETED", "a").await?;
        events.check(event.object["metadata"]["labels"]["colour"] == "blue", "the old labels", &event)?;
        events.check(event.version() == changed.version(), "the version of the change", &event)?;
    }

    /// A field selector on a Pod's phase turns changes into additions and deletions, too.
    #[source("registry/core/pod: ToSelectableFields")]
    async fn a_field_selector_turns_changes_into_deletions(site) {
        let made = site.create("pods", crate::objects::pod("a")).await?;
        let mut events = site.watch(&format!("pods?watch=true&fieldSelector=status.phase%3DRunning&resourceVersion={}", made.version())).await?;
        site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Running"}})).await?.code(200)?;
        site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Succeeded"}})).await?.code(200)?;
        events.expect_of("ADDED", "a").await?;
        events.expect_of("DELETED", "a").await?;
    }

    /// timeoutSeconds ends a watch, cleanly.
    #[source("API reference: timeoutSeconds")]
    async fn a_watch_ends_at_its_timeout(site) {
        site.watch("secrets?watch=true&timeoutSeconds=1&resourceVersion=0").await?.expect_end().await?;
    }

    /// A watch with a version that is no number is refused, with 500 of all codes.
    #[source("apiserver: ParseResourceVersion")]
    async fn a_watchs_version_is_a_number(site) {
        site.get("secrets?watch=true&resourceVersion=blue&timeoutSeconds=1").await?.code(500)?
            .is("/kind", "Status")?.mentions("/message", "resourceVersion: Invalid value: \"blue\"")?;
    }

    /// A match on a watch needs sendInitialEvents.
    #[source("apimachinery: ValidateListOptions")]
    async fn a_watch_takes_no_match(site) {
        site.get("secrets?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1").await?
            .refused(422, "Invalid")?.cause("FieldValueForbidden", "resourceVersionMatch")?;
    }

    /// A selector that does not parse refuses the watch.
    #[source("API concepts: label selectors")]
    async fn a_watchs_selector_must_parse(site) {
        site.get("secrets?watch=true&labelSelector=%3D%3D%3D&timeoutSeconds=1").await?.refused(400, "BadRequest")?;
    }

    /// A watch in a namespace does not hear of others.
    #[source("API concepts: resource URIs")]
    async fn a_watch_hears_of_its_namespace_only(site) {
        let start = site.get("secrets").await?;
        let elsewhere = site.unique("other");
        site.create_global("/api/v1/namespaces", json!({"metadata": {"name": elsewhere}})).await?;
        site.create(&format!("/api/v1/namespaces/{elsewhere}/secrets"), json!({"metadata": {"name": "x"}})).await?;
        site.secrets(&["a"]).await?;
        site.watch(&format!("secrets?watch=true&resourceVersion={}", start.version())).await?.expect_of("ADDED", "a").await?;
    }

    /// A watch across namespaces hears of all.
    #[source("API concepts: resource URIs")]
    async fn a_watch_across_namespaces(site) {
        let start = site.get("secrets").await?;
        site.create("secrets", json!({"metadata": {"name": "a", "labels": {"case": site.namespace()}}})).await?;
        let path = format!("/api/v1/secrets?watch=true&resourceVersion={}&labelSelector=case%3D{}", start.version(), site.namespace());
        site.watch(&path).await?.expect_of("ADDED", "a").await?;
    }

    /// What changes nothing sends nothing.
    #[source("etcd3 store: GuaranteedUpdate")]
    async fn no_change_no_event(site) {
        let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
        site.put("secrets/a", made.json.clone()).await?.code(200)?;
        site.secrets(&["b"]).await?;
        site.watch(&format!("secrets?watch=true&resourceVersion={}", made.version())).await?.expect_of("ADDED", "b").await?;
    }

    /// The answer of a watch is JSON in chunks.
    #[source("API concepts: watch")]
    async fn a_watch_is_json(site) {
        site.call(http::Method::GET, "secrets?watch=true&timeoutSeconds=1").send().await?.code(200)?
            .header("content-type", "application/json")?;
    }

    /// A bookmark comes at the end of a watch that asked for bookmarks, with the kind and a version and nothing else.
    #[source("KEP-956")]
    async fn bookmarks_come_on_request(site) {
        site.secrets(&["a"]).await?;
        let list = site.get("secrets").await?;
        let path = format!("secrets?watch=true&allowWatchBookmarks=true&timeoutSeconds=4&resourceVersion={}", list.version());
        let mut events = site.watch(&path).await?;
        let bookmark = events.expect("BOOKMARK").await?;
        events.check(bookmark.object["kind"] == "Secret" && !bookmark.version().is_empty(), "kind and version", &bookmark)?;
        events.check(bookmark.name().is_empty(), "no name", &bookmark)?;
    }

    /// Nobody gets bookmarks who did not ask for them.
    #[source("KEP-956")]
    async fn no_bookmarks_unasked(site) {
        let list = site.get("secrets").await?;
        let mut events = site.watch(&format!("secrets?watch=true&timeoutSeconds=4&resourceVersion={}", list.version())).await?;
        events.expect_end().await?;
    }

    /// A typed client sees the events of a watch as its type.
    #[source("kube_client: Api::watch")]
    async fn a_typed_client_watches(site) {
        use futures_util::TryStreamExt as _;
        use k8s_openapi::api::core::v1::Secret;
        use kube_client::{Api, api::{WatchEvent, WatchParams}};
        site.secrets(&["a"]).await?;
        let api: Api<Secret> = Api::namespaced(site.client(), site.namespace());
        let failed = |error: String| crate::answer::Mismatch::new("Api::watch", "ADDED a", error);
        let events = api.watch(&WatchParams::default().timeout(5), "0").await.map_err(|error| failed(error.to_string()))?;
        let mut events = std::pin::pin!(events);
        loop {
            match events.try_next().await.map_err(|error| failed(error.to_string()))? {
                Some(WatchEvent::Bookmark(_)) => {} // version 0 may be older than the Secret
                Some(WatchEvent::Added(secret)) if secret.metadata.name.as_deref() == Some("a") => break,
                other => return Err(failed(format!("{other:?}"))),
            }
        }
    }
}
