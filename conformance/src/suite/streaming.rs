//! Streaming lists: a watch that begins with the state and says when that is complete.

use crate::case::{Case, Outcome, case};
use crate::site::Site;
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(the_state_then_a_bookmark)
            .rule("The state as ADDED events, then a bookmark that says that this was all.")
            .source("KEP-3157"),
        case(the_bookmarks_version_is_a_place_to_go_on)
            .rule("The end bookmark's version is where a watch goes on.")
            .source("KEP-3157"),
        case(the_bookmark_is_as_new_as_the_state)
            .rule("The end bookmark is not older than the newest of the initial events.")
            .source("KEP-3157"),
        case(an_empty_state_ends_at_once)
            .rule("Of nothing, the end bookmark comes at once.")
            .source("KEP-3157"),
        case(at_zero).rule("At version 0 the state may be old, and ends the same way.").source("KEP-3157"),
        case(not_older_than_a_version)
            .rule("Not older than a version: everything up to it is in the state.")
            .source("KEP-3157"),
        case(a_selector_picks_from_the_state)
            .rule("Only what a selector picks is in the state.")
            .source("KEP-3157"),
        case(the_match_is_required)
            .rule("sendInitialEvents needs the match NotOlderThan.")
            .source("apimachinery: ValidateListOptions"),
        case(exact_is_refused)
            .rule("The match Exact does not go with it.")
            .source("apimachinery: ValidateListOptions"),
        case(without_bookmarks_no_end_is_told)
            .rule("Without bookmarks there is the state, and no end of it is told.")
            .source("KEP-3157"),
        case(no_initial_events_on_request)
            .rule("sendInitialEvents=false begins with what comes.")
            .source("KEP-3157"),
        case(a_table_is_streamed_row_by_row)
            .rule("A Table can be streamed, too: each event has one row, and only the first has the columns.")
            .source("kubernetes/test/e2e/apimachinery/table_conversion.go"),
        case(metadata_is_streamed)
            .rule("Metadata alone can be streamed, with the end bookmark.")
            .source("API concepts: metadata-only"),
    ]
}

/// The parameters of a streaming list.
const STREAM: &str = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true\
                      &resourceVersionMatch=NotOlderThan&timeoutSeconds=30";

async fn the_state_then_a_bookmark(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    let mut events = site.watch(&format!("secrets?{STREAM}")).await?;
    events.expect("ADDED").await?;
    events.expect("ADDED").await?;
    let end = events.expect("BOOKMARK").await?;
    events.check(end.ends_initial_events(), "the annotation k8s.io/initial-events-end: \"true\"", &end)?;
    site.secrets(&["c"]).await?;
    events.expect_of("ADDED", "c").await?;
    Ok(())
}

async fn the_bookmarks_version_is_a_place_to_go_on(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let mut events = site.watch(&format!("secrets?{STREAM}")).await?;
    events.expect_of("ADDED", "a").await?;
    let end = events.expect("BOOKMARK").await?;
    site.secrets(&["b"]).await?;
    site.watch_after(end.version(), "secrets").await?.expect_of("ADDED", "b").await?;
    Ok(())
}

async fn the_bookmark_is_as_new_as_the_state(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    let mut events = site.watch(&format!("secrets?{STREAM}")).await?;
    events.expect_of("ADDED", "a").await?;
    let end = events.expect("BOOKMARK").await?;
    let covers = end.version().parse::<u64>().ok() >= made.version().parse().ok();
    events.check(covers, "a version that covers the state", &end)?;
    Ok(())
}

async fn an_empty_state_ends_at_once(site: Site) -> Outcome {
    let mut events = site.watch(&format!("secrets?{STREAM}")).await?;
    let end = events.expect("BOOKMARK").await?;
    events.check(end.ends_initial_events(), "the end of the initial events", &end)?;
    Ok(())
}

async fn at_zero(site: Site) -> Outcome {
    let path = format!("/api/v1/namespaces?{STREAM}&resourceVersion=0&fieldSelector=metadata.name%3Ddefault");
    let mut events = site.watch(&path).await?;
    events.expect_of("ADDED", "default").await?;
    let end = events.expect("BOOKMARK").await?;
    events.check(end.ends_initial_events(), "the end of the initial events", &end)?;
    Ok(())
}

async fn not_older_than_a_version(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    let mut events = site.watch(&format!("secrets?{STREAM}&resourceVersion={}", made.version())).await?;
    events.expect_of("ADDED", "a").await?;
    let end = events.expect("BOOKMARK").await?;
    events.check(end.ends_initial_events(), "the end of the initial events", &end)?;
    Ok(())
}

async fn a_selector_picks_from_the_state(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.create("secrets", json!({"metadata": {"name": "b", "labels": {"x": "y"}}})).await?;
    let mut events = site.watch(&format!("secrets?{STREAM}&labelSelector=x%3Dy")).await?;
    events.expect_of("ADDED", "b").await?;
    events.expect("BOOKMARK").await?;
    Ok(())
}

async fn the_match_is_required(site: Site) -> Outcome {
    site.get("secrets?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&timeoutSeconds=1")
        .await?
        .invalid("FieldValueForbidden", "resourceVersionMatch")?;
    Ok(())
}

async fn exact_is_refused(site: Site) -> Outcome {
    let path = "secrets?watch=true&sendInitialEvents=true&resourceVersion=1&resourceVersionMatch=Exact\
                &timeoutSeconds=1";
    site.get(path).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn without_bookmarks_no_end_is_told(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let path = "secrets?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=3";
    let mut events = site.watch(path).await?;
    events.expect_of("ADDED", "a").await?;
    events.expect_end().await?;
    Ok(())
}

async fn no_initial_events_on_request(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let list = site.get("secrets").await?;
    let path = format!(
        "secrets?watch=true&sendInitialEvents=false&allowWatchBookmarks=true\
         &resourceVersionMatch=NotOlderThan&resourceVersion={}&timeoutSeconds=30",
        list.version()
    );
    let mut events = site.watch(&path).await?;
    site.secrets(&["b"]).await?;
    events.expect_of("ADDED", "b").await?;
    Ok(())
}

async fn a_table_is_streamed_row_by_row(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    let call = site.call(Method::GET, "secrets?watch=true&timeoutSeconds=5");
    let mut events = call.accept("application/json;as=Table;v=v1;g=meta.k8s.io").watch().await?;
    let first = events.expect("ADDED").await?;
    let columns = first.object["columnDefinitions"].as_array();
    let defined = first.object["kind"] == "Table" && columns.is_some_and(|all| !all.is_empty());
    events.check(defined, "a Table with columns", &first)?;
    let second = events.expect("ADDED").await?;
    let none = second.object["columnDefinitions"].as_array().is_none_or(Vec::is_empty);
    events.check(none, "no columns again", &second)?;
    Ok(())
}

async fn metadata_is_streamed(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let call = site.call(Method::GET, &format!("secrets?{STREAM}"));
    let mut events =
        call.accept("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1").watch().await?;
    let first = events.expect_of("ADDED", "a").await?;
    events.check(first.object["kind"] == "PartialObjectMetadata", "PartialObjectMetadata", &first)?;
    let end = events.expect("BOOKMARK").await?;
    let ends = end.ends_initial_events() && end.object["kind"] == "PartialObjectMetadata";
    events.check(ends, "the end of the initial events", &end)?;
    Ok(())
}
