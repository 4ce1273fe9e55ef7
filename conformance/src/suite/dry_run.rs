//! `dryRun=All`: the answer of a write that is not carried out.

use crate::case::{Case, Outcome, case};
use crate::objects::{applied, bound_pod, config_map, pod};
use crate::site::{APPLY, MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_creation).rule("A creation is answered as if it had happened, and has not.").source("KEP-576"),
        case(a_creation_has_no_version)
            .rule("A creation under dry run has no version, for none was given.")
            .source("KEP-576"),
        case(a_creation_may_be_refused)
            .rule("A creation of what exists is refused as always.")
            .source("KEP-576"),
        case(an_update)
            .rule("An update is answered with the change, and the stored object keeps its version.")
            .source("KEP-576"),
        case(a_patch).rule("A patch is answered with its outcome, and nothing is stored.").source("KEP-576"),
        case(an_apply)
            .rule("An apply that would create is answered with 201, and nothing is stored.")
            .source("KEP-576"),
        case(a_deletion).rule("A deletion is answered, and the object stays.").source("KEP-576"),
        case(a_graceful_deletion).rule("A graceful deletion under dry run does not begin.").source("KEP-576"),
        case(a_deletion_by_its_options)
            .rule("A dry run may be asked for in the options of a deletion.")
            .source("KEP-576"),
        case(a_deletion_of_a_collection)
            .rule("A deletion of a collection leaves all of it.")
            .source("KEP-576"),
        case(another_word_is_refused).rule("Another word is refused.").source("apimachinery: ValidateDryRun"),
        case(a_status).rule("A status can be written dry.").source("KEP-576"),
        case(a_watch_hears_nothing).rule("Nobody who watches hears of a dry run.").source("KEP-576"),
    ]
}

async fn a_creation(site: Site) -> Outcome {
    site.post("configmaps?dryRun=All", config_map("a"))
        .await?
        .code(201)?
        .has("/metadata/uid")?
        .has("/metadata/creationTimestamp")?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_creation_has_no_version(site: Site) -> Outcome {
    site.post("configmaps?dryRun=All", config_map("a"))
        .await?
        .code(201)?
        .lacks("/metadata/resourceVersion")?;
    Ok(())
}

async fn a_creation_may_be_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.post("configmaps?dryRun=All", config_map("a")).await?.refused(409, "AlreadyExists")?;
    site.post("configmaps?dryRun=All", config_map("A")).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn an_update(site: Site) -> Outcome {
    let mut made = site.create("configmaps", config_map("a")).await?;
    made.json["data"]["key"] = json!("other");
    site.put("configmaps/a?dryRun=All", made.json.clone()).await?.code(200)?.is("/data/key", "other")?;
    site.get("configmaps/a")
        .await?
        .is("/data/key", "value")?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn a_patch(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a?dryRun=All", json!({"data": {"key": "other"}}))
        .await?
        .code(200)?
        .is("/data/key", "other")?;
    site.get("configmaps/a").await?.is("/data/key", "value")?;
    Ok(())
}

async fn an_apply(site: Site) -> Outcome {
    let body = applied("v1", "ConfigMap", json!({"data": {"x": "1"}}));
    site.patch(APPLY, "configmaps/a?dryRun=All&fieldManager=one", body).await?.code(201)?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_deletion(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.delete("configmaps/a?dryRun=All").await?.code(200)?;
    site.get("configmaps/a").await?.code(200)?.lacks("/metadata/deletionTimestamp")?;
    Ok(())
}

async fn a_graceful_deletion(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a?dryRun=All").await?.code(200)?;
    site.get("pods/a").await?.lacks("/metadata/deletionTimestamp")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_deletion_by_its_options(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.delete_with("configmaps/a", json!({"dryRun": ["All"]})).await?.code(200)?;
    site.get("configmaps/a").await?.code(200)?;
    Ok(())
}

async fn a_deletion_of_a_collection(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.delete("secrets?dryRun=All").await?.code(200)?;
    site.get("secrets").await?.names(&["a", "b"])?;
    Ok(())
}

async fn another_word_is_refused(site: Site) -> Outcome {
    site.post("configmaps?dryRun=Some", config_map("a"))
        .await?
        .invalid("FieldValueNotSupported", "dryRun")?;
    Ok(())
}

async fn a_status(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.patch(MERGE, "pods/a/status?dryRun=All", json!({"status": {"phase": "Running"}}))
        .await?
        .code(200)?
        .is("/status/phase", "Running")?;
    site.get("pods/a").await?.is("/status/phase", "Pending")?;
    Ok(())
}

async fn a_watch_hears_nothing(site: Site) -> Outcome {
    let start = site.get("secrets").await?;
    site.post("secrets?dryRun=All", json!({"metadata": {"name": "a"}})).await?.code(201)?;
    site.secrets(&["b"]).await?;
    site.watch_after(start.version(), "secrets").await?.expect_of("ADDED", "b").await?;
    Ok(())
}
