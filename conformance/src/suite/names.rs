//! Names, generated names, labels, annotations and finalizers: what is valid.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, pod, workload};
use crate::site::{JSON, MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_name_is_a_subdomain)
            .rule("A name is a DNS subdomain; the message says how it has to look.")
            .source("apimachinery: NameIsDNSSubdomain"),
        case(a_name_has_253_characters_at_most)
            .rule("A name has at most 253 characters.")
            .source("apimachinery: NameIsDNSSubdomain"),
        case(a_services_name_is_a_label)
            .rule("A Service's name is a label of at most 63 characters.")
            .source("validation: ValidateServiceName"),
        case(a_name_is_required)
            .rule("Without a name there is nothing to create.")
            .source("registry/rest: BeforeCreate"),
        case(a_generated_name)
            .rule("A generated name is the prefix and five characters.")
            .source("apiserver: names.SimpleNameGenerator"),
        case(a_long_prefix_is_cut)
            .rule("A long prefix is cut to 58 characters.")
            .source("apiserver: names.SimpleNameGenerator"),
        case(a_name_wins_over_a_prefix)
            .rule("A name wins over a prefix.")
            .source("registry/rest: BeforeCreate"),
        case(a_prefix_is_valid)
            .rule("A prefix must begin a valid name.")
            .source("apimachinery: ValidateObjectMeta"),
        case(a_name_is_taken_once)
            .rule("Creating what exists is 409, and names it.")
            .source("apimachinery api/errors: NewAlreadyExists"),
        case(the_server_fills_uid_and_time)
            .rule("A created object has a uid and the second of its creation, whatever was sent.")
            .source("registry/rest: FillObjectMetaSystemFields"),
        case(a_labels_value_is_short_and_plain)
            .rule("A label's value has at most 63 characters, of a few kinds.")
            .source("apimachinery: ValidateLabels"),
        case(a_labels_key_is_qualified)
            .rule("A label's key is a name, after a domain and a slash if there is one.")
            .source("apimachinery: ValidateLabels"),
        case(an_annotations_key_is_qualified)
            .rule("An annotation's key is qualified, too; its value is free.")
            .source("apimachinery: ValidateAnnotations"),
        case(annotations_have_a_limit)
            .rule("Annotations together have at most 256 KiB.")
            .source("apimachinery: TotalAnnotationSizeLimitB"),
        case(a_finalizer_is_qualified)
            .rule("A finalizer is a qualified name.")
            .source("apimachinery: ValidateFinalizers"),
        case(a_finalizer_has_a_domain)
            .rule("A finalizer of a built-in kind has a domain, unless it is one of Kubernetes' own.")
            .source("validation: ValidateFinalizerName"),
        case(a_config_maps_keys_are_file_names)
            .rule("A ConfigMap's keys are file names.")
            .source("validation: ValidateConfigMap"),
        case(the_names_agree)
            .rule("A name in the path of an update must be that of the object.")
            .source("registry/rest: BeforeUpdate"),
        case(containers_are_validated)
            .rule("Containers need a name and an image, and names that differ.")
            .source("validation: ValidatePodSpec"),
        case(a_selector_picks_its_template)
            .rule("A selector that does not pick its own template is refused.")
            .source("validation: ValidateReplicaSetSpec"),
        case(a_selector_is_immutable)
            .rule("A selector of apps/v1 cannot change.")
            .source("validation: ValidateDeploymentUpdate"),
        case(a_pods_spec_is_immutable)
            .rule("A Pod's spec cannot change, but for a few fields.")
            .source("validation: ValidatePodUpdate"),
        case(an_immutable_config_map)
            .rule("An immutable ConfigMap cannot change.")
            .source("validation: ValidateConfigMapUpdate"),
        case(a_secrets_type_is_immutable)
            .rule("A Secret's type cannot change.")
            .source("validation: ValidateSecretUpdate"),
    ]
}

/// Refused for one field of its metadata.
async fn invalid(site: &Site, path: &str, body: Value, field: &str) -> Result<(), Mismatch> {
    site.post(path, body).await?.invalid("FieldValueInvalid", field)?;
    Ok(())
}

async fn a_name_is_a_subdomain(site: Site) -> Outcome {
    for name in ["A", "a_b", "-a", "a-", "a..b", "a/b", "ä"] {
        invalid(&site, "configmaps", config_map(name), "metadata.name").await?;
    }
    site.post("configmaps", config_map("A")).await?.mentions(
        "/message",
        "ConfigMap \"A\" is invalid: metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain \
         must consist of",
    )?;
    site.create("configmaps", config_map("a.b-c.0")).await?;
    Ok(())
}

