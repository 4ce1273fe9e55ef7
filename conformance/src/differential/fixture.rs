//! The objects of both servers before the first request: namespaces, definitions, objects to read.

use super::families::{custom, read};
use super::probe::{Ask, NAMESPACE};
use super::reply::send;
use crate::servers::Failure;
use kube_client::Client;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a server may take to serve a definition, and its controllers to fill a namespace.
const PATIENCE: Duration = Duration::from_secs(60);

/// Makes it, and waits until all of it is served.
pub(crate) async fn make(client: &Client) -> Result<(), Failure> {
    for name in [NAMESPACE, "differential-limits", read::SHELF] {
        made(client, &Ask::create("/api/v1/namespaces", &json!({"metadata": {"name": name}}))).await?;
        for path in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
            served(client, &format!("/api/v1/namespaces/{name}/{path}")).await?;
        }
    }
    for ask in custom::definitions() {
        made(client, &ask).await?;
    }
    for path in custom::collections() {
        served(client, &path).await?;
    }
    for ask in read::objects() {
        made(client, &ask).await?;
    }
    Ok(())
}

async fn made(client: &Client, ask: &Ask) -> Result<(), Failure> {
    match send(client, ask).await? {
        (200..=299, ..) => Ok(()),
        (code, _, text) => Err(format!("{ask}: {code} {text}").into()),
    }
}

async fn served(client: &Client, path: &str) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (code, _, text) = send(client, &Ask::bare("GET", path)).await?;
        if code == 200 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("{path} is not served within {PATIENCE:?}: {code} {text}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
