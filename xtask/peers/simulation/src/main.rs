//! An operator of the common shape on kube-runtime's `Controller`, under our simulation. Nothing in it knows that it is
//! simulated: it is given another `Client`, and nothing else.
//!
//! A site is a `ConfigMap` with the label `part=site`. The operator creates a child when that is missing, writes a status
//! (an annotation), and holds a finalizer that removes the site's registration, which has no owner.
//!
//! ```text
//! cargo run --release --manifest-path xtask/peers/simulation/Cargo.toml -- 1000 2     # seeds, threads
//! ```
//!
//! It runs two forms of the operator. In `usual`, names follow from the site, and the server is read before each create. In
//! `cached`, a cache of the children decides, and the API server completes the child's name. `usual` also runs with requests
//! that are never answered.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use kube_runtime::{
    Controller,
    controller::Action,
    finalizer::{Event, finalizer},
    reflector::Store,
    watcher,
};
use serde_json::{Value, json};
use trimtab_simulation::{
    Fault, FaultMix, Pattern, Process, Random, Scenario, Simulation, Step, StoredObject, World,
};

const FINALIZER: &str = "example.com/registration";

type Error = kube_runtime::finalizer::Error<kube_client::Error>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Names follow from the site, and the server is read before each create.
    Usual,
    /// The child's name is generated, and a cache says whether there is one.
    Cached,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seeds, jobs) = (number(200), number(1));
    let jobs = usize::try_from(jobs).unwrap_or(1);
    for (name, form, hangs) in [
        ("usual, with requests that are never answered", Form::Usual, true),
        ("usual", Form::Usual, false),
        ("cached", Form::Cached, false),
    ] {
        let simulation = || Simulation::new(scenario(name, form, hangs)).seeds(0..seeds).jobs(jobs);
        println!("{}", simulation().run());
        println!("{}", simulation().systematic(&Pattern::all()));
    }
}

fn scenario(name: &str, form: Form, hangs: bool) -> Scenario {
    let seconds = Duration::from_secs;
    // A write that is carried out long after it was given up makes a twin of anything whose name is generated, whatever
    // the library.
    let faults = FaultMix::environment().without(|fault| match fault {
        Fault::LateCommit(_) | Fault::Delay(_) => true,
        Fault::Hang => !hangs,
        _ => false,
    });
    Scenario::new(name)
        .process("operator", move |process| run(process, form))
        .workload(steps)
        .touches("configmaps")
        .faults(faults)
        .always("no site has two children", one_child)
        .eventually("every site is as it should be", seconds(600), all_is_well)
        .settles_within(seconds(600))
}

struct Context {
    maps: Api<ConfigMap>,
    children: Store<ConfigMap>,
    form: Form,
}

async fn run(process: Process, form: Form) {
    let client: Client = process.client();
    let part = |part: &str| watcher::Config::default().labels(&format!("part={part}"));
    let maps = || Api::<ConfigMap>::default_namespaced(client.clone());
    let (children, writer) = kube_runtime::reflector::store();
    let follow = kube_runtime::reflector(writer, watcher(maps(), part("child")));
    tokio::spawn(follow.for_each(|_| async {}));
    let context = Arc::new(Context { maps: maps(), children, form });
    Controller::new(maps(), part("site"))
        .owns(maps(), part("child"))
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_secs(5)), context)
        .for_each(|_| async {})
        .await;
}

async fn reconcile(site: Arc<ConfigMap>, context: Arc<Context>) -> Result<Action, Error> {
    finalizer(&context.maps, FINALIZER, site, |event| async {
        match event {
            Event::Apply(site) => apply(&context, &site).await,
            Event::Cleanup(site) => clean_up(&context.maps, &site).await,
        }
    })
    .await
}

