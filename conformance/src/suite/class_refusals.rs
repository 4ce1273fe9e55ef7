//! Validation of drivers, attachments and classes, of `Endpoints`, and of Pods that wait or have volumes of rare types.

use super::refusals::{DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, refuse};
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(drivers)
            .rule("Drivers of volumes: policies, tokens, modes; what is attached and the modes stay.")
            .source("kubernetes/pkg/apis/storage/validation: ValidateCSIDriver"),
        case(attachments)
            .rule("An attachment has a driver, a node and one source, and its spec stays.")
            .source("kubernetes/pkg/apis/storage/validation: ValidateVolumeAttachment"),
        case(nodes_of_drivers)
            .rule("A node's drivers have names and identities of their own.")
            .source("kubernetes/pkg/apis/storage/validation: ValidateCSINode"),
        case(priorities)
            .rule("A class of priority of a user is not above a thousand million, and stays.")
            .source("kubernetes/pkg/apis/scheduling/validation: ValidatePriorityClass"),
        case(runtimes)
            .rule("A class of runtimes: its handler, its overhead and where it runs.")
            .source("kubernetes/pkg/apis/node/validation: ValidateRuntimeClass"),
        case(endpoints)
            .rule("Endpoints: addresses that can be reached, and ports with names.")
            .source("kubernetes/pkg/apis/core/validation: ValidateEndpointsCreate"),
        case(gated_pods)
            .rule("A Pod with scheduling gates is not bound, and where it may run is only narrowed down.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePodUpdate"),
        case(rare_volumes)
            .rule("Volumes of iSCSI, Fibre Channel, Quobyte, Flocker and Azure, and of drivers.")
            .source("kubernetes/pkg/apis/core/validation: validateVolumeSource"),
        case(contexts)
            .rule("Kernel parameters once, tokens only for an account, names of hosts that fit.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePodSpec"),
        case(ranges)
            .rule("A range of addresses has no bits beyond its length and is inside of that which it is cut out of.")
            .source("kubernetes/pkg/apis/networking/validation: ValidateIPBlock"),
    ]
}

async fn drivers(site: Site) -> Outcome {
    let driver = |spec: Value| json!({ "spec": spec });
    let tokens = |tokens: Value| driver(json!({"tokenRequests": tokens}));
    let bodies = [
        (driver(json!({"fsGroupPolicy": "x"})), NOT_SUPPORTED, "spec.fsGroupPolicy"),
        (driver(json!({"volumeLifecycleModes": ["x"]})), NOT_SUPPORTED, "spec.volumeLifecycleModes"),
        (tokens(json!([{"audience": "a"}, {"audience": "a"}])), DUPLICATE, "spec.tokenRequests[1].audience"),
        (
            tokens(json!([{"audience": "a", "expirationSeconds": 5}])),
            INVALID,
            "spec.tokenRequests[0].expirationSeconds",
        ),
        (
            driver(json!({"nodeAllocatableUpdatePeriodSeconds": 9})),
            INVALID,
            "spec.nodeAllocatableUpdatePeriodSeconds",
        ),
        (driver(json!({"serviceAccountTokenInSecrets": true})), INVALID, "spec.serviceAccountTokenInSecrets"),
    ];
    refuse(&site, "/apis/storage.k8s.io/v1/csidrivers", &bodies).await?;
    let name = site.unique("driver");
    let body = json!({"metadata": {"name": name}, "spec": {"tokenRequests": [{"audience": "a"}]}});
    let path = "/apis/storage.k8s.io/v1/csidrivers";
    let answer = site.create_global(path, body).await?.code(201)?.lacks("/metadata/generation")?;
    answer.warns("spec.serviceAccountTokenInSecrets is unset")?;
    let path = format!("{path}/{name}");
    let patch = json!({"spec": {"attachRequired": false}});
    site.patch(MERGE, &path, patch).await?.invalid(INVALID, "spec.attachedRequired")?;
    let patch = json!({"spec": {"requiresRepublish": true}});
    site.patch(MERGE, &path, patch).await?.code(200)?.is("/metadata/generation", 1)?;
    site.delete(&path).await?.code(200)?.is("/kind", "CSIDriver")?;
    Ok(())
}

