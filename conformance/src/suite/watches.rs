//! Watches: events, their order, versions and paths.

use crate::case::{Case, Outcome, case};
use crate::events::Event;
use crate::objects::config_map;
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_watch_sends_what_happened_after_its_version)
            .rule("A watch sends what happened after its version, in order.")
            .source("kubernetes/test/e2e/apimachinery/watch.go"),
        case(a_change_is_modified)
            .rule("A change is MODIFIED, with the whole object.")
            .source("API concepts: efficient detection of changes"),
        case(a_deletion_has_its_own_version)
            .rule("A deletion carries the last state, with the version of the deletion.")
            .source("KEP-2340"),
        case(a_watch_goes_on_from_an_events_version)
            .rule("The version in an event is where a watch can go on from: nothing comes twice.")
            .source("kubernetes/test/e2e/apimachinery/watch.go"),
        case(watches_agree_about_the_order)
            .rule("Two watches see the same events in the same order.")
            .source("kubernetes/test/e2e/apimachinery/watch.go"),
        case(a_watch_without_a_version_begins_with_the_state)
            .rule("A watch without a version begins with an ADDED for each object that is there.")
            .source("API concepts: watch semantics, get state and start at most recent"),
        case(a_watch_at_zero_begins_with_the_state)
            .rule("A watch at 0 begins with the state, too.")
            .source("API concepts: watch semantics, get state and start at any"),
        case(a_watch_of_one_name)
            .rule("A watch of one name has events of that name only.")
            .source("API concepts: field selectors"),
        case(the_old_watch_path_still_serves)
            .rule("The deprecated path for watches serves the same.")
            .source("API reference: watch paths"),
        case(the_old_watch_path_of_one_object)
            .rule("A watch of a single object by the deprecated path.")
            .source("API reference: watch paths"),
        case(watch_is_a_boolean)
            .rule("`watch=1` is as good as `watch=true`.")
            .source("apimachinery: parameter codec"),
    ]
}

async fn a_watch_sends_what_happened_after_its_version(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.secrets(&["a", "b"]).await?;
    site.delete("secrets/a").await?.code(200)?;
    let mut events = site.watch_after(start.version(), "secrets").await?;
    events.expect_of("ADDED", "a").await?;
    events.expect_of("ADDED", "b").await?;
    events.expect_of("DELETED", "a").await?;
    Ok(())
}

async fn a_change_is_modified(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    let mut events = site.watch_after(made.version(), "configmaps?fieldSelector=metadata.name%3Da").await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"more": "yes"}})).await?.code(200)?;
    let event = events.expect_of("MODIFIED", "a").await?;
    let whole = event.object["data"] == json!({"key": "value", "more": "yes"});
    events.check(whole, "the whole object", &event)?;
    let both = event.object["kind"] == "ConfigMap" && event.object["apiVersion"] == "v1";
    events.check(both, "kind and apiVersion", &event)?;
    Ok(())
}

async fn a_deletion_has_its_own_version(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    let mut events = site.watch_after(made.version(), "configmaps?fieldSelector=metadata.name%3Da").await?;
    let event = events.expect_of("DELETED", "a").await?;
    events.check(event.object["data"]["key"] == "value", "the last state", &event)?;
    let later = event.version().parse::<u64>().ok() > made.version().parse().ok();
    events.check(later, "a later version", &event)?;
    Ok(())
}

async fn a_watch_goes_on_from_an_events_version(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.secrets(&["a", "b", "c"]).await?;
    let mut events = site.watch_after(start.version(), "secrets").await?;
    events.expect_of("ADDED", "a").await?;
    let second = events.expect_of("ADDED", "b").await?;
    let mut rest = site.watch_after(second.version(), "secrets").await?;
    rest.expect_of("ADDED", "c").await?;
    Ok(())
}

async fn watches_agree_about_the_order(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    for name in ["a", "b", "c"] {
        site.secrets(&[name]).await?;
        site.patch(MERGE, &format!("secrets/{name}"), json!({"metadata": {"labels": {"x": "y"}}}))
            .await?
            .code(200)?;
    }
    site.delete("secrets/b").await?.code(200)?;
    let path = format!("secrets?watch=true&resourceVersion={}&timeoutSeconds=2", start.version());
    let (mut one, mut two) = (site.watch(&path).await?, site.watch(&path).await?);
    let tell = |events: Vec<Event>| {
        events
            .iter()
            .map(|event| (event.kind.clone(), event.name().to_owned(), event.version().to_owned()))
            .collect::<Vec<_>>()
    };
    let (one, two) = (tell(one.rest().await?), tell(two.rest().await?));
    let same = one == two && one.len() == 7;
    site.get("secrets")
        .await?
        .check(same, format!("the same seven events in both watches, not {one:?} and {two:?}"))?;
    Ok(())
}

async fn a_watch_without_a_version_begins_with_the_state(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    let mut events = site.watch("secrets?watch=true").await?;
    let mut names =
        [events.expect("ADDED").await?.name().to_owned(), events.expect("ADDED").await?.name().to_owned()];
    names.sort();
    site.get("secrets").await?.check(names == ["a", "b"], "both")?;
    site.secrets(&["c"]).await?;
    events.expect_of("ADDED", "c").await?;
    Ok(())
}

async fn a_watch_at_zero_begins_with_the_state(site: Site) -> Outcome {
    let path = "/api/v1/namespaces?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Ddefault";
    site.watch(path).await?.expect_of("ADDED", "default").await?;
    Ok(())
}

async fn a_watch_of_one_name(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.secrets(&["a", "b"]).await?;
    let path =
        format!("secrets?watch=true&resourceVersion={}&fieldSelector=metadata.name%3Db", start.version());
    site.watch(&path).await?.expect_of("ADDED", "b").await?;
    Ok(())
}

async fn the_old_watch_path_still_serves(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.secrets(&["a"]).await?;
    let path =
        format!("/api/v1/watch/namespaces/{}/secrets?resourceVersion={}", site.namespace(), start.version());
    site.watch(&path).await?.expect_of("ADDED", "a").await?;
    Ok(())
}

async fn the_old_watch_path_of_one_object(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.secrets(&["a", "b"]).await?;
    let path = format!(
        "/api/v1/watch/namespaces/{}/secrets/b?resourceVersion={}",
        site.namespace(),
        start.version()
    );
    site.watch(&path).await?.expect_of("ADDED", "b").await?;
    Ok(())
}

async fn watch_is_a_boolean(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.watch("secrets?watch=1").await?.expect_of("ADDED", "a").await?;
    site.get("secrets?watch=false").await?.code(200)?.is("/kind", "SecretList")?;
    site.get("secrets?watch=0").await?.code(200)?.is("/kind", "SecretList")?;
    Ok(())
}
