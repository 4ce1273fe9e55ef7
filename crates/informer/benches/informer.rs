//! What it costs to sync with the Pods of a server and to follow their changes: CPU and memory.
//!
//! `cargo xtask bench informer` runs this beside its peers, against a load that `xtask/peers/load` serves:
//! `informer --url http://127.0.0.1:PORT --objects N --events M --form whole|packed|view`

use std::{
    error::Error,
    fmt::Display,
    fs, io,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_openapi::api::core::v1::Pod;
use kube_client::{Client, Config};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{sync::Notify, time::Duration};
use trimtab_cache::{MetaView, Metadata, Object, Packed};
use trimtab_informer::Informer;

/// Ten fields of a Pod: those of the metadata that a controller reads, and three more.
#[derive(Debug, Deserialize)]
struct PodView {
    metadata: MetaView,
    #[expect(dead_code, reason = "held, as a controller would")]
    spec: SpecView,
    #[expect(dead_code, reason = "held, as a controller would")]
    status: StatusView,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "held, as a controller would")]
struct SpecView {
    node_name: Option<Box<str>>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "held, as a controller would")]
struct StatusView {
    phase: Option<Box<str>>,
    #[serde(rename = "podIP")]
    pod_ip: Option<Box<str>>,
}

impl Object for PodView {
    type Kind = Pod;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match option::<String>("form") {
        Ok(form) if form == "whole" => measure::<Pod>("whole").await,
        Ok(form) if form == "packed" => measure::<Packed<Pod>>("packed").await,
        Ok(form) if form == "view" => measure::<PodView>("view").await,
        other => Err(format!("--form must be whole, packed or view: {other:?}").into()),
    }
}

async fn measure<T>(form: &str) -> Result<(), Box<dyn Error>>
where
    T: Object<Kind = Pod> + DeserializeOwned,
{
    let (url, objects, events): (String, usize, usize) =
        (option("url")?, option("objects")?, option("events")?);
    let client = Client::try_from(Config::new(url.parse()?))?;

    let empty = Cost::so_far()?;
    let informer = Informer::builder(client.clone()).build::<T>();
    informer.start();
    informer.wait_for_sync().await;
    let synced = Cost::so_far()?;
    if informer.store().len() != objects {
        return Err(format!("{} of {objects} objects after sync", informer.store().len()).into());
    }
    report("sync-cpu", form, "µs", (synced.cpu_ns - empty.cpu_ns) / 1e3 / objects as f64);
    report("sync-rss", form, "KB", (synced.rss_bytes - empty.rss_bytes) / 1e3 / objects as f64);
    report("relist-peak", form, "ratio", relist_peak(&informer, empty.rss_bytes).await?);

    let (seen, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, done) = (seen.clone(), all.clone());
    informer.on_change(move |event| {
        if !event.initial && counter.fetch_add(1, Ordering::SeqCst) + 1 == events {
            done.notify_one();
        }
    });
    let before = Cost::so_far()?;
    let ask = http::Request::post(format!("/load/events?count={events}")).body(Vec::new())?;
    client.request_text(ask).await?;
    all.notified().await;
    let followed = Cost::so_far()?;
    report("follow-cpu", form, "µs", (followed.cpu_ns - before.cpu_ns) / 1e3 / events as f64);
    Ok(())
}

/// The most memory that it takes to list the same objects again, as a multiple of what they take at rest; `empty` is
/// the process without any.
async fn relist_peak<T>(informer: &Informer<T>, empty: f64) -> Result<f64, Box<dyn Error>>
where
    T: Object<Kind = Pod> + DeserializeOwned,
{
    let lists = informer.status().lists;
    informer.stop().await;
    let steady = Cost::so_far()?.rss_bytes - empty;
    fs::write("/proc/self/clear_refs", "5")?; // from here on, the kernel notes the peak anew
    informer.start(); // a restart lists again
    while informer.status().lists == lists {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((memory("VmHWM:")? - empty) / steady)
}

/// The value after `--name` on the command line.
fn option<T: FromStr<Err: Display>>(name: &str) -> Result<T, String> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    let value = arguments.next().ok_or_else(|| format!("{flag} is missing"))?;
    value.parse().map_err(|error| format!("{flag} {value}: {error}"))
}

/// What this process has cost so far.
struct Cost {
    /// User and system time.
    cpu_ns: f64,
    /// Resident memory.
    rss_bytes: f64,
}

impl Cost {
    fn so_far() -> io::Result<Self> {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Ok(Self { cpu_ns: cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64, rss_bytes: memory("VmRSS:")? })
    }
}

/// A line of the process's status, in bytes.
fn memory(line: &str) -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|held| held.strip_prefix(line)?.trim().strip_suffix(" kB"));
    let kilobytes: f64 = value.and_then(|text| text.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(kilobytes * 1024.0)
}

fn report(question: &str, form: &str, unit: &str, value: f64) {
    let bench = format!("informer/{question}/{form}");
    println!("{}", serde_json::json!({"bench": bench, "unit": unit, "better": "lower", "value": value}));
}
