//! Nulls that Go writes for fields that nobody sent, fields that it drops, and warnings of writes that change nothing.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(nulls_are_written)
            .rule("A pointer or a list without `omitempty` is written as null, and has no manager if nobody sent it.")
            .source("k8s.io/api: the JSON tags of TypedLocalObjectReference, Role, EndpointSlice and CSINode"),
        case(empty_lists_become_null)
            .rule("An empty list that was sent has a manager and is null.")
            .source("k8s.io/api/discovery/v1: EndpointSlice"),
        case(topologies_are_dropped)
            .rule("The deprecated topology of an endpoint is dropped.")
            .source("kubernetes/pkg/registry/discovery/endpointslice: dropTopologyOnV1"),
        case(warnings_come_again)
            .rule("A write that changes nothing is warned of like one that does.")
            .source("apiserver/pkg/registry/rest: BeforeUpdate"),
        case(external_names_have_no_policy)
            .rule("A Service of type ExternalName has no policy of internal traffic.")
            .source("kubernetes/pkg/registry/core/service/storage: defaultOnReadInternalTrafficPolicy"),
        case(names_are_generated_first)
            .rule("A namespace with a generated name is labelled with it, and nobody manages the label.")
            .source("kubernetes/pkg/registry/core/namespace: Canonicalize"),
        case(accounts_have_one_name)
            .rule("The old name of a Pod's account is that of the new field.")
            .source("kubernetes/pkg/apis/core/v1: Convert_v1_PodSpec_To_core_PodSpec"),
        case(owners_are_written_with_a_status)
            .rule("A write of a Service's status takes over the owners in its metadata, that of a Pod's does not.")
            .source("kubernetes/pkg/registry/core: service and pod, the strategies of the status"),
        case(events_have_no_dependents)
            .rule("The deletion of an Event does not wait for dependents, whatever it asks for.")
            .source("kubernetes/pkg/registry/core/event: DefaultGarbageCollectionPolicy"),
    ]
}

async fn unmanaged(answer: Answer, field: &str) -> Result<(), Mismatch> {
    let managed = answer.at("/metadata/managedFields").to_string().contains(&format!("\"f:{field}\""));
    answer.check(!managed, format!("nobody manages {field}"))?;
    Ok(())
}

async fn nulls_are_written(site: Site) -> Outcome {
    let named = json!({"metadata": {"name": "a"}});
    let role = site
        .create("rbac.authorization.k8s.io/v1/roles", named)
        .await?
        .code(201)?
        .is("/rules", Value::Null)?;
    unmanaged(role, "rules").await?;
    let slice = json!({"metadata": {"name": "a"}, "addressType": "IPv4"});
    let slice = site.create("discovery.k8s.io/v1/endpointslices", slice).await?.code(201)?;
    unmanaged(slice.is("/ports", Value::Null)?.is("/endpoints", Value::Null)?, "ports").await?;
    let claim = json!({"metadata": {"name": "a"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        "dataSource": {"kind": "PersistentVolumeClaim", "name": "b"},
    }});
    let claim = site.create("persistentvolumeclaims", claim).await?.code(201)?;
    claim.is("/spec/dataSource/apiGroup", Value::Null)?.is("/spec/dataSourceRef/apiGroup", Value::Null)?;
    Ok(())
}

async fn empty_lists_become_null(site: Site) -> Outcome {
    let slice = json!({"metadata": {"name": "a"}, "addressType": "IPv4", "ports": [], "endpoints": []});
    let answer = site.create("discovery.k8s.io/v1/endpointslices", slice).await?.code(201)?;
    let answer = answer.is("/ports", Value::Null)?.is("/endpoints", Value::Null)?;
    answer.has("/metadata/managedFields/0/fieldsV1/f:ports")?;
    Ok(())
}

async fn topologies_are_dropped(site: Site) -> Outcome {
    let endpoint = json!({"addresses": ["1.2.3.4"], "deprecatedTopology": {"kubernetes.io/hostname": "n"}});
    let slice = json!({"metadata": {"name": "a"}, "addressType": "IPv4", "endpoints": [endpoint]});
    let answer = site.create("discovery.k8s.io/v1/endpointslices", slice).await?.code(201)?;
    answer.lacks("/endpoints/0/deprecatedTopology")?.lacks("/endpoints/0/nodeName")?;
    Ok(())
}

async fn warnings_come_again(site: Site) -> Outcome {
    let spec = json!({"ports": [{"port": 80}], "externalIPs": ["192.0.2.9"]});
    site.create("services", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    let answer = site.patch(MERGE, "services/a", json!({"spec": {}})).await?.code(200)?;
    answer.warns("spec.externalIPs is deprecated")?;
    Ok(())
}

async fn external_names_have_no_policy(site: Site) -> Outcome {
    let spec = json!({"type": "ExternalName", "externalName": "a.b", "internalTrafficPolicy": "Local"});
    let answer =
        site.create("services", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    answer.lacks("/spec/internalTrafficPolicy")?;
    site.get("services/a").await?.lacks("/spec/internalTrafficPolicy")?;
    Ok(())
}

async fn names_are_generated_first(site: Site) -> Outcome {
    let base = format!("{}-", site.unique("n"));
    let body = json!({"metadata": {"generateName": base}});
    let answer = site.create_global("/api/v1/namespaces", body).await?.code(201)?;
    let name = answer.text("/metadata/name").to_owned();
    let answer = answer.is("/metadata/labels/kubernetes.io~1metadata.name", name)?;
    unmanaged(answer, "labels").await?;
    Ok(())
}

async fn accounts_have_one_name(site: Site) -> Outcome {
    let pod = |spec: Value| {
        let spec = crate::objects::extended(json!({"containers": [{"name": "a", "image": "b"}]}), spec);
        json!({"metadata": {"name": "a"}, "spec": spec})
    };
    for spec in
        [json!({"serviceAccount": "old"}), json!({"serviceAccount": "x", "serviceAccountName": "old"})]
    {
        let answer = site.post("pods?dryRun=All", pod(spec)).await?.code(201)?;
        answer.is("/spec/serviceAccount", "old")?.is("/spec/serviceAccountName", "old")?;
    }
    Ok(())
}

async fn owners_are_written_with_a_status(site: Site) -> Outcome {
    let spec = json!({"ports": [{"port": 80}]});
    site.create("services", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    let spec = json!({"containers": [{"name": "a", "image": "b"}]});
    site.create("pods", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    let owners = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "u"}]);
    let patch = json!({"metadata": {"ownerReferences": owners}});
    site.patch(MERGE, "services/a/status", patch.clone())
        .await?
        .code(200)?
        .has("/metadata/ownerReferences")?;
    site.patch(MERGE, "pods/a/status", patch).await?.code(200)?.lacks("/metadata/ownerReferences")?;
    Ok(())
}

async fn events_have_no_dependents(site: Site) -> Outcome {
    let namespace = site.namespace().to_owned();
    let body = json!({
        "metadata": {"name": "a"}, "reason": "Started", "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": namespace},
    });
    site.create("events", body).await?.code(201)?;
    site.delete_with("events/a", json!({"propagationPolicy": "Orphan"}))
        .await?
        .code(200)?
        .is("/kind", "Status")?;
    site.get("events/a").await?.refused(404, "NotFound")?;
    Ok(())
}
