//! The desired end: every website has its objects, and nothing else is left.

use serde_json::Value;
use trimtab_simulation::{StoredObject, World};

const WEBSITES: &str = "websites.example.com";

/// Checks that each website has its objects, its status and its entry in the directory, and that nothing else is left.
pub(super) fn all_is_well(world: &World) -> Result<(), String> {
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
