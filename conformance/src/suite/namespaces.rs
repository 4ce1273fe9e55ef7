//! Namespaces: what a new one has, and how one goes.

use crate::answer::Answer;
use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, finalized};
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_new_namespace)
            .rule("A new namespace is Active, with its name as a label and a finalizer in its spec.")
            .source("registry/core/namespace: PrepareForCreate"),
        case(a_namespace_gets_its_service_account)
            .rule("Each namespace gets a default ServiceAccount.")
            .source("serviceaccount controller"),
        case(the_service_account_comes_back)
            .rule("The default ServiceAccount comes back.")
            .source("serviceaccount controller"),
        case(a_namespace_gets_the_root_certificate)
            .rule("Each namespace gets the cluster's root certificate.")
            .source("rootcacertpublisher controller"),
        case(a_namespace_takes_its_content)
            .rule("A namespace that goes takes its content along.")
            .source("kubernetes/test/e2e/apimachinery/namespace.go"),
        case(a_deleted_namespace_is_terminating)
            .rule("The deletion of a namespace answers the namespace, which is Terminating.")
            .source("registry/core/namespace: Delete"),
        case(a_going_namespace_takes_nothing)
            .rule("Nothing can be created in a namespace that is going.")
            .source("admission: NamespaceLifecycle"),
        case(conditions_tell_what_is_waited_for)
            .rule("Conditions tell what a going namespace waits for.")
            .source("namespace controller: conditions"),
        case(no_namespace_no_objects)
            .rule("Nothing can be created in a namespace that does not exist.")
            .source("admission: NamespaceLifecycle"),
        case(some_namespaces_stay)
            .rule("Some namespaces cannot be deleted.")
            .source("admission: NamespaceLifecycle"),
        case(finalizers_are_written_by_their_subresource)
            .rule("/finalize writes the finalizers of the spec.")
            .source("registry/core/namespace: finalize"),
        case(namespaces_are_deleted_one_by_one)
            .rule("A namespace cannot be deleted as part of a collection.")
            .source("API reference: namespaces"),
        case(a_name_is_a_label)
            .rule("A namespace's name is a DNS label.")
            .source("validation: ValidateNamespaceName"),
        case(the_namespaces_agree)
            .rule("The namespace in an object must be that of the path.")
            .source("apiserver: EnsureObjectNamespaceMatchesRequestNamespace"),
    ]
}

async fn a_new_namespace(site: Site) -> Outcome {
    let name = site.unique("new");
    site.create_global("/api/v1/namespaces", json!({"metadata": {"name": name}}))
        .await?
        .is("/status/phase", "Active")?
        .is("/spec/finalizers", json!(["kubernetes"]))?
        .is("/metadata/labels/kubernetes.io~1metadata.name", name.as_str())?;
    Ok(())
}

async fn a_namespace_gets_its_service_account(site: Site) -> Outcome {
    site.until_found("serviceaccounts/default", "a ServiceAccount").await?;
    Ok(())
}

async fn the_service_account_comes_back(site: Site) -> Outcome {
    let first = site.until_found("serviceaccounts/default", "a ServiceAccount").await?;
    site.delete("serviceaccounts/default").await?.code(200)?;
    let another =
        |answer: &Answer| answer.status == 200 && answer.at("/metadata/uid") != first.at("/metadata/uid");
    site.eventually("serviceaccounts/default", another, "another ServiceAccount").await?;
    Ok(())
}

async fn a_namespace_gets_the_root_certificate(site: Site) -> Outcome {
    site.until_found("configmaps/kube-root-ca.crt", "a ConfigMap").await?.has("/data/ca.crt")?;
    Ok(())
}

async fn a_namespace_takes_its_content(site: Site) -> Outcome {
    let name = site.unique("gone");
    site.create("/api/v1/namespaces", json!({"metadata": {"name": name}})).await?;
    site.create(&format!("/api/v1/namespaces/{name}/secrets"), json!({"metadata": {"name": "a"}})).await?;
    let body = json!({"metadata": {"name": "a"}, "spec": {"clusterIP": "None"}});
    site.create(&format!("/api/v1/namespaces/{name}/services"), body).await?;
    site.delete(&format!("/api/v1/namespaces/{name}")).await?.code(200)?;
    site.until_gone(&format!("/api/v1/namespaces/{name}")).await?;
    site.get(&format!("/api/v1/namespaces/{name}/secrets")).await?.code(200)?.names(&[])?;
    site.get(&format!("/api/v1/namespaces/{name}/services")).await?.code(200)?.names(&[])?;
    Ok(())
}

