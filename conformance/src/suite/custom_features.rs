//! Definitions of custom kinds: subresources, columns, versions and selectable fields; changes and deletions.

use super::definition::{Definition, string_field};
use crate::answer::Answer;
use crate::case::{Case, Outcome, case};
use crate::objects::finalized;
use crate::site::{JSON, MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_status_without_its_subresource)
            .rule("Without the subresource, the status is written like any field.")
            .source("KEP-571"),
        case(a_status_by_its_subresource)
            .rule("With the subresource, the status is written there alone, and is no generation.")
            .source("KEP-571"),
        case(a_scale).rule("A scale reads and writes the paths that the definition names.").source("KEP-571"),
        case(columns)
            .rule("Columns come from the definition, by JSON path.")
            .source("KEP-491: additionalPrinterColumns"),
        case(columns_by_default)
            .rule("Without columns of its own, a kind shows name and age.")
            .source("KEP-491: additionalPrinterColumns"),
        case(two_versions_serve_the_same_objects)
            .rule("Two versions serve the same objects.")
            .source("kubernetes/test/e2e/apimachinery/crd_conversion_webhook.go: None"),
        case(a_version_that_is_not_served).rule("A version that is not served is 404.").source("KEP-544"),
        case(selectable_fields)
            .rule("Fields that the definition selects can be picked by.")
            .source("KEP-4358: selectableFields"),
        case(discovery_knows_the_kind)
            .rule("Discovery knows the kind, its short names and categories.")
            .source("kubernetes/test/e2e/apimachinery/custom_resource_definition.go"),
        case(a_definition_takes_its_objects)
            .rule("A definition that goes takes its objects along.")
            .source("apiextensions finalizer: customresourcecleanup"),
        case(a_definition_waits_for_its_objects)
            .rule("While a definition goes, its objects' finalizers are waited for.")
            .source("apiextensions finalizer: customresourcecleanup"),
        case(a_definition_has_a_generation)
            .rule("The spec of a definition is a generation.")
            .source("apiextensions strategy: PrepareForUpdate"),
        case(a_scope_is_immutable)
            .rule("A definition's group and scope cannot change.")
            .source("validation: ValidateCustomResourceDefinitionUpdate"),
        case(names_are_taken_once)
            .rule("A second definition of the same kind in the group is not accepted.")
            .source("apiextensions: naming controller"),
        case(openapi_has_the_kind)
            .rule("A served kind is in OpenAPI v3.")
            .source("kubernetes/test/e2e/apimachinery/crd_publish_openapi.go"),
    ]
}

async fn a_status_without_its_subresource(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({"status": {"phase": "Done"}})).await?.is("/status/phase", "Done")?;
    site.get(&format!("{}/status", widgets.object("a"))).await?.refused(404, "NotFound")?;
    site.patch(MERGE, &widgets.object("a"), json!({"status": {"phase": "New"}}))
        .await?
        .is("/metadata/generation", 2)?;
    Ok(())
}

async fn a_status_by_its_subresource(site: Site) -> Outcome {
    let widgets = Definition::new(&site).version(json!({"subresources": {"status": {}}})).make(&site).await?;
    widgets
        .create(&site, "a", json!({"spec": {"colour": "blue"}, "status": {"phase": "Done"}}))
        .await?
        .lacks("/status")?;
    let patch = json!({"spec": {"colour": "red"}, "status": {"phase": "Done"}});
    site.patch(MERGE, &format!("{}/status", widgets.object("a")), patch)
        .await?
        .code(200)?
        .is("/status/phase", "Done")?
        .is("/spec/colour", "blue")?
        .is("/metadata/generation", 1)?;
    site.patch(MERGE, &widgets.object("a"), json!({"status": {"phase": "New"}}))
        .await?
        .is("/status/phase", "Done")?
        .is("/metadata/generation", 1)?;
    Ok(())
}

async fn a_scale(site: Site) -> Outcome {
    let fields = json!({"size": {"type": "integer"}});
    let status = json!({"type": "object", "properties": {
        "size": {"type": "integer"},
        "selector": {"type": "string"},
    }});
    let scale = json!({
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.size",
        "labelSelectorPath": ".status.selector",
    });
    let widgets = Definition::new(&site)
        .spec(fields)
        .field("status", status)
        .version(json!({"subresources": {"status": {}, "scale": scale}}))
        .make(&site)
        .await?;
    widgets.create(&site, "a", json!({"spec": {"size": 3}})).await?;
    let object = widgets.object("a");
    site.patch(MERGE, &format!("{object}/status"), json!({"status": {"size": 2, "selector": "x=y"}}))
        .await?
        .code(200)?;
    site.get(&format!("{object}/scale"))
        .await?
        .code(200)?
        .is("/kind", "Scale")?
        .is("/spec/replicas", 3)?
        .is("/status/replicas", 2)?
        .is("/status/selector", "x=y")?;
    site.patch(MERGE, &format!("{object}/scale"), json!({"spec": {"replicas": 5}}))
        .await?
        .code(200)?
        .is("/spec/replicas", 5)?;
    site.get(&object).await?.is("/spec/size", 5)?;
    Ok(())
}

async fn columns(site: Site) -> Outcome {
    let columns = json!([
        {"name": "Colour", "type": "string", "jsonPath": ".spec.colour"},
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]);
    let widgets =
        Definition::new(&site).version(json!({"additionalPrinterColumns": columns})).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"colour": "blue"}})).await?;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let answer = site
        .get_as(table, &widgets.objects)
        .await?
        .code(200)?
        .is("/kind", "Table")?
        .is("/rows/0/cells/0", "a")?
        .is("/rows/0/cells/1", "blue")?;
    let names: Vec<_> =
        answer.list("/columnDefinitions").iter().filter_map(|one| one["name"].as_str()).collect();
    let right = names == ["Name", "Colour", "Since"];
    answer.check(right, "the columns Name, Colour and Since")?;
    Ok(())
}

