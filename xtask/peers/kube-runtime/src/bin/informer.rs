//! kube-runtime's reflector on the load: CPU and memory to sync, then CPU to follow changes.
//!
//! `informer --url http://127.0.0.1:PORT --objects N --events M --form whole|view`

use futures::{Stream, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{reflector, store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Config, Resource};
use peer_kube_runtime::{Cost, option, report};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Debug;
use std::pin::pin;

/// The ten fields that the view's informers keep, as far as kube-runtime can leave the others out: its metadata is whole.
#[derive(Clone, Debug, Deserialize, Resource, Serialize)]
#[resource(inherit = Pod)]
struct PodView {
    metadata: ObjectMeta,
    spec: SpecView,
    status: StatusView,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpecView {
    node_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct StatusView {
    phase: Option<String>,
    #[serde(rename = "podIP")]
    pod_ip: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match option::<String>("form")?.as_str() {
        "whole" => measure::<Pod>("whole").await,
        "view" => measure::<PodView>("view").await,
        other => Err(format!("--form {other} is neither whole nor view").into()),
    }
}

async fn measure<K>(form: &str) -> Result<(), Box<dyn Error>>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (url, objects, events): (String, usize, usize) =
        (option("url")?, option("objects")?, option("events")?);
    let client = Client::try_from(Config::new(url.parse()?))?;

    let empty = Cost::so_far()?;
    let (reader, writer) = store::<K>();
    let config = watcher::Config::default().streaming_lists();
    let mut changes = pin!(reflector(writer, watcher(Api::all(client.clone()), config)).default_backoff());
    wait_for_sync(&mut changes).await?;
    let synced = Cost::so_far()?;
    if reader.len() != objects {
        return Err(format!("{} of {objects} objects after sync", reader.len()).into());
    }
    report(&format!("informer/sync-cpu/{form}"), "µs", (synced.cpu_ns - empty.cpu_ns) / 1e3 / objects as f64);
    report(
        &format!("informer/sync-rss/{form}"),
        "KB",
        (synced.rss_bytes - empty.rss_bytes) / 1e3 / objects as f64,
    );

    let ask = http::Request::post(format!("/load/events?count={events}")).body(Vec::new())?;
    client.request_text(ask).await?;
    let before = Cost::so_far()?;
    follow(&mut changes, events).await?;
    let followed = Cost::so_far()?;
    report(
        &format!("informer/follow-cpu/{form}"),
        "µs",
        (followed.cpu_ns - before.cpu_ns) / 1e3 / events as f64,
    );
    Ok(())
}

async fn wait_for_sync<K>(
    changes: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin),
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = changes.try_next().await? {
        if let Event::InitDone = event {
            return Ok(());
        }
    }
    Err("the watch ended before it was in sync".into())
}

async fn follow<K>(
    changes: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin),
    events: usize,
) -> Result<(), Box<dyn Error>> {
    let mut seen = 0;
    while seen < events {
        match changes.try_next().await? {
            Some(Event::Apply(_)) => seen += 1,
            Some(_) => {}
            None => return Err("the watch ended".into()),
        }
    }
    Ok(())
}