async fn a_name_has_253_characters_at_most(site: Site) -> Outcome {
    invalid(&site, "configmaps", config_map(&"a".repeat(254)), "metadata.name").await?;
    site.create("configmaps", config_map(&"a".repeat(253))).await?;
    Ok(())
}

async fn a_services_name_is_a_label(site: Site) -> Outcome {
    let service = |name: &str| json!({"metadata": {"name": name}, "spec": {"clusterIP": "None"}});
    for name in ["a.b", "A", "-a"] {
        invalid(&site, "services", service(name), "metadata.name").await?;
    }
    site.create("services", service("a")).await?;
    Ok(())
}

async fn a_name_is_required(site: Site) -> Outcome {
    site.post("configmaps", json!({"metadata": {}}))
        .await?
        .invalid("FieldValueRequired", "metadata.name")?
        .mentions("/message", "name or generateName is required")?;
    Ok(())
}

async fn a_generated_name(site: Site) -> Outcome {
    let made = site
        .create("configmaps", json!({"metadata": {"generateName": "a-"}}))
        .await?
        .is("/metadata/generateName", "a-")?;
    let name = made.text("/metadata/name").to_owned();
    let suffix = name.strip_prefix("a-").unwrap_or_default();
    let right = suffix.len() == 5 && suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c));
    made.check(right, "a- and five of bcdfghjklmnpqrstvwxz2456789")?;
    Ok(())
}

async fn a_long_prefix_is_cut(site: Site) -> Outcome {
    let made = site.create("configmaps", json!({"metadata": {"generateName": "a".repeat(70)}})).await?;
    let right = made.text("/metadata/name").len() == 63;
    made.check(right, "63 characters")?;
    Ok(())
}

async fn a_name_wins_over_a_prefix(site: Site) -> Outcome {
    site.create("configmaps", json!({"metadata": {"name": "a", "generateName": "b-"}}))
        .await?
        .is("/metadata/name", "a")?;
    Ok(())
}

async fn a_prefix_is_valid(site: Site) -> Outcome {
    let body = json!({"metadata": {"generateName": "A-"}});
    let of_prefix = invalid(&site, "configmaps", body.clone(), "metadata.generateName").await;
    of_prefix.or(invalid(&site, "configmaps", body, "metadata.name").await)?;
    Ok(())
}

async fn a_name_is_taken_once(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.post("configmaps", config_map("a"))
        .await?
        .refused(409, "AlreadyExists")?
        .is("/message", "configmaps \"a\" already exists")?
        .is("/details/name", "a")?
        .is("/details/kind", "configmaps")?;
    Ok(())
}

async fn the_server_fills_uid_and_time(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z"}});
    let made = site.create("configmaps", body).await?;
    let (uid, time) =
        (made.text("/metadata/uid").to_owned(), made.text("/metadata/creationTimestamp").to_owned());
    made.check(uid.len() == 36 && time.len() == 20 && !time.starts_with("2001"), "its own uid and time")?;
    Ok(())
}

async fn a_labels_value_is_short_and_plain(site: Site) -> Outcome {
    for value in ["a b", "-a", "a-", "ä", &"a".repeat(64)] {
        let body = json!({"metadata": {"name": "a", "labels": {"x": value}}});
        invalid(&site, "configmaps", body, "metadata.labels").await?;
    }
    let body = json!({"metadata": {"name": "a", "labels": {"x": "a".repeat(63), "y": "", "z": "A_b.c-0"}}});
    site.create("configmaps", body).await?;
    Ok(())
}

async fn a_labels_key_is_qualified(site: Site) -> Outcome {
    for (key, because) in [
        ("a b", "name part must consist of alphanumeric characters"),
        ("/a", "prefix part must be non-empty"),
        ("a/", "name part must be non-empty"),
        ("A.B/c", "prefix part a lowercase RFC 1123 subdomain must consist of"),
        ("a/b/c", "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"),
    ] {
        let body = json!({"metadata": {"name": "a", "labels": {key: "x"}}});
        site.post("configmaps", body).await?.code(422)?.mentions("/message", because)?;
    }
    for key in ["", "a b", "/a", "a/", "A.B/c", "a/b/c", &format!("a/{}", "b".repeat(64))] {
        let body = json!({"metadata": {"name": "a", "labels": {key: "x"}}});
        invalid(&site, "configmaps", body, "metadata.labels").await?;
    }
    site.create("configmaps", json!({"metadata": {"name": "a", "labels": {"example.com/A_b": "x"}}})).await?;
    Ok(())
}