async fn apply(context: &Context, site: &ConfigMap) -> Result<Action, kube_client::Error> {
    let (name, maps) = (site.name_any(), &context.maps);
    let labels = json!({"part": "child", "site": name});
    let owners = json!([site.controller_owner_ref(&())]);
    match context.form {
        Form::Usual => {
            let metadata =
                json!({"name": format!("{name}-child"), "labels": labels, "ownerReferences": owners});
            create_when_missing(maps, &format!("{name}-child"), metadata).await?;
        }
        Form::Cached => {
            let is_there =
                context.children.state().iter().any(|child| child.labels().get("site") == Some(&name));
            if !is_there {
                let metadata = json!({
                    "generateName": format!("{name}-"), "labels": labels, "ownerReferences": owners,
                });
                create(maps, metadata).await?;
            }
        }
    }
    let registration = format!("{name}-registration");
    create_when_missing(
        maps,
        &registration,
        json!({"name": registration, "labels": {"part": "registration"}}),
    )
    .await?;
    if site.annotations().get("status").map(String::as_str) != Some("ready") {
        let status = json!({"metadata": {"annotations": {"status": "ready"}}});
        maps.patch(&name, &PatchParams::default(), &Patch::Merge(status)).await?;
    }
    Ok(Action::await_change())
}

async fn create_when_missing(
    maps: &Api<ConfigMap>,
    name: &str,
    metadata: Value,
) -> Result<(), kube_client::Error> {
    match maps.get_opt(name).await? {
        Some(_) => Ok(()),
        None => create(maps, metadata).await,
    }
}

async fn create(maps: &Api<ConfigMap>, metadata: Value) -> Result<(), kube_client::Error> {
    let map =
        serde_json::from_value(json!({"metadata": metadata})).map_err(kube_client::Error::SerdeError)?;
    maps.create(&PostParams::default(), &map).await.map(drop)
}

async fn clean_up(maps: &Api<ConfigMap>, site: &ConfigMap) -> Result<Action, kube_client::Error> {
    match maps.delete(&format!("{}-registration", site.name_any()), &DeleteParams::default()).await {
        Err(kube_client::Error::Api(status)) if status.code == 404 => {}
        deleted => drop(deleted?),
    }
    Ok(Action::await_change())
}

fn steps(random: &mut Random) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for number in 0..2 {
        let name = format!("site-{number}");
        let mut at = random.within(0..3000);
        let site = json!({"metadata": {"name": name, "namespace": "default", "labels": {"part": "site"}}});
        let site: ConfigMap = serde_json::from_value(site).expect("a ConfigMap");
        steps.push((at, Step::create(&site)));
        if random.chance(0.5) {
            at += random.within(500..8000);
            steps.push((at, Step::delete::<ConfigMap>("default", &name)));
        }
        if random.chance(0.3) {
            at += random.within(500..8000);
            steps.push((at, Step::create(&site)));
        }
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

fn of<'a>(world: &'a World, part: &'static str) -> impl Iterator<Item = &'a StoredObject> {
    world.objects("configmaps").filter(move |map| map["metadata"]["labels"]["part"] == part)
}

fn name(map: &StoredObject) -> &str {
    map["metadata"]["name"].as_str().unwrap_or_default()
}

/// The children of a site that are not being deleted and belong to the site that there is.
fn children<'a>(world: &'a World, site: &'a StoredObject) -> impl Iterator<Item = &'a StoredObject> {
    of(world, "child").filter(move |child| {
        child["metadata"]["labels"]["site"] == site["metadata"]["name"]
            && child["metadata"]["deletionTimestamp"].is_null()
            && child["metadata"]["ownerReferences"][0]["uid"] == site["metadata"]["uid"]
    })
}

fn one_child(world: &World) -> Result<(), String> {
    for site in of(world, "site") {
        let count = children(world, site).count();
        if count > 1 {
            return Err(format!("{} has {count}", name(site)));
        }
    }
    Ok(())
}

fn all_is_well(world: &World) -> Result<(), String> {
    for site in of(world, "site") {
        let name = name(site);
        if !site["metadata"]["deletionTimestamp"].is_null() {
            return Err(format!("{name} is still being deleted"));
        }
        if site["metadata"]["annotations"]["status"] != "ready" {
            return Err(format!("{name} has no status"));
        }
        if children(world, site).count() != 1 {
            return Err(format!("{name} has no child"));
        }
        if world.get("configmaps", "default", &format!("{name}-registration")).is_none() {
            return Err(format!("{name} is not registered"));
        }
    }
    let sites = of(world, "site").count();
    for part in ["child", "registration"] {
        let found = of(world, part).count();
        if found != sites {
            return Err(format!("there are {found} of the part {part} for {sites} sites"));
        }
    }
    Ok(())
}
