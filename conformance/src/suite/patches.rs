//! JSON patches, merge patches, and what all patches share.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, workload};
use crate::site::{JSON, MERGE, STRATEGIC, Site};
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_merge_sets_what_it_names)
            .rule("A merge patch sets what it names, and leaves the rest.")
            .source("RFC 7396"),
        case(null_removes).rule("null removes in a merge patch.").source("RFC 7396"),
        case(a_merge_replaces_lists).rule("A merge patch replaces lists as a whole.").source("RFC 7396"),
        case(a_patch_needs_its_object)
            .rule("A patch of what is not there is 404.")
            .source("API concepts: patch"),
        case(a_patch_keeps_the_name)
            .rule("A patch cannot change the name.")
            .source("registry/rest: BeforeUpdate"),
        case(a_patch_keeps_the_uid)
            .rule("A patch cannot change the uid.")
            .source("registry/rest: BeforeUpdate"),
        case(a_json_patch).rule("A JSON patch adds, replaces and removes by path.").source("RFC 6902"),
        case(a_failed_test_refuses_the_patch)
            .rule("A test that fails refuses the whole JSON patch.")
            .source("RFC 6902"),
        case(a_removal_needs_its_path)
            .rule("A JSON patch that removes what is not there is refused.")
            .source("RFC 6902"),
        case(a_replacement_may_add)
            .rule("A JSON patch that replaces a key that is not there adds it, against the RFC.")
            .source("evanphx/json-patch: replace"),
        case(a_json_patch_of_a_list).rule("`-` appends to a list, and an index inserts.").source("RFC 6902"),
        case(paths_are_escaped).rule("Slashes and tildes of keys are escaped in paths.").source("RFC 6901"),
        case(a_json_patch_is_an_array)
            .rule("A JSON patch that is no array is refused.")
            .source("apiserver: patch handler"),
        case(an_unknown_operation_is_refused)
            .rule("An operation that nobody knows is refused.")
            .source("RFC 6902"),
        case(a_json_patch_has_a_limit)
            .rule("A JSON patch has at most 10,000 operations.")
            .source("apiserver: maxJSONPatchOperations"),
        case(an_invalid_outcome_is_refused)
            .rule("A patch that makes the object invalid is refused with causes, and changes nothing.")
            .source("API concepts: patch"),
        case(a_wrong_type_is_refused)
            .rule("A value of a wrong type is refused.")
            .source("apiserver: patch handler"),
        case(a_patch_is_json).rule("A body that is no JSON is refused.").source("apiserver: patch handler"),
        case(an_unknown_form_is_refused)
            .rule("An unknown form of patch is 415.")
            .source("apiserver: patch handler"),
        case(a_patch_of_the_spec_is_a_generation)
            .rule("The generation grows with the spec, in a patch as in an update.")
            .source("registry/apps/deployment: PrepareForUpdate"),
    ]
}

async fn a_merge_sets_what_it_names(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"more": "yes"}}))
        .await?
        .code(200)?
        .is("/data", json!({"key": "value", "more": "yes"}))?;
    Ok(())
}

async fn null_removes(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"key": null, "more": "yes"}}))
        .await?
        .code(200)?
        .is("/data", json!({"more": "yes"}))?;
    Ok(())
}

async fn a_merge_replaces_lists(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["example.com/a", "example.com/b"]}});
    site.create("configmaps", body).await?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": ["example.com/c"]}}))
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["example.com/c"]))?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}}))
        .await?
        .code(200)?
        .lacks("/metadata/finalizers")?;
    Ok(())
}

async fn a_patch_needs_its_object(site: Site) -> Outcome {
    site.patch(MERGE, "configmaps/none", json!({})).await?.refused(404, "NotFound")?;
    site.patch(JSON, "configmaps/none", json!([])).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_patch_keeps_the_name(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"name": "b"}}))
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "the name of the object (b) does not match the name on the URL (a)")?;
    Ok(())
}

async fn a_patch_keeps_the_uid(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"uid": "b"}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.uid")?;
    Ok(())
}

