//! Custom resources: their definitions and objects.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::objects::applied;
use crate::site::{APPLY, JSON, MERGE, STRATEGIC, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_definition_is_established)
            .rule("A definition is accepted and established, and says so in its conditions.")
            .source("kubernetes/test/e2e/apimachinery/custom_resource_definition.go"),
        case(a_definitions_defaults)
            .rule("What a definition leaves out is filled in.")
            .source("apiextensions/v1: SetDefaults_CustomResourceDefinitionSpec"),
        case(a_definitions_name)
            .rule("A definition's name is its plural and its group.")
            .source("validation: ValidateCustomResourceDefinition"),
        case(a_definition_needs_a_schema)
            .rule("A definition needs a schema.")
            .source("validation: ValidateCustomResourceDefinition"),
        case(a_schema_is_structural)
            .rule("A schema is structural: every field says its type.")
            .source("KEP-1111: structural schemas"),
        case(one_version_is_stored)
            .rule("One version is stored.")
            .source("validation: ValidateCustomResourceDefinition"),
        case(a_scope_is_one_of_two)
            .rule("A scope is one of two.")
            .source("validation: ValidateCustomResourceDefinition"),
        case(objects_are_served)
            .rule("Objects are created, listed, changed, watched and deleted as any others.")
            .source("kubernetes/test/e2e/apimachinery/custom_resource_definition.go"),
        case(objects_are_streamed)
            .rule("A watch begins with the objects that are there, also as a streaming list.")
            .source("kubernetes/test/e2e/apimachinery/crd_watch.go"),
        case(an_update_says_its_version)
            .rule("An update must say which version it changes.")
            .source("customresource strategy: AllowUnconditionalUpdate"),
        case(strategic_patches_are_not_taken)
            .rule("Custom objects take JSON and merge patches, but no strategic ones.")
            .source("API concepts: patch"),
        case(objects_are_applied)
            .rule("Custom objects can be applied.")
            .source("Server-Side Apply: custom resources"),
        case(map_lists_are_merged_by_key)
            .rule("A list's map keys in the schema decide how it is applied.")
            .source("KEP-555: x-kubernetes-list-type"),
        case(the_kind_must_fit)
            .rule("The kind in the body must be the definition's.")
            .source("customresource handler: decoding"),
        case(cluster_scoped_objects).rule("A cluster-scoped kind has no namespaces.").source("KEP-95"),
    ]
}

async fn a_definition_is_established(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let answer = site.get(&widgets.definition).await?.code(200)?;
    let condition = |kind: &str, reason: &str| {
        answer
            .list("/status/conditions")
            .iter()
            .any(|one| one["type"] == kind && one["status"] == "True" && one["reason"] == reason)
    };
    let both = condition("NamesAccepted", "NoConflicts") && condition("Established", "InitialNamesAccepted");
    answer
        .check(both, "the conditions NamesAccepted and Established")?
        .is("/status/acceptedNames/plural", "widgets")?
        .is("/status/storedVersions", json!(["v1"]))?;
    Ok(())
}

async fn a_definitions_defaults(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    site.get(&widgets.definition)
        .await?
        .is("/spec/names/singular", "widget")?
        .is("/spec/names/listKind", "WidgetList")?
        .is("/spec/conversion/strategy", "None")?;
    Ok(())
}

async fn a_definitions_name(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["metadata"]["name"] = json!("gadgets.example.com");
    site.post(Definition::PATH, body).await?.invalid("FieldValueInvalid", "metadata.name")?;
    Ok(())
}

async fn a_definition_needs_a_schema(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["spec"]["versions"][0].as_object_mut().map(|version| version.remove("schema"));
    site.post(Definition::PATH, body)
        .await?
        .invalid("FieldValueRequired", "spec.versions[0].schema.openAPIV3Schema")?;
    Ok(())
}

async fn a_schema_is_structural(site: Site) -> Outcome {
    let body = Definition::new(&site).field("spec", json!({"properties": {"x": {"type": "string"}}})).body();
    site.post(Definition::PATH, body)
        .await?
        .invalid("FieldValueRequired", "spec.validation.openAPIV3Schema.properties[spec].type")?;
    Ok(())
}

async fn one_version_is_stored(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["spec"]["versions"][0]["storage"] = json!(false);
    site.post(Definition::PATH, body).await?.invalid("FieldValueInvalid", "spec.versions")?;
    Ok(())
}

async fn a_scope_is_one_of_two(site: Site) -> Outcome {
    let mut body = Definition::new(&site).body();
    body["spec"]["scope"] = json!("Everywhere");
    site.post(Definition::PATH, body).await?.invalid("FieldValueNotSupported", "spec.scope")?;
    Ok(())
}

