//! The cost of syncing with the Pods of a server and of following their changes, one file for each scenario.
//!
//! `cargo xtask bench informer` runs this beside its peers, against a load that `xtask/peers/load` serves:
//! `informer --scenario sync --url http://127.0.0.1:PORT --objects N --events M --form whole|packed|view`

mod cost;
mod decode;
mod latency;
mod list;
mod million;
mod real;
mod sync;

use std::{error::Error, fmt::Display, str::FromStr};

use k8s_openapi::api::core::v1::Pod;
use kube_client::{Client, Config};
use serde::{Deserialize, de::DeserializeOwned};
use trimtab_cache::{MetaView, Metadata, Object, Packed};
use trimtab_informer::{Informer, InformerBuilder, connect};
use trimtab_test_support::bench::instructions;

type Failure = Box<dyn Error>;

/// Ten fields of a Pod: the metadata that controllers read, and three more.
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

/// A form in which Pods are held.
trait Form: Object<Kind = Pod> + DeserializeOwned {}
impl<T: Object<Kind = Pod> + DeserializeOwned> Form for T {}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if let Some(times) = instructions() {
        return decode::run(times);
    }
    match option::<String>("form")?.as_str() {
        "whole" => ask::<Pod>("whole").await,
        "packed" => ask::<Packed<Pod>>("packed").await,
        "view" => ask::<PodView>("view").await,
        other => Err(format!("--form must be whole, packed or view, not {other}").into()),
    }
}

async fn ask<T: Form>(form: &str) -> Result<(), Failure> {
    match option::<String>("scenario")?.as_str() {
        "sync" => sync::run::<T>(form).await,
        "list" => list::run::<T>(form).await,
        "relist" => list::again::<T>(form).await,
        "million" => million::run::<T>().await,
        "latency" => latency::run::<T>().await,
        "real" => real::run::<T>(form).await,
        other => Err(format!("--scenario {other} is not known").into()),
    }
}

/// A client of the load.
fn client() -> Result<Client, Failure> {
    client_of(&option::<String>("url")?)
}

/// The client that the README advises; `--client default` for kube-client's own.
fn client_of(url: &str) -> Result<Client, Failure> {
    let mut config = Config::new(url.parse()?);
    config.default_retry = false;
    Ok(match option::<String>("client").as_deref() {
        Ok("default") => Client::try_from(config)?,
        Ok(other) if other != "direct" => {
            return Err(format!("--client must be direct or default, not {other}").into());
        }
        _ => connect::direct_client(config, connect::connector())?,
    })
}

/// A synced informer with all objects of the load.
async fn synced<T: Form>(builder: InformerBuilder, objects: usize) -> Result<Informer<T>, Failure> {
    let informer = builder.build::<T>();
    informer.start();
    informer.wait_for_sync().await;
    match informer.store().len() {
        held if held == objects => Ok(informer),
        held => Err(format!("{held} of {objects} objects after sync").into()),
    }
}

/// Sends a command to the load.
async fn tell(client: &Client, what: &str) -> Result<(), Failure> {
    client.request_text(http::Request::post(format!("/load/{what}")).body(Vec::new())?).await?;
    Ok(())
}

/// The value after `--name` on the command line.
fn option<T: FromStr<Err: Display>>(name: &str) -> Result<T, String> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    let value = arguments.next().ok_or_else(|| format!("{flag} is missing"))?;
    value.parse().map_err(|error| format!("{flag} {value}: {error}"))
}