async fn a_deleted_namespace_is_terminating(site: Site) -> Outcome {
    let name = site.unique("gone");
    site.create("/api/v1/namespaces", json!({"metadata": {"name": name}})).await?;
    site.delete(&format!("/api/v1/namespaces/{name}"))
        .await?
        .code(200)?
        .is("/kind", "Namespace")?
        .is("/status/phase", "Terminating")?
        .has("/metadata/deletionTimestamp")?;
    Ok(())
}

async fn a_going_namespace_takes_nothing(site: Site) -> Outcome {
    let name = site.unique("gone");
    site.create("/api/v1/namespaces", json!({"metadata": {"name": name}})).await?;
    let secrets = format!("/api/v1/namespaces/{name}/secrets");
    site.create(&secrets, finalized("a")).await?;
    site.delete(&format!("/api/v1/namespaces/{name}")).await?.code(200)?;
    site.post(&secrets, json!({"metadata": {"name": "b"}}))
        .await?
        .refused(403, "Forbidden")?
        .cause("NamespaceTerminating", "metadata.namespace")?
        .mentions(
            "/message",
            &format!("unable to create new content in namespace {name} because it is being terminated"),
        )?;
    site.patch(MERGE, &format!("{secrets}/a"), json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn conditions_tell_what_is_waited_for(site: Site) -> Outcome {
    let name = site.unique("gone");
    let path = format!("/api/v1/namespaces/{name}");
    site.create("/api/v1/namespaces", json!({"metadata": {"name": name}})).await?;
    site.create(&format!("{path}/secrets"), finalized("a")).await?;
    site.delete(&path).await?.code(200)?;
    let waits = |answer: &Answer| {
        answer
            .list("/status/conditions")
            .iter()
            .any(|one| one["type"] == "NamespaceFinalizersRemaining" && one["status"] == "True")
    };
    site.eventually(&path, waits, "the condition NamespaceFinalizersRemaining").await?;
    site.patch(MERGE, &format!("{path}/secrets/a"), json!({"metadata": {"finalizers": null}}))
        .await?
        .code(200)?;
    site.until_gone(&path).await?;
    Ok(())
}

async fn no_namespace_no_objects(site: Site) -> Outcome {
    site.post("/api/v1/namespaces/conf-there-is-no-such/configmaps", config_map("a"))
        .await?
        .refused(404, "NotFound")?
        .is("/message", "namespaces \"conf-there-is-no-such\" not found")?
        .is("/details/kind", "namespaces")?;
    Ok(())
}

async fn some_namespaces_stay(site: Site) -> Outcome {
    for name in ["default", "kube-system", "kube-public"] {
        site.delete(&format!("/api/v1/namespaces/{name}"))
            .await?
            .refused(403, "Forbidden")?
            .mentions("/message", "this namespace may not be deleted")?;
    }
    Ok(())
}

async fn finalizers_are_written_by_their_subresource(site: Site) -> Outcome {
    let name = site.unique("new");
    let path = format!("/api/v1/namespaces/{name}");
    let mut made = site.create_global("/api/v1/namespaces", json!({"metadata": {"name": name}})).await?.json;
    made["spec"]["finalizers"] = json!(["kubernetes", "example.com/hold"]);
    made["metadata"]["resourceVersion"] = json!(null);
    site.put(&path, made.clone()).await?.code(200)?.is("/spec/finalizers", json!(["kubernetes"]))?;
    site.put(&format!("{path}/finalize"), made.clone())
        .await?
        .code(200)?
        .is("/spec/finalizers", json!(["kubernetes", "example.com/hold"]))?;
    made["spec"]["finalizers"] = json!(["kubernetes"]);
    site.put(&format!("{path}/finalize"), made).await?.code(200)?;
    Ok(())
}

async fn namespaces_are_deleted_one_by_one(site: Site) -> Outcome {
    site.delete(&format!("/api/v1/namespaces?fieldSelector=metadata.name%3D{}", site.unique("none")))
        .await?
        .refused(405, "MethodNotAllowed")?;
    Ok(())
}

async fn a_name_is_a_label(site: Site) -> Outcome {
    site.post("/api/v1/namespaces", json!({"metadata": {"name": "a.b"}}))
        .await?
        .invalid("FieldValueInvalid", "metadata.name")?;
    Ok(())
}

async fn the_namespaces_agree(site: Site) -> Outcome {
    site.post("configmaps", json!({"metadata": {"name": "a", "namespace": "default"}}))
        .await?
        .refused(400, "BadRequest")?
        .mentions(
            "/message",
            "the namespace of the provided object does not match the namespace sent on the request",
        )?;
    Ok(())
}
