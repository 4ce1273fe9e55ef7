//! The recorded decisions of a kube-apiserver, replayed against the embedded server.

use super::*;
use trimtab_apiserver::ApiServer;

/// No cell differs, of more than 5,000. Without a socket: what is decided is the same, and sooner.
#[tokio::test]
async fn the_embedded_server_decides_as_a_kube_apiserver_does() {
    let server = ApiServer::builder().root_certificates(true).rbac(true).start();
    let found = decisions(&server.client()).await.expect("answers");
    let differences = Table::parse(RECORDED).expect("a table").differences(&found);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    assert!(found.cells() > 5_000, "{} cells", found.cells());
}

#[test]
fn a_cell_that_differs_is_told_with_its_user_and_its_request() {
    let table = |answers: &str| Table {
        asks: vec!["GET /a".to_owned(), "GET /b".to_owned()],
        rows: vec![("ada".to_owned(), answers.to_owned())],
    };
    let recorded = Table::parse(&table("-o").to_string()).expect("a table");
    assert!(recorded.differences(&table("-o")).is_empty());
    assert_eq!(recorded.differences(&table("--")), ["ada: GET /b: - (a kube-apiserver: o)"]);
    assert_eq!(recorded.differences(&table("-")).len(), 1, "a request is missing");
}
