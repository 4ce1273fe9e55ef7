//! The journal of requests.

use kube_client::api::{ListParams, PostParams};
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};

use crate::fixtures::{pod, pods};

#[tokio::test(start_paused = true)]
async fn every_answered_request_is_written_down_with_its_code() {
    let server = ApiServer::builder().journal(true).controllers(false).start();
    let mine = pods(&server.client_as("mine"));
    mine.create(&PostParams::default(), &pod("web")).await.unwrap();
    mine.create(&PostParams::default(), &pod("web")).await.unwrap_err();
    server.levers().refuse(Filter::any().verb(Verb::List), Refusal::unavailable(), 1).leave();
    mine.list(&ListParams::default().limit(7)).await.unwrap_err();
    server.levers().lose_reply(Filter::any(), 1).leave();
    mine.get("web").await.unwrap_err();
    pods(&server.client_as("yours")).get("web").await.unwrap();

    let journal = server.journal().matching(&Filter::any().user_agent("mine"));
    let codes: Vec<_> = journal.iter().map(|exchange| (exchange.verb, exchange.code)).collect();
    assert_eq!(
        codes,
        [(Verb::Create, Some(201)), (Verb::Create, Some(409)), (Verb::List, Some(503)), (Verb::Get, None),]
    );
    assert_eq!((journal[2].query.as_str(), journal[3].name.as_str()), ("&limit=7", "web"));
    server.journal().clear();
    assert!(server.journal().matching(&Filter::any()).is_empty());
}