async fn attachments(site: Site) -> Outcome {
    let spec = json!({"attacher": "a.b", "nodeName": "n", "source": {"persistentVolumeName": "v"}});
    let attachment = |more: Value| json!({"spec": extended(spec.clone(), more)});
    let bodies = [
        (attachment(json!({"attacher": ""})), REQUIRED, "spec.attacher"),
        (attachment(json!({"attacher": "a_b"})), INVALID, "spec.attacher"),
        (attachment(json!({"nodeName": "a_b"})), INVALID, "spec.nodeName"),
        (attachment(json!({"source": {}})), REQUIRED, "spec.source"),
        (
            attachment(json!({"source": {"persistentVolumeName": "v", "inlineVolumeSpec": {}}})),
            FORBIDDEN,
            "spec.source",
        ),
        (
            attachment(json!({"source": {"persistentVolumeName": "a_b"}})),
            INVALID,
            "spec.source.persistentVolumeName",
        ),
    ];
    refuse(&site, "/apis/storage.k8s.io/v1/volumeattachments", &bodies).await?;
    let (path, name) = ("/apis/storage.k8s.io/v1/volumeattachments", site.unique("attachment"));
    site.create_global(path, json!({"metadata": {"name": name}, "spec": spec})).await?.code(201)?;
    let patch = json!({"spec": {"nodeName": "other"}});
    site.patch(MERGE, &format!("{path}/{name}"), patch).await?.invalid(INVALID, "spec")?;
    Ok(())
}

async fn nodes_of_drivers(site: Site) -> Outcome {
    let node = |drivers: Value| json!({"spec": {"drivers": drivers}});
    let bodies = [
        (node(json!([{"name": "a"}])), REQUIRED, "spec.drivers[0].nodeID"),
        (node(json!([{"name": "a_b", "nodeID": "n"}])), INVALID, "spec.drivers[0].name"),
        (
            node(json!([{"name": "a", "nodeID": "n"}, {"name": "a", "nodeID": "m"}])),
            DUPLICATE,
            "spec.drivers[1].name",
        ),
        (
            node(json!([{"name": "a", "nodeID": "n", "allocatable": {"count": -1}}])),
            INVALID,
            "spec.drivers[0].allocatable.count",
        ),
    ];
    refuse(&site, "/apis/storage.k8s.io/v1/csinodes", &bodies).await?;
    Ok(())
}

async fn priorities(site: Site) -> Outcome {
    let path = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let named = |name: &str, value: i64| json!({"metadata": {"name": name}, "value": value});
    let bodies = [
        (json!({"value": 1_000_000_001}), FORBIDDEN, "value"),
        (json!({"value": 1, "preemptionPolicy": "x"}), NOT_SUPPORTED, "preemptionPolicy"),
        (named("system-a", 1), FORBIDDEN, "metadata.name"),
    ];
    refuse(&site, path, &bodies).await?;
    let name = site.unique("class");
    site.create_global(path, named(&name, 1)).await?.code(201)?.is("/metadata/generation", 1)?;
    let patch = json!({"value": 2});
    site.patch(MERGE, &format!("{path}/{name}"), patch).await?.invalid(FORBIDDEN, "value")?;
    Ok(())
}

async fn runtimes(site: Site) -> Outcome {
    let class = |more: Value| extended(json!({"handler": "a"}), more);
    let toleration = json!({"key": "a", "operator": "Exists"});
    let bodies = [
        (json!({}), REQUIRED, "handler"),
        (json!({"handler": "A_B"}), INVALID, "handler"),
        (class(json!({"scheduling": {"nodeSelector": {"a b": "c"}}})), INVALID, "scheduling.nodeSelector"),
        (
            class(json!({"scheduling": {"tolerations": [toleration, toleration]}})),
            DUPLICATE,
            "scheduling.tolerations[1]",
        ),
    ];
    let path = "/apis/node.k8s.io/v1/runtimeclasses";
    refuse(&site, path, &bodies).await?;
    let name = site.unique("runtime");
    site.create_global(path, json!({"metadata": {"name": name}, "handler": "a"})).await?.code(201)?;
    let patch = json!({"handler": "b"});
    site.patch(MERGE, &format!("{path}/{name}"), patch).await?.invalid(INVALID, "handler")?;
    Ok(())
}

