//! `fieldValidation`: unknown and repeated fields.

use crate::case::{Case, Outcome, case};
use crate::objects::workload;
use crate::site::{JSON, MERGE, STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(strict_refuses_unknown_fields)
            .rule("Strict refuses unknown fields, and names their paths.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(strict_refuses_repeated_fields)
            .rule("Strict refuses repeated fields.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(warn_warns_of_unknown_fields)
            .rule("Warn stores the rest, and warns of each.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(warn_warns_of_repeated_fields)
            .rule("Warn warns of repeated fields, of which the last one counts.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(warn_is_the_default)
            .rule("Warn is what happens when nothing is asked.")
            .source("API concepts: field validation"),
        case(ignore_is_silent)
            .rule("Ignore drops unknown fields in silence.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(another_word_is_refused)
            .rule("Another word is refused, with the known ones named.")
            .source("apimachinery: ValidateFieldValidation"),
        case(strict_holds_for_updates)
            .rule("Strict holds for updates.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(strict_holds_for_merge_patches)
            .rule("Strict holds for what a merge patch adds.")
            .source("kubernetes/test/integration/apiserver/field_validation"),
        case(strict_holds_for_json_patches)
            .rule("Strict holds for JSON patches.")
            .source("kubernetes/test/integration/apiserver/field_validation"),
        case(strict_holds_for_strategic_patches)
            .rule("Strict holds for strategic merge patches.")
            .source("kubernetes/test/integration/apiserver/field_validation"),
        case(a_patch_that_warns_still_patches)
            .rule("A patch that warns still patches.")
            .source("kubernetes/test/integration/apiserver/field_validation"),
        case(metadata_is_looked_at)
            .rule("Unknown fields in metadata are found, too.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(items_are_named_by_index)
            .rule("Unknown fields inside of lists are named with their index.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(yaml_is_looked_at)
            .rule("In YAML, repeated fields are found.")
            .source("kubernetes/test/e2e/apimachinery/field_validation.go"),
        case(case_counts)
            .rule("Field names are told apart by case.")
            .source("sigs.k8s.io/json: case sensitive"),
        case(a_wrong_type_is_always_refused)
            .rule("A value of a wrong type is refused under every validation.")
            .source("API concepts: field validation"),
    ]
}

fn with_unknown() -> Value {
    let mut made = workload("a", 0);
    made["spec"]["colour"] = json!("blue");
    made
}

const TWICE: &str = r#"{"metadata": {"name": "a"}, "data": {"x": "1"}, "data": {"x": "2"}}"#;

async fn strict_refuses_unknown_fields(site: Site) -> Outcome {
    site.post("apps/v1/deployments?fieldValidation=Strict", with_unknown())
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "strict decoding error: unknown field \"spec.colour\"")?;
    Ok(())
}

async fn strict_refuses_repeated_fields(site: Site) -> Outcome {
    site.post_as("application/json", "configmaps?fieldValidation=Strict", TWICE)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "duplicate field \"data\"")?;
    Ok(())
}

async fn warn_warns_of_unknown_fields(site: Site) -> Outcome {
    site.post("apps/v1/deployments?fieldValidation=Warn", with_unknown())
        .await?
        .code(201)?
        .warns("299 - \"unknown field \\\"spec.colour\\\"\"")?
        .lacks("/spec/colour")?;
    Ok(())
}

async fn warn_warns_of_repeated_fields(site: Site) -> Outcome {
    site.post_as("application/json", "configmaps?fieldValidation=Warn", TWICE)
        .await?
        .code(201)?
        .warns("duplicate field \\\"data\\\"")?
        .is("/data/x", "2")?;
    Ok(())
}

async fn warn_is_the_default(site: Site) -> Outcome {
    site.post("apps/v1/deployments", with_unknown())
        .await?
        .code(201)?
        .warns("unknown field \\\"spec.colour\\\"")?;
    Ok(())
}

async fn ignore_is_silent(site: Site) -> Outcome {
    site.post("apps/v1/deployments?fieldValidation=Ignore", with_unknown())
        .await?
        .code(201)?
        .no_header("warning")?
        .lacks("/spec/colour")?;
    Ok(())
}

async fn another_word_is_refused(site: Site) -> Outcome {
    site.post("apps/v1/deployments?fieldValidation=Perhaps", with_unknown())
        .await?
        .invalid("FieldValueNotSupported", "fieldValidation")?;
    Ok(())
}

async fn strict_holds_for_updates(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.put("apps/v1/deployments/a?fieldValidation=Strict", with_unknown())
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"spec.colour\"")?;
    Ok(())
}

async fn strict_holds_for_merge_patches(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a?fieldValidation=Strict", json!({"spec": {"colour": "blue"}}))
        .await?
        .code(422)?
        .mentions("/message", "unknown field \"spec.colour\"")?;
    Ok(())
}

async fn strict_holds_for_json_patches(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = json!([{"op": "add", "path": "/spec/colour", "value": "blue"}]);
    site.patch(JSON, "apps/v1/deployments/a?fieldValidation=Strict", patch)
        .await?
        .code(422)?
        .mentions("/message", "unknown field \"spec.colour\"")?;
    Ok(())
}

async fn strict_holds_for_strategic_patches(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = json!({"spec": {"colour": "blue"}});
    site.patch(STRATEGIC, "apps/v1/deployments/a?fieldValidation=Strict", patch)
        .await?
        .code(422)?
        .mentions("/message", "unknown field \"spec.colour\"")?;
    Ok(())
}

async fn a_patch_that_warns_still_patches(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"spec": {"colour": "blue", "minReadySeconds": 3}}))
        .await?
        .code(200)?
        .warns("unknown field \\\"spec.colour\\\"")?
        .is("/spec/minReadySeconds", 3)?;
    Ok(())
}

async fn metadata_is_looked_at(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "colour": "blue"}});
    site.post("configmaps?fieldValidation=Strict", body)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"metadata.colour\"")?;
    Ok(())
}

async fn items_are_named_by_index(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["spec"]["template"]["spec"]["containers"][0]["colour"] = json!("blue");
    site.post("apps/v1/deployments?fieldValidation=Strict", body)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"spec.template.spec.containers[0].colour\"")?;
    Ok(())
}

async fn yaml_is_looked_at(site: Site) -> Outcome {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ncolour: blue\n";
    site.post_as("application/yaml", "configmaps?fieldValidation=Strict", yaml)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"colour\"")?;
    Ok(())
}

async fn case_counts(site: Site) -> Outcome {
    site.post("configmaps?fieldValidation=Strict", json!({"metadata": {"name": "a"}, "Data": {"x": "y"}}))
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "unknown field \"Data\"")?;
    Ok(())
}

async fn a_wrong_type_is_always_refused(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["spec"]["replicas"] = json!("many");
    for way in ["Strict", "Warn", "Ignore"] {
        site.post(&format!("apps/v1/deployments?fieldValidation={way}"), body.clone())
            .await?
            .refused(400, "BadRequest")?
            .mentions(
                "/message",
                "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            )?;
    }
    Ok(())
}