async fn columns_by_default(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let answer = site.get_as(table, &widgets.objects).await?.code(200)?;
    let names: Vec<_> =
        answer.list("/columnDefinitions").iter().filter_map(|one| one["name"].as_str()).collect();
    let right = names == ["Name", "Age"];
    answer.check(right, "the columns Name and Age")?;
    Ok(())
}

async fn two_versions_serve_the_same_objects(site: Site) -> Outcome {
    let widgets = Definition::new(&site).also("v2").make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"colour": "blue"}})).await?;
    let second = widgets.object("a").replace("/v1/", "/v2/");
    let api_version = widgets.api_version.replace("/v1", "/v2");
    site.until_found(&second, "200").await?.is("/apiVersion", api_version)?.is("/spec/colour", "blue")?;
    Ok(())
}

async fn a_version_that_is_not_served(site: Site) -> Outcome {
    let widgets = Definition::new(&site).also("v2").make(&site).await?;
    site.until_found(&widgets.objects.replace("/v1/", "/v2/"), "200").await?;
    let patch = json!([{"op": "replace", "path": "/spec/versions/1/served", "value": false}]);
    site.patch(JSON, &widgets.definition, patch).await?.code(200)?;
    site.until_gone(&widgets.objects.replace("/v1/", "/v2/")).await?;
    Ok(())
}

async fn selectable_fields(site: Site) -> Outcome {
    let widgets = Definition::new(&site)
        .version(json!({"selectableFields": [{"jsonPath": ".spec.colour"}]}))
        .make(&site)
        .await?;
    widgets.create(&site, "a", json!({"spec": {"colour": "blue"}})).await?;
    widgets.create(&site, "b", json!({"spec": {"colour": "red"}})).await?;
    site.get(&format!("{}?fieldSelector=spec.colour%3Dred", widgets.objects))
        .await?
        .code(200)?
        .names(&["b"])?;
    site.get(&format!("{}?fieldSelector=spec.size%3D1", widgets.objects))
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn discovery_knows_the_kind(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let answer = site
        .get(&format!("/apis/{}", widgets.api_version))
        .await?
        .code(200)?
        .is("/kind", "APIResourceList")?;
    let found =
        answer.list("/resources").iter().find(|one| one["name"] == "widgets").cloned().unwrap_or_default();
    let right = found["kind"] == "Widget"
        && found["singularName"] == "widget"
        && found["namespaced"] == true
        && found["shortNames"] == json!(["wg"])
        && found["categories"] == json!(["all"])
        && found["storageVersionHash"].is_string();
    answer
        .check(right, "the resource widgets with kind, short names, categories and a storage version hash")?;
    Ok(())
}

async fn a_definition_takes_its_objects(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({})).await?;
    site.delete(&widgets.definition)
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["customresourcecleanup.apiextensions.k8s.io"]))?;
    site.until_gone(&widgets.definition).await?;
    site.until_gone(&widgets.objects).await?;
    Ok(())
}

async fn a_definition_waits_for_its_objects(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", finalized("a")).await?;
    site.delete(&widgets.definition).await?.code(200)?;
    let marked = |answer: &Answer| answer.json.pointer("/metadata/deletionTimestamp").is_some();
    site.eventually(&widgets.object("a"), marked, "a deletion time").await?;
    site.get(&widgets.definition).await?.code(200)?;
    site.patch(MERGE, &widgets.object("a"), json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    site.until_gone(&widgets.definition).await?;
    Ok(())
}

async fn a_definition_has_a_generation(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let before = site.get(&widgets.definition).await?.at("/metadata/generation").as_i64().unwrap_or_default();
    site.patch(MERGE, &widgets.definition, json!({"spec": {"names": {"shortNames": ["wi"]}}}))
        .await?
        .code(200)?
        .is("/metadata/generation", before + 1)?;
    Ok(())
}

async fn a_scope_is_immutable(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    site.patch(MERGE, &widgets.definition, json!({"spec": {"scope": "Cluster"}}))
        .await?
        .invalid("FieldValueInvalid", "spec.scope")?;
    Ok(())
}

async fn names_are_taken_once(site: Site) -> Outcome {
    let first = Definition::new(&site).make(&site).await?;
    let mut body = Definition::new(&site).body();
    let name = first.definition.rsplit('/').next().unwrap_or_default().replace("widgets", "gadgets");
    body["metadata"]["name"] = json!(name);
    body["spec"]["names"]["plural"] = json!("gadgets");
    site.create_global(Definition::PATH, body).await?;
    let refused = |answer: &Answer| {
        answer
            .list("/status/conditions")
            .iter()
            .any(|one| one["type"] == "NamesAccepted" && one["status"] == "False")
    };
    site.eventually(&format!("{}/{name}", Definition::PATH), refused, "NamesAccepted: False").await?;
    Ok(())
}

async fn openapi_has_the_kind(site: Site) -> Outcome {
    let widgets = Definition::new(&site).field("spec", string_field("colour")).make(&site).await?;
    let key = format!("/paths/apis~1{}", widgets.api_version.replace('/', "~1"));
    let index = site
        .eventually("/openapi/v3", |answer| answer.json.pointer(&key).is_some(), "the group's document")
        .await?;
    let path = index.text(&format!("{key}/serverRelativeURL")).to_owned();
    let has_colour = |answer: &Answer| answer.body.windows(8).any(|part| part == b"\"colour\"");
    site.eventually(&path, has_colour, "the field colour").await?;
    Ok(())
}
