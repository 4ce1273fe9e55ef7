//! Scope and end of a watch: selectors, timeouts, namespaces and bookmarks.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::pod;
use crate::site::{MERGE, Site};
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_selector_turns_changes_into_additions_and_deletions)
            .rule(
                "An object that begins to match a label selector is ADDED, one that ends to match is \
                 DELETED.",
            )
            .source("kubernetes/test/e2e/apimachinery/watch.go"),
        case(what_leaves_a_selection_is_shown_as_it_was)
            .rule(
                "The DELETED of an object that no longer matches shows the object as it was, with the \
                 version of the change.",
            )
            .source("etcd3 watcher: transform"),
        case(a_field_selector_turns_changes_into_deletions)
            .rule("A field selector on a Pod's phase turns changes into additions and deletions, too.")
            .source("registry/core/pod: ToSelectableFields"),
        case(a_watch_ends_at_its_timeout)
            .rule("timeoutSeconds ends a watch, cleanly.")
            .source("API reference: timeoutSeconds"),
        case(a_watchs_version_is_a_number)
            .rule("A watch with a version that is no number is refused, with 500 of all codes.")
            .source("apiserver: ParseResourceVersion"),
        case(a_watch_takes_no_match)
            .rule("A match on a watch needs sendInitialEvents.")
            .source("apimachinery: ValidateListOptions"),
        case(a_watchs_selector_must_parse)
            .rule("A selector that does not parse refuses the watch.")
            .source("API concepts: label selectors"),
        case(a_watch_hears_of_its_namespace_only)
            .rule("A watch in a namespace does not hear of others.")
            .source("API concepts: resource URIs"),
        case(a_watch_across_namespaces)
            .rule("A watch across namespaces hears of all.")
            .source("API concepts: resource URIs"),
        case(no_change_no_event)
            .rule("What changes nothing sends nothing.")
            .source("etcd3 store: GuaranteedUpdate"),
        case(a_watch_is_json).rule("The answer of a watch is JSON in chunks.").source("API concepts: watch"),
        case(bookmarks_come_on_request)
            .rule(
                "A bookmark comes at the end of a watch that asked for bookmarks, with the kind and a \
                 version and nothing else.",
            )
            .source("KEP-956"),
        case(no_bookmarks_unasked).rule("Nobody gets bookmarks who did not ask for them.").source("KEP-956"),
        case(a_typed_client_watches)
            .rule("A typed client sees the events of a watch as its type.")
            .source("kube_client: Api::watch"),
    ]
}

async fn a_selector_turns_changes_into_additions_and_deletions(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    let mut events = site.watch_after(start.version(), "secrets?labelSelector=colour%3Dblue").await?;
    site.secrets(&["a"]).await?;
    for colour in [json!("blue"), json!("red"), json!("blue"), json!(null)] {
        site.patch(MERGE, "secrets/a", json!({"metadata": {"labels": {"colour": colour}}}))
            .await?
            .code(200)?;
    }
    for kind in ["ADDED", "DELETED", "ADDED", "DELETED"] {
        events.expect_of(kind, "a").await?;
    }
    Ok(())
}

async fn what_leaves_a_selection_is_shown_as_it_was(site: Site) -> Outcome {
    let made =
        site.create("secrets", json!({"metadata": {"name": "a", "labels": {"colour": "blue"}}})).await?;
    let changed = site
        .patch(MERGE, "secrets/a", json!({"metadata": {"labels": {"colour": "red"}}}))
        .await?
        .code(200)?;
    let mut events = site.watch_after(made.version(), "secrets?labelSelector=colour%3Dblue").await?;
    let event = events.expect_of("DELETED", "a").await?;
    events.check(event.object["metadata"]["labels"]["colour"] == "blue", "the old labels", &event)?;
    events.check(event.version() == changed.version(), "the version of the change", &event)?;
    Ok(())
}

async fn a_field_selector_turns_changes_into_deletions(site: Site) -> Outcome {
    let made = site.create("pods", pod("a")).await?;
    let mut events = site.watch_after(made.version(), "pods?fieldSelector=status.phase%3DRunning").await?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Running"}})).await?.code(200)?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Succeeded"}})).await?.code(200)?;
    events.expect_of("ADDED", "a").await?;
    events.expect_of("DELETED", "a").await?;
    Ok(())
}

