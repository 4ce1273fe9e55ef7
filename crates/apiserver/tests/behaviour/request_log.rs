//! The request log of requests.

use kube_client::api::{ListParams, PostParams, WatchParams};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};

use crate::{
    fixtures::{pod, pods},
    watches::next,
};

#[tokio::test(start_paused = true)]
async fn every_answered_request_is_written_down_with_its_code() {
    let server = ApiServer::builder().request_log(true).controllers(false).start();
    let mine = pods(&server.client_as("mine"));
    mine.create(&PostParams::default(), &pod("web")).await.unwrap();
    mine.create(&PostParams::default(), &pod("web")).await.unwrap_err();
    server.faults().refuse(Filter::any().verb(Verb::List), Refusal::unavailable(), 1).leave();
    mine.list(&ListParams::default().limit(7)).await.unwrap_err();
    server.faults().lose_reply(Filter::any(), 1).leave();
    mine.get("web").await.unwrap_err();
    pods(&server.client_as("yours")).get("web").await.unwrap();

    let request_log = server.request_log().matching(&Filter::any().user_agent("mine"));
    let codes: Vec<_> = request_log.iter().map(|exchange| (exchange.verb, exchange.code)).collect();
    assert_eq!(
        codes,
        [(Verb::Create, Some(201)), (Verb::Create, Some(409)), (Verb::List, Some(503)), (Verb::Get, None),]
    );
    assert_eq!((request_log[2].query.as_str(), request_log[3].name.as_str()), ("&limit=7", "web"));
    server.request_log().clear();
    assert!(server.request_log().matching(&Filter::any()).is_empty());
}

/// Who read what at which resource version.
#[tokio::test(start_paused = true)]
async fn reads_and_events_are_written_down_with_the_version_that_they_carried() {
    let server = ApiServer::builder().request_log(true).controllers(false).start();
    let (mine, yours) = (pods(&server.client_as("mine")), pods(&server.client_as("yours")));
    let before = server.resource_version();
    mine.list(&ListParams::default()).await.unwrap();
    let params = WatchParams::default().timeout(61);
    let mut stream = Box::pin(mine.watch(&params, &before.to_string()).await.unwrap());
    yours.create(&PostParams::default(), &pod("web")).await.unwrap();
    yours.get("web").await.unwrap();
    for expected in ["added web", "bookmark"] {
        assert_eq!(next(&mut stream).await, expected);
    }
    let versions = |agent: &str| -> Vec<_> {
        let exchanges = server.request_log().matching(&Filter::any().user_agent(agent));
        exchanges.iter().map(|exchange| (exchange.verb, exchange.version)).collect()
    };
    assert_eq!(versions("mine"), [(Verb::List, Some(before)), (Verb::Watch, Some(before))]);
    let after = before + 1;
    assert_eq!(versions("yours"), [(Verb::Create, Some(after)), (Verb::Get, Some(after))]);
    let delivered = server.request_log().deliveries(&Filter::any().user_agent("mine").verb(Verb::Watch));
    let delivered: Vec<_> =
        delivered.iter().map(|event| (event.word, event.name.as_str(), event.version)).collect();
    assert_eq!(delivered, [("ADDED", "web", after), ("BOOKMARK", "", after)]);
    assert!(server.request_log().deliveries(&Filter::any().user_agent("yours")).is_empty());
}

/// A watch whose events have left the history: one that had begun, and one that never begins.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_watch_by_compaction_is_written_down_as_an_error() {
    let server = ApiServer::builder().request_log(true).controllers(false).start();
    let pods = pods(&server.client_as("mine"));
    let before = server.resource_version();
    let (params, from) = (WatchParams::default(), before.to_string());
    let mut behind = Box::pin(pods.watch(&params, &from).await.unwrap());
    pods.create(&PostParams::default(), &pod("web")).await.unwrap();
    server.faults().compact();
    assert_eq!(next(&mut behind).await, "error 410");
    let mut late = Box::pin(pods.watch(&params, &from).await.unwrap());
    assert_eq!(next(&mut late).await, "error 410");
    let delivered = server.request_log().deliveries(&Filter::any().resource("pods"));
    let delivered: Vec<_> =
        delivered.iter().map(|event| (event.word, event.name.as_str(), event.version)).collect();
    assert_eq!(delivered, [("ERROR", "", before), ("ERROR", "", 0)]);
    let opened = server.request_log().matching(&Filter::any().verb(Verb::Watch));
    let opened: Vec<_> = opened.iter().map(|exchange| (exchange.code, exchange.version)).collect();
    assert_eq!(opened, [(Some(200), Some(before)), (Some(200), None)], "the code comes before the error");
}
