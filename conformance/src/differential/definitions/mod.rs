//! The definitions of public projects and their samples, on both servers: which are accepted, and what becomes of the
//! objects.

mod documents;
mod mutations;
mod report;

use super::compare::difference;
use super::mask;
use super::probe::{Ask, Probe};
use super::reply::{Reply, send};
use super::{AT_ONCE, Pair};
use crate::servers::{Choice, Failure, Server};
use documents::{Document, Project};
use futures_util::{StreamExt as _, stream};
use kube_client::Client;
use report::{Report, Sort};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAMESPACE: &str = "definitions";
/// How long a server may take to serve a definition, or to forget it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most samples of one definition that are sent.
const SAMPLES: usize = 30;

/// Sends the definitions in these folders, each named `PROJECT=FOLDER`, and their samples to both servers. True if
/// our server accepts every definition that upstream accepts, and judges no sample otherwise.
pub(crate) async fn run(folders: &[String], kube: Option<&Path>) -> Result<bool, Failure> {
    let ours = Server::start(&Choice::Embedded, None).await?;
    let real = Server::start(&Choice::Real, kube).await?;
    let pair = Pair { real: real.client()?, ours: ours.client()? };
    let namespace = Ask::create("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}}));
    for client in [&pair.real, &pair.ours] {
        send(client, &namespace).await?;
    }
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    for folder in folders {
        let (name, path) = folder.split_once('=').ok_or("--definitions wants PROJECT=FOLDER")?;
        let mut project = Project::read(&PathBuf::from(path)).map_err(|error| format!("{path}: {error}"))?;
        project.definitions.retain(|definition| seen.insert(definition.name().to_owned()));
        report.begin(name);
        let judged = stream::iter(&project.definitions).map(|definition| judge(&pair, &project, definition));
        let mut judged = judged.buffer_unordered(AT_ONCE);
        while let Some(verdicts) = judged.next().await {
            for verdict in verdicts? {
                report.count(verdict);
            }
        }
        eprintln!("{name}: {}", report.last());
    }
    Ok(report.print())
}

/// One request that both servers were sent.
struct Verdict {
    sort: Sort,
    file: String,
    ask: Ask,
    real: Reply,
    ours: Reply,
    /// The kind of the difference.
    difference: Option<String>,
}

/// Judges a definition, and, if both servers accept it, its samples.
async fn judge(pair: &Pair, project: &Project, definition: &Document) -> Result<Vec<Verdict>, Failure> {
    let mut sent = definition.value.clone();
    // Nobody answers a webhook here.
    if let Some(spec) = sent["spec"].as_object_mut() {
        spec.remove("conversion");
    }
    let made = compare(pair, Sort::Definition, definition, Ask::create(DEFINITIONS, &sent)).await?;
    let is_served = made.real.code == 201 && made.ours.code == 201;
    let mut verdicts = vec![made];
    if is_served {
        let served = definition.served();
        for version in &served {
            let path = format!("/apis/{}/{version}/{}", definition.group(), definition.plural());
            for client in [&pair.real, &pair.ours] {
                until(client, &path, 200).await?;
            }
        }
        for sample in project.samples(definition).take(SAMPLES) {
            let version = sample.value["apiVersion"].as_str().and_then(|version| version.split_once('/'));
            let Some((_, version)) = version.filter(|(_, version)| served.iter().any(|one| one == version))
            else {
                continue;
            };
            let within =
                if definition.is_namespaced() { format!("namespaces/{NAMESPACE}/") } else { String::new() };
            let path =
                format!("/apis/{}/{version}/{within}{}?dryRun=All", definition.group(), definition.plural());
            let body = placed(&sample.value, definition.is_namespaced());
            verdicts.push(compare(pair, Sort::Sample, sample, Ask::create(&*path, &body)).await?);
            for mutation in mutations::of(&body) {
                verdicts.push(compare(pair, Sort::Mutation, sample, Ask::create(&*path, &mutation)).await?);
            }
        }
    }
    let path = format!("{DEFINITIONS}/{}", definition.name());
    for client in [&pair.real, &pair.ours] {
        send(client, &Ask::bare("DELETE", &*path)).await?;
        until(client, &path, 404).await?;
    }
    Ok(verdicts)
}

/// The sample as an object of the namespace of this run.
fn placed(sample: &Value, is_namespaced: bool) -> Value {
    let mut object = sample.clone();
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
        if is_namespaced {
            metadata.insert("namespace".to_owned(), NAMESPACE.into());
        }
        if !metadata.contains_key("name") {
            metadata.insert("name".to_owned(), "sample".into());
        }
    }
    object
}

async fn compare(pair: &Pair, sort: Sort, from: &Document, ask: Ask) -> Result<Verdict, Failure> {
    // No object of this run has a name to mask.
    let probe = Probe { family: "definitions".into(), name: "no-such-name".into(), given: Vec::new(), ask };
    let (mut real, mut ours) = tokio::try_join!(reply(&pair.real, &probe), reply(&pair.ours, &probe))?;
    if sort == Sort::Definition {
        // Upstream's controllers write it later.
        for reply in [&mut real, &mut ours] {
            if let Some(object) = reply.body.as_object_mut().filter(|object| object["kind"] != "Status") {
                object.remove("status");
            }
        }
    }
    let difference = difference(&real, &ours);
    Ok(Verdict { sort, file: from.file.clone(), ask: probe.ask, real, ours, difference })
}

async fn reply(client: &Client, probe: &Probe) -> Result<Reply, Failure> {
    let (code, warnings, text) = send(client, &probe.ask).await?;
    let mut warnings: Vec<_> = warnings.iter().map(|warning| mask::text(probe, warning)).collect();
    warnings.sort();
    Ok(Reply { code, warnings, body: mask::body(probe, &text) })
}

/// Waits until a path answers with this code.
async fn until(client: &Client, path: &str, code: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (found, _, text) = send(client, &Ask::bare("GET", path)).await?;
        if found == code {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("{path}: {found} instead of {code} after {PATIENCE:?}: {text}").into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