async fn objects_are_served(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let made = widgets
        .create(&site, "a", json!({"spec": {"colour": "blue"}}))
        .await?
        .is("/metadata/generation", 1)?
        .is("/kind", "Widget")?;
    site.get(&widgets.objects)
        .await?
        .code(200)?
        .is("/kind", "WidgetList")?
        .names(&["a"])?
        .is("/items/0/kind", "Widget")?
        .is("/items/0/apiVersion", made.text("/apiVersion"))?;
    let mut events = site.watch_after(made.version(), &widgets.objects).await?;
    site.patch(MERGE, &widgets.object("a"), json!({"spec": {"colour": "red"}}))
        .await?
        .code(200)?
        .is("/metadata/generation", 2)?;
    site.delete(&widgets.object("a"))
        .await?
        .code(200)?
        .is("/kind", "Status")?
        .is("/details/kind", "widgets")?;
    events.expect_of("MODIFIED", "a").await?;
    events.expect_of("DELETED", "a").await?;
    Ok(())
}

async fn objects_are_streamed(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({})).await?;
    let path = format!(
        "{}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
        widgets.objects
    );
    let mut events = site.watch(&path).await?;
    events.expect_of("ADDED", "a").await?;
    let end = events.expect("BOOKMARK").await?;
    let ends = end.ends_initial_events() && end.object["kind"] == "Widget";
    events.check(ends, "the end of the initial events", &end)?;
    Ok(())
}

async fn an_update_says_its_version(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let mut made = widgets.create(&site, "a", json!({"spec": {"colour": "blue"}})).await?.json;
    made["metadata"]["resourceVersion"] = json!("");
    site.put(&widgets.object("a"), made)
        .await?
        .invalid("FieldValueInvalid", "metadata.resourceVersion")?
        .mentions("/message", "must be specified for an update")?;
    Ok(())
}

async fn strategic_patches_are_not_taken(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    widgets.create(&site, "a", json!({"spec": {"colour": "blue"}})).await?;
    site.patch(STRATEGIC, &widgets.object("a"), json!({"spec": {"colour": "red"}}))
        .await?
        .refused(415, "UnsupportedMediaType")?;
    let patch = json!([{"op": "replace", "path": "/spec/colour", "value": "green"}]);
    site.patch(JSON, &widgets.object("a"), patch).await?.code(200)?.is("/spec/colour", "green")?;
    Ok(())
}

async fn objects_are_applied(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let body = |colour: &str| applied(&widgets.api_version, "Widget", json!({"spec": {"colour": colour}}));
    site.patch(APPLY, &format!("{}?fieldManager=one", widgets.object("a")), body("blue"))
        .await?
        .code(201)?
        .has("/metadata/managedFields/0/fieldsV1/f:spec/f:colour")?;
    site.patch(APPLY, &format!("{}?fieldManager=two", widgets.object("a")), body("red"))
        .await?
        .refused(409, "Conflict")?
        .cause("FieldManagerConflict", ".spec.colour")?;
    Ok(())
}

async fn map_lists_are_merged_by_key(site: Site) -> Outcome {
    let items = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"},
        "value": {"type": "string"},
    }});
    let list = json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": items,
    });
    let widgets = Definition::new(&site).spec(json!({"list": list})).make(&site).await?;
    let body = |name: &str| {
        applied(&widgets.api_version, "Widget", json!({"spec": {"list": [{"name": name, "value": "1"}]}}))
    };
    site.patch(APPLY, &format!("{}?fieldManager=one", widgets.object("a")), body("x")).await?.code(201)?;
    let both = site
        .patch(APPLY, &format!("{}?fieldManager=two", widgets.object("a")), body("y"))
        .await?
        .code(200)?;
    let two = both.list("/spec/list").len() == 2;
    both.check(two, "two items")?;
    Ok(())
}

async fn the_kind_must_fit(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let body = json!({"apiVersion": widgets.api_version, "kind": "Gadget", "metadata": {"name": "a"}});
    site.post(&widgets.objects, body).await?.invalid("FieldValueInvalid", "kind")?;
    site.post(&widgets.objects, json!({"metadata": {"name": "a"}})).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn cluster_scoped_objects(site: Site) -> Outcome {
    let widgets = Definition::new(&site).scope("Cluster").make(&site).await?;
    widgets.create(&site, "a", json!({})).await?.lacks("/metadata/namespace")?;
    let group = widgets.api_version.clone();
    site.get(&format!("/apis/{group}/namespaces/{}/widgets", site.namespace())).await?.code(404)?;
    Ok(())
}
