//! Lists: pages of one state, lists of older states, and what is refused: what Kubernetes documents
//! (KEP-2340) of `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` together.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Node};
use kube_client::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::{Value, json};
use tokio::time::Instant;
use trimtab_apiserver::ApiServer;

use crate::fixtures::{
    code_and_reason, config_map, config_maps, from, labelled_pod, pods, refusal, request, send,
};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

async fn fill(client: &Client, names: &[&str]) -> Api<ConfigMap> {
    let maps = config_maps(client);
    for name in names {
        maps.create(&PostParams::default(), &config_map(name)).await.expect("the server answers");
    }
    maps
}

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .expect("the server answers")
        .iter()
        .map(|item| item["metadata"]["name"].as_str().expect("the server answers"))
        .collect()
}

/// Guarantee 2.
#[tokio::test(start_paused = true)]
async fn all_pages_of_a_list_show_the_state_of_the_first() {
    let server = ApiServer::start();
    let client = server.client();
    let maps = fill(&client, &["a", "b", "c", "d", "e"]).await;
    let first = send(&client, "GET", &format!("{PATH}?limit=2")).await.unwrap();
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    maps.delete("c", &DeleteParams::default()).await.unwrap();
    maps.create(&PostParams::default(), &config_map("cc")).await.unwrap();
    maps.delete("d", &DeleteParams::default()).await.unwrap();
    maps.create(&PostParams::default(), &config_map("d")).await.unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = send(&client, "GET", &format!("{PATH}?limit=2&continue={token}")).await.unwrap();
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let token = second["metadata"]["continue"].as_str().unwrap();
    let last = send(&client, "GET", &format!("{PATH}?limit=2&continue={token}")).await.unwrap();
    assert_eq!(names(&last), ["e"]);
    assert!(last["metadata"].get("continue").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_compacted_away_tells_where_the_inconsistent_rest_begins() {
    let server = ApiServer::start();
    let client = server.client();
    let maps = fill(&client, &["a", "b", "c"]).await;
    let first = send(&client, "GET", &format!("{PATH}?limit=1")).await.unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    server.faults().compact();
    let status = refusal(send(&client, "GET", &format!("{PATH}?limit=1&continue={token}")).await);
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    let token = status.metadata.unwrap().continue_.unwrap();
    let rest = send(&client, "GET", &format!("{PATH}?continue={token}")).await.unwrap();
    assert_eq!(names(&rest), ["c"]);
    assert_eq!(rest["metadata"]["resourceVersion"], server.resource_version().to_string());
}

/// etcd is compacted every five minutes; the history that watches read is kept longer.
#[tokio::test(start_paused = true)]
async fn a_token_expires_with_time_whatever_watches_remember() {
    let server = ApiServer::start();
    let client = server.client();
    let maps = fill(&client, &["a", "b"]).await;
    let then = server.resource_version();
    let first = send(&client, "GET", &format!("{PATH}?limit=1")).await.unwrap();
    let next = format!("{PATH}?limit=1&continue={}", first["metadata"]["continue"].as_str().unwrap());
    maps.delete("b", &DeleteParams::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(299)).await;
    assert_eq!(names(&send(&client, "GET", &next).await.unwrap()), ["b"]);
    tokio::time::sleep(Duration::from_secs(302)).await;
    assert_eq!(code_and_reason(send(&client, "GET", &next).await), (410, "Expired".into()));
    let watch = format!("{PATH}?watch=true&resourceVersion={then}&timeoutSeconds=1");
    let request = request("GET", &watch).body(Vec::new()).unwrap();
    let events = client.request_text(request).await.unwrap();
    assert!(events.starts_with(r#"{"type":"DELETED""#), "{events}");
}

#[tokio::test(start_paused = true)]
async fn a_list_at_an_exact_version_shows_that_state_as_long_as_history_has_it() {
    let server = ApiServer::start();
    let client = server.client();
    let maps = fill(&client, &["a", "b"]).await;
    let then = server.resource_version();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    maps.create(&PostParams::default(), &config_map("c")).await.unwrap();
    let exact = format!("{PATH}?resourceVersion={then}&resourceVersionMatch=Exact");
    let list = send(&client, "GET", &exact).await.unwrap();
    assert_eq!(
        (names(&list), &list["metadata"]["resourceVersion"]),
        (vec!["a", "b"], &json!(then.to_string()))
    );
    let legacy = send(&client, "GET", &format!("{PATH}?resourceVersion={then}&limit=9")).await.unwrap();
    assert_eq!(names(&legacy), ["a", "b"]);
    for newer in ["", "&resourceVersionMatch=NotOlderThan"] {
        let list = send(&client, "GET", &format!("{PATH}?resourceVersion={then}{newer}")).await.unwrap();
        assert_eq!(names(&list), ["b", "c"]);
    }
    let any = send(&client, "GET", &format!("{PATH}?resourceVersion=0&limit=1")).await.unwrap();
    assert_eq!(names(&any), ["b", "c"]); // from the cache, which knows no limit
    server.faults().compact();
    assert_eq!(code_and_reason(send(&client, "GET", &exact).await), (410, "Expired".into()));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_still_to_come_is_waited_for_but_not_for_long() {
    let server = ApiServer::start();
    let client = server.client();
    let maps = fill(&client, &["a"]).await;
    let next = server.resource_version() + 1;
    let path = format!("{PATH}?resourceVersion={next}&resourceVersionMatch=NotOlderThan");
    let start = Instant::now();
    let status = refusal(send(&client, "GET", &path).await);
    assert_eq!((status.code, start.elapsed()), (504, Duration::from_secs(3)));
    assert_eq!(status.details.unwrap().causes[0].reason, "ResourceVersionTooLarge");
    let write = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        maps.create(&PostParams::default(), &config_map("b")).await.unwrap();
    };
    let (list, ()) = tokio::join!(send(&client, "GET", &path), write);
    assert_eq!(names(&list.unwrap()), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn combinations_that_make_no_sense_are_refused() {
    let server = ApiServer::start();
    let client = server.client();
    fill(&client, &["a", "b"]).await;
    let first = send(&client, "GET", &format!("{PATH}?limit=1")).await.unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    for (query, code) in [
        ("resourceVersionMatch=Exact".to_owned(), 422),
        ("resourceVersionMatch=NotOlderThan".to_owned(), 422),
        ("resourceVersion=0&resourceVersionMatch=Exact".to_owned(), 422),
        ("resourceVersion=1&resourceVersionMatch=Sideways".to_owned(), 422),
        (format!("resourceVersion=5&continue={token}"), 400),
        (format!("resourceVersion=5&resourceVersionMatch=Exact&continue={token}"), 422),
        ("sendInitialEvents=true".to_owned(), 422),
        ("continue=nonsense".to_owned(), 400),
        ("limit=many".to_owned(), 400),
        ("labelSelector=a%20b".to_owned(), 400),
        ("fieldSelector=spec.nonsense%3Da".to_owned(), 400),
        ("watch=1&resourceVersionMatch=NotOlderThan".to_owned(), 422),
        ("watch=1&sendInitialEvents=true".to_owned(), 422),
        (format!("watch=1&continue={token}"), 422),
        (format!("resourceVersion=x&resourceVersionMatch=Exact&continue={token}"), 422),
        (format!("resourceVersion=x&continue={token}"), 400),
        ("resourceVersion=x".to_owned(), 400),
    ] {
        let refused = send(&client, "GET", &format!("{PATH}?{query}")).await;
        assert_eq!(refusal(refused).code, code, "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_mistake_in_the_parameters_is_told_in_order() {
    let server = ApiServer::start();
    let client = server.client();
    fill(&client, &["a", "b"]).await;
    let first = send(&client, "GET", &format!("{PATH}?limit=1")).await.unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let unless = "resourceVersionMatch is forbidden unless resourceVersion is provided";
    let with = "resourceVersionMatch is forbidden when continue is provided";
    let unknown = "Unsupported value: \"Bad\": supported values: ";
    let streams = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    for (query, expected) in [
        (format!("resourceVersionMatch=Bad&continue={token}"), vec![unless, with, unknown]),
        (
            format!("resourceVersion=0&resourceVersionMatch=Exact&continue={token}"),
            vec![with, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""],
        ),
        ("watch=1&sendInitialEvents=true&resourceVersionMatch=Bad".to_owned(), vec![streams, unknown]),
        (
            "watch=1&resourceVersion=x&resourceVersionMatch=Bad".to_owned(),
            vec!["resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided", unknown],
        ),
    ] {
        let status = refusal(send(&client, "GET", &format!("{PATH}?{query}")).await);
        let causes = status.details.unwrap().causes;
        assert_eq!((status.code, causes.len()), (422, expected.len()), "{query}");
        for (cause, expected) in causes.iter().zip(expected) {
            assert!(cause.message.contains(expected), "{query}: {}", cause.message);
        }
    }
    // The cache answers who takes any version, and knows no limit, not even after a token.
    let rest = format!("{PATH}?resourceVersion=0&limit=1&continue={token}");
    assert_eq!(names(&send(&client, "GET", &rest).await.unwrap()), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn selectors_choose_by_labels_and_by_fields() {
    let server = ApiServer::start();
    let pods = pods(&server.client());
    for (name, app) in [("a", "web"), ("b", "web"), ("c", "db")] {
        pods.create(&PostParams::default(), &labelled_pod(name, &json!({"app": app}))).await.unwrap();
    }
    for (labels, fields, expected) in [
        ("app=web", "", vec!["a", "b"]),
        ("app in (db,x),app", "", vec!["c"]),
        ("app notin (web)", "", vec!["c"]),
        ("!app", "", vec![]),
        ("", "metadata.name!=a", vec!["b", "c"]),
        ("app=web", "metadata.name=b,status.phase=Pending,spec.nodeName=", vec!["b"]),
    ] {
        let list = pods.list(&ListParams::default().labels(labels).fields(fields)).await.unwrap();
        let found: Vec<String> = list.iter().map(ResourceExt::name_any).collect();
        assert_eq!(found, expected, "{labels} {fields}");
        // In pages of one, too: what a selector leaves out takes no place in them.
        let mut page = ListParams::default().labels(labels).fields(fields).limit(1);
        let mut found = Vec::new();
        loop {
            let list = pods.list(&page).await.unwrap();
            found.extend(list.iter().map(ResourceExt::name_any));
            let Some(token) = list.metadata.continue_.filter(|token| !token.is_empty()) else {
                break;
            };
            page = page.continue_token(&token);
        }
        assert_eq!(found, expected, "paged: {labels} {fields}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_of_one_namespace_has_nothing_of_its_neighbours() {
    let server = ApiServer::start();
    let client = server.client();
    fill(&client, &["a"]).await;
    for namespace in ["default-2", "defaul"] {
        let path = "/api/v1/namespaces";
        crate::fixtures::send_json(&client, "POST", path, &json!({"metadata": {"name": namespace}}))
            .await
            .unwrap();
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
        maps.create(&PostParams::default(), &config_map("b")).await.unwrap();
    }
    assert_eq!(names(&send(&client, "GET", PATH).await.unwrap()), ["a"]);
    let everywhere: Api<ConfigMap> = Api::all(client.clone());
    assert_eq!(everywhere.list(&ListParams::default()).await.unwrap().items.len(), 3);
    let nodes: Api<Node> = Api::all(client.clone());
    nodes.create(&PostParams::default(), &from(json!({"metadata": {"name": "n"}}))).await.unwrap();
    assert_eq!(nodes.list(&ListParams::default().limit(1)).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn pages_of_few_selected_objects_hold_each_of_them_once() {
    let server = ApiServer::start();
    let maps = config_maps(&server.client());
    let mut expected = Vec::new();
    for number in 0..100 {
        let name = format!("map-{number:03}");
        let label = if number % 7 == 3 { "yes" } else { "no" };
        let map = from(json!({"metadata": {"name": name, "labels": {"wanted": label}}}));
        maps.create(&PostParams::default(), &map).await.unwrap();
        expected.extend((label == "yes").then_some(name));
    }
    for limit in [1, 2, 3, 5, 14, 15] {
        let mut params = ListParams::default().labels("wanted=yes").limit(limit);
        let mut found = Vec::new();
        loop {
            let page = maps.list(&params).await.unwrap();
            assert!(page.items.len() <= limit as usize);
            found.extend(page.items.iter().map(ResourceExt::name_any));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        assert_eq!(found, expected, "limit {limit}");
    }
}