async fn a_watch_ends_at_its_timeout(site: Site) -> Outcome {
    site.watch("secrets?watch=true&timeoutSeconds=1&resourceVersion=0").await?.expect_end().await?;
    Ok(())
}

async fn a_watchs_version_is_a_number(site: Site) -> Outcome {
    site.get("secrets?watch=true&resourceVersion=blue&timeoutSeconds=1")
        .await?
        .code(500)?
        .is("/kind", "Status")?
        .mentions("/message", "resourceVersion: Invalid value: \"blue\"")?;
    Ok(())
}

async fn a_watch_takes_no_match(site: Site) -> Outcome {
    site.get("secrets?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1")
        .await?
        .invalid("FieldValueForbidden", "resourceVersionMatch")?;
    Ok(())
}

async fn a_watchs_selector_must_parse(site: Site) -> Outcome {
    site.get("secrets?watch=true&labelSelector=%3D%3D%3D&timeoutSeconds=1")
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn a_watch_hears_of_its_namespace_only(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    let elsewhere = site.unique("other");
    site.create_global("/api/v1/namespaces", json!({"metadata": {"name": elsewhere}})).await?;
    site.create(&format!("/api/v1/namespaces/{elsewhere}/secrets"), json!({"metadata": {"name": "x"}}))
        .await?;
    site.secrets(&["a"]).await?;
    site.watch_after(start.version(), "secrets").await?.expect_of("ADDED", "a").await?;
    Ok(())
}

async fn a_watch_across_namespaces(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.create("secrets", json!({"metadata": {"name": "a", "labels": {"case": site.namespace()}}})).await?;
    let path = format!(
        "/api/v1/secrets?watch=true&resourceVersion={}&labelSelector=case%3D{}",
        start.version(),
        site.namespace()
    );
    site.watch(&path).await?.expect_of("ADDED", "a").await?;
    Ok(())
}

async fn no_change_no_event(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    site.put("secrets/a", made.json.clone()).await?.code(200)?;
    site.secrets(&["b"]).await?;
    site.watch_after(made.version(), "secrets").await?.expect_of("ADDED", "b").await?;
    Ok(())
}

async fn a_watch_is_json(site: Site) -> Outcome {
    site.call(Method::GET, "secrets?watch=true&timeoutSeconds=1")
        .send()
        .await?
        .code(200)?
        .header("content-type", "application/json")?;
    Ok(())
}

async fn bookmarks_come_on_request(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let list = site.get("secrets").await?;
    let path = format!(
        "secrets?watch=true&allowWatchBookmarks=true&timeoutSeconds=4&resourceVersion={}",
        list.version()
    );
    let mut events = site.watch(&path).await?;
    let bookmark = events.expect("BOOKMARK").await?;
    let both = bookmark.object["kind"] == "Secret" && !bookmark.version().is_empty();
    events.check(both, "kind and version", &bookmark)?;
    events.check(bookmark.name().is_empty(), "no name", &bookmark)?;
    Ok(())
}

async fn no_bookmarks_unasked(site: Site) -> Outcome {
    let list = site.get("secrets").await?;
    let mut events = site.watch_after(list.version(), "secrets?timeoutSeconds=4").await?;
    events.expect_end().await?;
    Ok(())
}

async fn a_typed_client_watches(site: Site) -> Outcome {
    use futures_util::TryStreamExt as _;
    use k8s_openapi::api::core::v1::Secret;
    use kube_client::{
        Api,
        api::{WatchEvent, WatchParams},
    };
    site.secrets(&["a"]).await?;
    let api: Api<Secret> = Api::namespaced(site.client(), site.namespace());
    let failed = |error: String| Mismatch::new("Api::watch", "ADDED a", error);
    let events = api
        .watch(&WatchParams::default().timeout(5), "0")
        .await
        .map_err(|error| failed(error.to_string()))?;
    let mut events = std::pin::pin!(events);
    loop {
        match events.try_next().await.map_err(|error| failed(error.to_string()))? {
            Some(WatchEvent::Bookmark(_)) => {} // version 0 may be older than the Secret
            Some(WatchEvent::Added(secret)) if secret.metadata.name.as_deref() == Some("a") => break,
            other => return Err(failed(format!("{other:?}"))),
        }
    }
    Ok(())
}
