//! Secrets: bearer tokens come from the operating system, whatever the seed is.

use kube_client::Client;
use serde_json::{Value, json};
use trimtab_apiserver::{ApiServer, ApiServerBuilder};

use crate::fixtures::{send, send_json};

/// The administrator's token, as the kubeconfig tells it.
fn admin_token(server: &ApiServer) -> String {
    let kubeconfig = server.kubeconfig(([127, 0, 0, 1], 1).into());
    let (_, rest) = kubeconfig.split_once("token: \"").expect("the kubeconfig has a token");
    rest.split_once('"').expect("the token is quoted").0.to_owned()
}

/// The UIDs of all namespaces.
async fn uids(client: &Client) -> Vec<String> {
    let namespaces = send(client, "GET", "/api/v1/namespaces").await.expect("an administrator may");
    let items = namespaces["items"].as_array().expect("a list");
    items.iter().map(|item| item["metadata"]["uid"].as_str().expect("a UID").to_owned()).collect()
}

fn strict() -> ApiServerBuilder {
    ApiServer::builder().seed(7).rbac(true)
}

#[tokio::test(start_paused = true)]
async fn the_administrator_s_token_does_not_follow_from_the_seed() {
    let [one, other] = [strict().start(), strict().start()];
    let (token, uids) = (admin_token(&one), uids(&one.client()).await);
    assert!(!uids.contains(&token), "the token is the UID of a namespace");
    assert_ne!(token, admin_token(&other), "two servers with one seed share a token");
    assert!(token.len() >= 43, "256 bits in base64: {}", token.len());
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_service_account_does_not_follow_from_the_seed() {
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let start = "2026-01-02T03:04:05Z".parse().expect("a time");
        let server = strict().start_time(start).start();
        let client = server.client();
        let accounts = "/api/v1/namespaces/default/serviceaccounts";
        let robot = json!({"metadata": {"name": "robot"}});
        send_json(&client, "POST", accounts, &robot).await.expect("created");
        let issued = send_json(&client, "POST", &format!("{accounts}/robot/token"), &json!({})).await;
        let issued: Value = issued.expect("issued");
        tokens.push(issued["status"]["token"].as_str().expect("a token").to_owned());
        // Issuing a token draws no number of the seed: what comes after it stays the same.
        let after = json!({"metadata": {"generateName": "after-"}});
        let after = send_json(&client, "POST", accounts, &after).await.expect("created");
        tokens.push(after["metadata"]["uid"].as_str().expect("a UID").to_owned());
    }
    assert_ne!(tokens[0], tokens[2], "two servers with one seed issue one token");
    assert_eq!(tokens[1], tokens[3], "UIDs follow from the seed");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_token_is_used_where_a_test_asks_for_it() {
    let server = strict().insecure_fixed_token("known to everybody").start();
    assert_eq!(admin_token(&server), "known to everybody");
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_debug() {
    let builder = strict().token("ada's secret", trimtab_apiserver::User::new("ada"));
    let builder = builder.insecure_fixed_token("the admin's secret");
    let text = format!("{builder:?}");
    assert!(!text.contains("secret"), "{text}");
    let server = builder.start();
    let text = format!("{server:?}");
    assert!(!text.contains("'s secret"), "the server's Debug shows a token");
}