async fn an_annotations_key_is_qualified(site: Site) -> Outcome {
    let body = |key: &str, value: &str| json!({"metadata": {"name": "a", "annotations": {key: value}}});
    invalid(&site, "configmaps", body("a b", "x"), "metadata.annotations").await?;
    site.create("configmaps", body("x", "any: thing\n{}")).await?;
    Ok(())
}

async fn annotations_have_a_limit(site: Site) -> Outcome {
    let body = |length: usize| json!({"metadata": {"name": "a", "annotations": {"x": "y".repeat(length)}}});
    site.post("configmaps", body(256 * 1024)).await?.invalid("FieldValueTooLong", "metadata.annotations")?;
    site.create("configmaps", body(256 * 1024 - 1)).await?;
    Ok(())
}

async fn a_finalizer_is_qualified(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["a b"]}});
    invalid(&site, "configmaps", body, "metadata.finalizers").await?;
    Ok(())
}

async fn a_finalizer_has_a_domain(site: Site) -> Outcome {
    site.post("configmaps", json!({"metadata": {"name": "a", "finalizers": ["hold"]}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.finalizers[0]")?
        .mentions("/message", "name is neither a standard finalizer name nor is it fully qualified")?;
    Ok(())
}

async fn a_config_maps_keys_are_file_names(site: Site) -> Outcome {
    site.post("configmaps", json!({"metadata": {"name": "a"}, "data": {"a b": "x"}}))
        .await?
        .invalid("FieldValueInvalid", "data[a b]")?;
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"A_b.c-0": "x"}})).await?;
    Ok(())
}

async fn the_names_agree(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.put("configmaps/a", config_map("b"))
        .await?
        .refused(400, "BadRequest")?
        .is("/message", "the name of the object (b) does not match the name on the URL (a)")?;
    Ok(())
}

async fn containers_are_validated(site: Site) -> Outcome {
    let mut bad = pod("a");
    bad["spec"]["containers"] = json!([]);
    site.post("pods", bad.clone()).await?.invalid("FieldValueRequired", "spec.containers")?;
    bad["spec"]["containers"] = json!([{"name": "x", "image": "x"}, {"name": "x", "image": "x"}]);
    site.post("pods", bad.clone()).await?.invalid("FieldValueDuplicate", "spec.containers[1].name")?;
    bad["spec"]["containers"] = json!([{"name": "x"}]);
    site.post("pods", bad).await?.invalid("FieldValueRequired", "spec.containers[0].image")?;
    Ok(())
}

async fn a_selector_picks_its_template(site: Site) -> Outcome {
    let mut bad = workload("a", 1);
    bad["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
    for kind in ["replicasets", "deployments"] {
        site.post(&format!("apps/v1/{kind}"), bad.clone())
            .await?
            .invalid("FieldValueInvalid", "spec.template.metadata.labels")?;
    }
    Ok(())
}

async fn a_selector_is_immutable(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = json!({"spec": {
        "selector": {"matchLabels": {"x": "y"}},
        "template": {"metadata": {"labels": {"x": "y"}}},
    }});
    site.patch(MERGE, "apps/v1/deployments/a", patch)
        .await?
        .invalid("FieldValueInvalid", "spec.selector")?
        .mentions("/message", "field is immutable")?;
    Ok(())
}

async fn a_pods_spec_is_immutable(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.patch(MERGE, "pods/a", json!({"spec": {"restartPolicy": "Never"}}))
        .await?
        .invalid("FieldValueForbidden", "spec")?
        .mentions("/message", "pod updates may not change fields other than")?;
    let image = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "app:2"}]);
    site.patch(JSON, "pods/a", image).await?.code(200)?;
    Ok(())
}

async fn an_immutable_config_map(site: Site) -> Outcome {
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"x": "1"}, "immutable": true}))
        .await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"x": "2"}}))
        .await?
        .invalid("FieldValueForbidden", "data")?;
    site.patch(MERGE, "configmaps/a", json!({"immutable": false})).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn a_secrets_type_is_immutable(site: Site) -> Outcome {
    site.create("secrets", json!({"metadata": {"name": "a"}, "type": "example.com/x"})).await?;
    site.patch(MERGE, "secrets/a", json!({"type": "example.com/y"}))
        .await?
        .invalid("FieldValueInvalid", "type")?;
    Ok(())
}