async fn a_json_patch(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!([
        {"op": "test", "path": "/data/key", "value": "value"},
        {"op": "add", "path": "/data/more", "value": "yes"},
        {"op": "copy", "from": "/data/more", "path": "/data/third"},
        {"op": "move", "from": "/data/third", "path": "/data/fourth"},
        {"op": "remove", "path": "/data/key"},
        {"op": "replace", "path": "/data/more", "value": "no"},
    ]);
    site.patch(JSON, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/data", json!({"more": "no", "fourth": "yes"}))?;
    Ok(())
}

async fn a_failed_test_refuses_the_patch(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!([
        {"op": "add", "path": "/data/more", "value": "yes"},
        {"op": "test", "path": "/data/key", "value": "other"},
    ]);
    site.patch(JSON, "configmaps/a", patch).await?.refused(422, "Invalid")?;
    site.get("configmaps/a").await?.is("/data", json!({"key": "value"}))?;
    Ok(())
}

async fn a_removal_needs_its_path(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/data/none"}]))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn a_replacement_may_add(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(JSON, "configmaps/a", json!([{"op": "replace", "path": "/data/none", "value": "x"}]))
        .await?
        .code(200)?
        .is("/data/none", "x")?;
    Ok(())
}

async fn a_json_patch_of_a_list(site: Site) -> Outcome {
    site.create("configmaps", json!({"metadata": {"name": "a", "finalizers": ["example.com/b"]}})).await?;
    let patch = json!([
        {"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/c"},
        {"op": "add", "path": "/metadata/finalizers/0", "value": "example.com/a"},
    ]);
    site.patch(JSON, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["example.com/a", "example.com/b", "example.com/c"]))?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn paths_are_escaped(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!([
        {"op": "add", "path": "/metadata/labels", "value": {}},
        {"op": "add", "path": "/metadata/labels/example.com~1x", "value": "y"},
    ]);
    site.patch(JSON, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/metadata/labels", json!({"example.com/x": "y"}))?;
    Ok(())
}

async fn a_json_patch_is_an_array(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(JSON, "configmaps/a", json!({"data": {}})).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn an_unknown_operation_is_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let answer = site.patch(JSON, "configmaps/a", json!([{"op": "double", "path": "/data/key"}])).await?;
    let refused = (400..500).contains(&answer.status);
    answer.check(refused, "a refusal")?;
    Ok(())
}

async fn a_json_patch_has_a_limit(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let many: Vec<_> =
        (0..10_001).map(|_| json!({"op": "test", "path": "/data/key", "value": "value"})).collect();
    site.patch(JSON, "configmaps/a", json!(many))
        .await?
        .refused(413, "RequestEntityTooLarge")?
        .mentions("/message", "The allowed maximum operations in a JSON patch is 10000, got 10001")?;
    Ok(())
}

async fn an_invalid_outcome_is_refused(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"spec": {"replicas": -1}}))
        .await?
        .invalid("FieldValueInvalid", "spec.replicas")?;
    site.get("apps/v1/deployments/a").await?.is("/spec/replicas", 0)?;
    Ok(())
}

async fn a_wrong_type_is_refused(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let answer = site.patch(MERGE, "apps/v1/deployments/a", json!({"spec": {"replicas": "many"}})).await?;
    let refused = answer.status == 400 || answer.status == 422;
    answer.check(refused, "400 or 422")?;
    Ok(())
}

async fn a_patch_is_json(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    for form in [MERGE, JSON, STRATEGIC] {
        site.call(Method::PATCH, "configmaps/a")
            .body(form, "{\"data\":")
            .send()
            .await?
            .refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn an_unknown_form_is_refused(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.call(Method::PATCH, "configmaps/a")
        .body("application/json", "{}")
        .send()
        .await?
        .refused(415, "UnsupportedMediaType")?;
    Ok(())
}

async fn a_patch_of_the_spec_is_a_generation(site: Site) -> Outcome {
    site.create("apps/v1/replicasets", workload("a", 0)).await?.is("/metadata/generation", 1)?;
    site.patch(MERGE, "apps/v1/replicasets/a", json!({"metadata": {"labels": {"x": "y"}}}))
        .await?
        .is("/metadata/generation", 1)?;
    site.patch(MERGE, "apps/v1/replicasets/a", json!({"spec": {"minReadySeconds": 1}}))
        .await?
        .is("/metadata/generation", 2)?;
    Ok(())
}
