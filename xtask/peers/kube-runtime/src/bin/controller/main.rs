//! kube-runtime's controller in the benchmark of ours.
//!
//! ```text
//! controller --scenario latency|loaded|isolation --url http://127.0.0.1:PORT --objects N --events N --rate N
//! controller --scenario throughput --url http://127.0.0.1:PORT --objects N [--quick]
//! controller --scenario many --url http://127.0.0.1:PORT --objects N
//! ```

mod latency;
mod many;
mod samples;
mod throughput;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::runtime::controller::Action;
use kube::runtime::{Config, Controller, watcher};
use kube::{Api, Client};
use peer_kube_runtime::option;
use serde_json::json;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

/// The number of workers of a controller that is measured, ours and the peers'.
const WORKERS: u16 = 8;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::try_from(kube::Config::new(option::<String>("url")?.parse()?))?;
    match option::<String>("scenario")?.as_str() {
        "latency" => {
            latency::run(client, &[("controller/latency-p50", 50), ("controller/latency-p99", 99)]).await
        }
        "loaded" => latency::run(client, &[("controller/loaded-p99", 99)]).await,
        "throughput" => throughput::run(client).await,
        "isolation" => latency::isolation(client).await,
        "many" => many::run(client).await,
        other => Err(format!("--scenario {other} is not known").into()),
    }
}

/// A controller of all `ConfigMap`s, with the workers of every subject.
fn controller(client: &Client) -> Controller<ConfigMap> {
    Controller::new(Api::all(client.clone()), watcher::Config::default())
        .with_config(Config::default().concurrency(WORKERS))
}

/// The error policy of reconcilers that never fail.
fn never_fails<K, C>(_: Arc<K>, error: &Infallible, _: Arc<C>) -> Action {
    match *error {}
}

/// Lets the server change its objects.
async fn start_changes(client: &Client, command: &str) -> Result<(), Box<dyn Error>> {
    let (events, rate): (u32, u32) = (option("events")?, option("rate")?);
    let annotations = json!({"changes": events.to_string(), "rate": rate.to_string()});
    send(client, command, annotations).await
}

/// Lets the server end the watches of a resource, and refuse all further requests for it.
async fn start_refusing(client: &Client, resource: &str) -> Result<(), Box<dyn Error>> {
    send(client, "refuse", json!({"refuse": resource})).await
}

/// Sends a command: a Lease with annotations.
async fn send(client: &Client, name: &str, annotations: serde_json::Value) -> Result<(), Box<dyn Error>> {
    let lease = json!({"metadata": {"name": name, "annotations": annotations}});
    let api: Api<Lease> = Api::namespaced(client.clone(), "default");
    api.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    Ok(())
}