async fn endpoints(site: Site) -> Outcome {
    let subset = |subset: Value| json!({"subsets": [subset]});
    let at = |address: &str| subset(json!({"addresses": [{"ip": address}], "ports": [{"port": 80}]}));
    let bodies = [
        (subset(json!({})), REQUIRED, "subsets[0]"),
        (at("127.0.0.1"), INVALID, "subsets[0].addresses[0].ip"),
        (at("a"), INVALID, "subsets[0].addresses[0].ip"),
        (
            subset(json!({"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 0}]})),
            INVALID,
            "subsets[0].ports[0].port",
        ),
        (
            subset(json!({"addresses": [{"ip": "1.2.3.4"}], "ports": [{"port": 80}, {"port": 81}]})),
            REQUIRED,
            "subsets[0].ports[0].name",
        ),
    ];
    refuse(&site, "endpoints", &bodies).await?;
    Ok(())
}

async fn gated_pods(site: Site) -> Outcome {
    let spec = json!({
        "schedulingGates": [{"name": "a"}], "nodeSelector": {"zone": "a"},
        "containers": [{"name": "a", "image": "b"}],
    });
    site.create("pods", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    let binding = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}});
    site.post("pods/a/binding", binding).await?.refused(409, "Conflict")?.says("schedulingGates")?;
    let patch = json!({"spec": {"nodeSelector": {"disk": "ssd"}}});
    site.patch(MERGE, "pods/a", patch).await?.code(200)?;
    let patch = json!({"spec": {"nodeSelector": {"zone": "b"}}});
    site.patch(MERGE, "pods/a", patch).await?.invalid(INVALID, "spec.nodeSelector")?;
    Ok(())
}

async fn rare_volumes(site: Site) -> Outcome {
    let pod = |volume: Value| {
        let volume = extended(json!({"name": "v"}), volume);
        json!({"spec": {"containers": [{"name": "a", "image": "b"}], "volumes": [volume]}})
    };
    let disk = |more: Value| {
        let disk = json!({"targetPortal": "1.2.3.4:3260", "iqn": "iqn.2001-04.com.example:a", "lun": 0});
        pod(json!({"iscsi": extended(disk, more)}))
    };
    let bodies = [
        (disk(json!({"iqn": "x"})), INVALID, "spec.volumes[0].iscsi.iqn"),
        (disk(json!({"lun": 256})), INVALID, "spec.volumes[0].iscsi.lun"),
        (disk(json!({"chapAuthSession": true})), REQUIRED, "spec.volumes[0].iscsi.secretRef"),
        (pod(json!({"fc": {}})), REQUIRED, "spec.volumes[0].fc.targetWWNs"),
        (pod(json!({"fc": {"targetWWNs": ["a"]}})), REQUIRED, "spec.volumes[0].fc.lun"),
        (
            pod(json!({"quobyte": {"registry": "a", "volume": "v"}})),
            INVALID,
            "spec.volumes[0].quobyte.registry",
        ),
        (pod(json!({"flocker": {}})), REQUIRED, "spec.volumes[0].flocker"),
        (
            pod(json!({"azureDisk": {"diskName": "a", "diskURI": "b", "kind": "Managed"}})),
            NOT_SUPPORTED,
            "spec.volumes[0].azureDisk.diskURI",
        ),
        (pod(json!({"csi": {"driver": "a_b"}})), INVALID, "spec.volumes[0].csi.driver"),
        (pod(json!({"emptyDir": {}, "downwardAPI": {}})), FORBIDDEN, "spec.volumes[0].downwarAPI"),
    ];
    refuse(&site, "pods", &bodies).await?;
    Ok(())
}

async fn contexts(site: Site) -> Outcome {
    let pod =
        |more: Value| json!({"spec": extended(json!({"containers": [{"name": "a", "image": "b"}]}), more)});
    let sysctls = |sysctls: Value| pod(json!({"securityContext": {"sysctls": sysctls}}));
    let (one, bad) = (json!({"name": "a.b", "value": "1"}), json!({"name": "A b", "value": "1"}));
    let token = json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}, "name": "v"});
    let bodies = [
        (sysctls(json!([one, one])), DUPLICATE, "spec.securityContext.sysctls[1].name"),
        (sysctls(json!([bad])), INVALID, "spec.securityContext.sysctls[0].name"),
        (
            pod(json!({ "volumes": [token] })),
            FORBIDDEN,
            "spec.volumes[0].projected.sources[0].serviceAccountToken",
        ),
        (
            pod(json!({"hostnameOverride": "a", "setHostnameAsFQDN": true})),
            FORBIDDEN,
            "spec.hostnameOverride",
        ),
        (
            pod(json!({"hostPID": true, "shareProcessNamespace": true})),
            INVALID,
            "spec.securityContext.shareProcessNamespace",
        ),
    ];
    refuse(&site, "pods", &bodies).await?;
    Ok(())
}

async fn ranges(site: Site) -> Outcome {
    let policy = |block: Value| json!({"spec": {"egress": [{"to": [{"ipBlock": block}]}]}});
    let bodies = [
        (policy(json!({"cidr": "1.2.3.4/24"})), INVALID, "spec.egress[0].to[0].ipBlock.cidr"),
        (policy(json!({"cidr": "1.2.03.0/24"})), INVALID, "spec.egress[0].to[0].ipBlock.cidr"),
        (
            policy(json!({"cidr": "1.2.3.0/24", "except": ["1.2.4.0/28"]})),
            INVALID,
            "spec.egress[0].to[0].ipBlock.except[0]",
        ),
    ];
    refuse(&site, "networking.k8s.io/v1/networkpolicies", &bodies).await?;
    Ok(())
}
