//! The operator of `examples/website`, unchanged, in a manager.

use std::{future::pending, time::Duration};

use serde_json::{Value, json};
use trimtab_manager::Manager;
use trimtab_simulation::{Fault, FaultMix, Process, Random, Scenario, Step, StoredObject, World};
use trimtab_website::kind::{Website, WebsiteSpec};

const WEBSITES: &str = "websites.example.com";
/// The definition that people apply to their clusters.
const DEFINITION: &str = include_str!("../../website/manifests/crd.yaml");
/// The theme that websites share.
const THEME: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: dark, namespace: default}
data: {style.css: "body { color: white }"}
"#;

/// Returns the operator, and three websites that are created, changed and deleted.
pub fn website() -> Scenario {
    let seconds = Duration::from_secs;
    let faults = FaultMix::none()
        .with(Fault::CrashBefore(seconds(3)), 4)
        .with(Fault::CrashAfter(seconds(3)), 4)
        .with(Fault::LoseRequest, 1)
        .with(Fault::LoseReply, 3)
        .with(Fault::Refuse(409), 2)
        .with(Fault::Refuse(500), 1)
        .with(Fault::Refuse(503), 1)
        .with(Fault::Hang, 1)
        .with(Fault::StaleRead(seconds(8)), 2)
        .with(Fault::Lag { lag: seconds(5), lasts: seconds(20) }, 4)
        .with(Fault::Unobserved(seconds(5)), 4)
        .with(Fault::CutWatches, 2)
        .with(Fault::Compact, 2)
        .with(Fault::Partition(seconds(15)), 1)
        .at_most(5)
        .within(seconds(20));
    Scenario::new("website")
        .manifest(DEFINITION)
        .manifest(THEME)
        .process("operator", run)
        .workload(steps)
        .faults(faults)
        .eventually("every website is as it should be", seconds(300), all_is_well)
        .settles_within(seconds(300))
}

async fn run(process: Process) -> Result<(), String> {
    let (seed, clock) = (process.seed(), process.clone());
    let mut manager = Manager::with_client_that_may_retry("website-operator", process.client())
        .informers(move |informers| informers.seed(seed))
        .events(move |events| events.instance("operator").clock(move || clock.now()))
        .build()
        .map_err(|error| error.to_string())?;
    trimtab_website::add_to(&mut manager).map_err(|error| error.to_string())?;
    manager.run_until(pending()).await.map_err(|error| error.to_string())
}

fn steps(random: &mut Random) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    for name in ["a", "b", "c"] {
        let mut at = random.within(0..3000);
        let theme = random.chance(0.5).then(|| "dark".to_owned());
        let mut website = Website::new(name, WebsiteSpec { html: "0".to_owned(), replicas: 1, theme });
        website.metadata.namespace = Some("default".to_owned());
        steps.push((at, Step::create(&website)));
        for change in 1..random.within(1..5) {
            at += random.within(500..6000);
            let patch = json!({"spec": {"html": change.to_string(), "replicas": random.within(0..4)}});
            steps.push((at, Step::patch::<Website>("default", name, &patch)));
        }
        if random.chance(0.4) {
            at += random.within(500..6000);
            steps.push((at, Step::delete::<Website>("default", name)));
        }
    }
    let style = json!({"data": {"style.css": "body { color: red }"}});
    let restyle = Step::patch::<k8s_openapi::api::core::v1::ConfigMap>("default", "dark", &style);
    steps.push((random.within(500..9000), restyle));
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

/// Checks that each website has its objects, its status and its entry in the directory, and that nothing else is left.
fn all_is_well(world: &World) -> Result<(), String> {
    let theme = world.get("configmaps", "default", "dark").ok_or("the theme is gone")?;
    let listed = world.get("configmaps", "default", "websites");
    let listed = listed.map_or_else(Vec::new, |map| names(&map["data"]));
    let websites: Vec<_> = world.objects(WEBSITES).map(name).collect();
    if listed != websites {
        return Err(format!("the directory lists {listed:?}, and the websites are {websites:?}"));
    }
    for website in world.objects(WEBSITES) {
        is_served(world, website, theme).map_err(|problem| format!("{}: {problem}", name(website)))?;
    }
    let deployments: Vec<_> = world.objects("deployments.apps").map(name).collect();
    if deployments != websites {
        return Err(format!("Deployments are {deployments:?}, and websites {websites:?}"));
    }
    Ok(())
}

fn is_served(world: &World, website: &StoredObject, theme: &StoredObject) -> Result<(), String> {
    let (name, spec) = (name(website), &website["spec"]);
    if !website["metadata"]["deletionTimestamp"].is_null() {
        return Err("is still being deleted".to_owned());
    }
    let get = |resource: &str, name: &str| {
        world.get(resource, "default", name).ok_or_else(|| format!("{resource} {name} is missing"))
    };
    let pages = get("configmaps", &format!("{name}-pages"))?;
    let style = if spec["theme"].is_null() { &Value::from("") } else { &theme["data"]["style.css"] };
    if pages["data"]["index.html"] != spec["html"] || pages["data"]["style.css"] != *style {
        return Err(format!("the pages are {}", pages["data"]));
    }
    let deployment = get("deployments.apps", &name)?;
    if deployment["spec"]["replicas"] != spec["replicas"] {
        return Err(format!("the Deployment has {} replicas", deployment["spec"]["replicas"]));
    }
    get("services", &name)?;
    let condition = &website["status"]["conditions"][0];
    if condition["observedGeneration"] != website["metadata"]["generation"] {
        return Err(format!("the condition is old: {condition}"));
    }
    Ok(())
}

fn name(object: &StoredObject) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn names(map: &Value) -> Vec<String> {
    map.as_object().map_or_else(Vec::new, |map| map.keys().cloned().collect())
}
