//! Custom resources: their definitions, and how their objects are served.

use super::definition::{Definition, string_field};
use crate::answer::Answer;
use crate::case::{Case, Outcome, case};
use crate::objects::{applied, finalized};
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
    events.check(
        end.ends_initial_events() && end.object["kind"] == "Widget",
        "the end of the initial events",
        &end,
    )?;
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
