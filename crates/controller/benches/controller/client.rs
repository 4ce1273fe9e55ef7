//! The client of the server of a run, and the commands that the server obeys.

use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{Api, Client, Config, api::PostParams};
use serde_json::json;
use trimtab_informer::connect;

use crate::{Failure, option};

/// Returns a client of the server of the run.
pub(crate) fn client() -> Result<Client, Failure> {
    let mut config = Config::new(option::<String>("url")?.parse()?);
    config.default_retry = false;
    Ok(connect::direct_client(config, connect::connector())?) // as that of a manager
}

/// Lets the server change its objects `--events` times, `--rate` times a second.
pub(crate) async fn start_changes(client: &Client, command: &str) -> Result<(), Failure> {
    let (events, rate): (u32, u32) = (option("events")?, option("rate")?);
    send(client, command, &[("changes", events.to_string()), ("rate", rate.to_string())]).await
}

/// Lets the server end the watches of a resource, and refuse all further requests for it.
pub(crate) async fn start_refusing(client: &Client, resource: &str) -> Result<(), Failure> {
    send(client, "refuse", &[("refuse", resource.to_owned())]).await
}

/// Sends a command: a Lease with annotations, because no controller of a benchmark that sends commands watches Leases.
async fn send(client: &Client, name: &str, annotations: &[(&str, String)]) -> Result<(), Failure> {
    let annotations: serde_json::Map<_, _> =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let lease = json!({"metadata": {"name": name, "annotations": annotations}});
    let api: Api<Lease> = Api::namespaced(client.clone(), "default");
    api.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
    Ok(())
}
