//! kube-runtime's reflector in our informer's benchmark.
//!
//! `informer --scenario sync|list|relist|latency --url http://127.0.0.1:PORT --objects N --events M --form whole|view`

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{reflector, store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Config, Resource};
use peer_kube_runtime::{Cost, forget_peak, now, option, report, report_more};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Instant;

/// The ten fields of the view, as far as kube-runtime can omit the others: its metadata is complete.
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
        "whole" => ask::<Pod>("whole").await,
        "view" => ask::<PodView>("view").await,
        other => Err(format!("--form {other} is neither whole nor view").into()),
    }
}

trait Form: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}
impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Form for K {}

async fn ask<K: Form>(form: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::try_from(Config::new(option::<String>("url")?.parse()?))?;
    let empty = Cost::so_far()?;
    let (reader, writer) = store::<K>();
    let api = Api::all(client.clone());
    let scenario: String = option("scenario")?;
    let config = match scenario.as_str() {
        "list" => watcher::Config::default(),
        _ => watcher::Config::default().streaming_lists(),
    };
    let mut changes = pin!(reflector(writer, watcher(api, config)).default_backoff());
    wait_for_sync(&mut changes).await?;
    let held = Cost::so_far()?;
    let objects = option("objects")?;
    if reader.len() != objects {
        return Err(format!("{} of {objects} objects after sync", reader.len()).into());
    }
    match scenario.as_str() {
        "sync" => {
            report(&format!("informer/sync-cpu/{form}"), "µs", held.cpu_each(&empty, objects));
            report(&format!("informer/sync-rss/{form}"), "KB", held.rss_each(&empty, objects));
            let events = option("events")?;
            tell(&client, &format!("events?count={events}")).await?;
            let (begun, before) = (Instant::now(), Cost::so_far()?);
            follow(&mut changes, events, |_: &K| ()).await?;
            let followed = Cost::so_far()?;
            report(&format!("informer/follow-cpu/{form}"), "µs", followed.cpu_each(&before, events));
            let rate = events as f64 / begun.elapsed().as_secs_f64();
            report_more(&format!("informer/follow-rate/{form}"), "/s", rate);
        }
        "list" => {
            report(&format!("informer/list-cpu/{form}"), "µs", held.cpu_each(&empty, objects));
            report(&format!("informer/list-rss/{form}"), "KB", held.rss_each(&empty, objects));
            report(&format!("informer/list-peak/{form}"), "×", held.peak_over(&held, &empty));
        }
        "relist" => {
            forget_peak()?;
            tell(&client, "expire").await?;
            wait_for_sync(&mut changes).await?;
            report(&format!("informer/relist-peak/{form}"), "×", Cost::so_far()?.peak_over(&held, &empty));
        }
        "latency" => {
            let (events, rate): (usize, u64) = (option("events")?, option("rate")?);
            tell(&client, &format!("events?count={events}&rate={rate}")).await?;
            let mut took = Vec::with_capacity(events);
            follow(&mut changes, events, |object: &K| {
                let version = object.meta().resource_version.as_deref().unwrap_or_default();
                took.push(now().saturating_sub(version.parse().unwrap_or_default()));
            })
            .await?;
            took.sort_unstable();
            report("informer/latency-p50", "µs", took[took.len() / 2] as f64 / 1e3);
            report("informer/latency-p99", "µs", took[took.len() * 99 / 100] as f64 / 1e3);
        }
        other => return Err(format!("--scenario {other} is not known").into()),
    }
    Ok(())
}

/// Sends a command to the load.
async fn tell(client: &Client, what: &str) -> Result<(), Box<dyn Error>> {
    client.request_text(http::Request::post(format!("/load/{what}")).body(Vec::new())?).await?;
    Ok(())
}

async fn wait_for_sync<K>(
    changes: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin),
) -> Result<(), Box<dyn Error>> {
    while let Some(event) = changes.next().await {
        match event {
            Ok(Event::InitDone) => return Ok(()),
            Err(watcher::Error::WatchError(status)) if status.code == 410 => {} // it lists again
            other => drop(other?),
        }
    }
    Err("the watch ended before it was in sync".into())
}

async fn follow<K>(
    changes: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin),
    events: usize,
    mut handle: impl FnMut(&K),
) -> Result<(), Box<dyn Error>> {
    let mut seen = 0;
    while seen < events {
        match changes.try_next().await? {
            Some(Event::Apply(object)) => {
                handle(&object);
                seen += 1;
            }
            Some(_) => {}
            None => return Err("the watch ended".into()),
        }
    }
    Ok(())
}
