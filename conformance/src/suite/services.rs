//! Services: fields that change with the type, allocations that stay, and addresses that contradict each other.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::{MERGE, STRATEGIC, Site};
use crate::suite::refusals::{DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, refuse};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_changed_type_loses_its_fields)
            .rule("A Service that gets another type loses the fields of the old one, and its addresses outside.")
            .source("kubernetes/pkg/registry/core/service: dropTypeDependentFields"),
        case(what_was_changed_is_not_lost)
            .rule("A field of the old type that the writer changed together with the type is refused.")
            .source("kubernetes/pkg/registry/core/service: dropTypeDependentFields"),
        case(ports_of_nodes_are_kept_by_name)
            .rule("A port keeps its port of the nodes as long as it keeps its name.")
            .source("kubernetes/pkg/registry/core/service/storage: patchAllocatedValues"),
        case(ports_of_nodes_are_shared)
            .rule("Ports with the same number and different protocols share a port of the nodes.")
            .source("kubernetes/pkg/registry/core/service/storage: initNodePorts"),
        case(allocations_are_refused)
            .rule("An address or a port of the nodes that is taken or out of range is not allocated.")
            .source("kubernetes/pkg/registry/core/service/storage: Allocators"),
        case(external_names_have_no_addresses)
            .rule("A Service of type ExternalName has neither addresses nor families.")
            .source("kubernetes/pkg/apis/core/validation: validateService"),
        case(addresses_agree)
            .rule("The first of a Service's addresses is its address, and families and policies are known ones.")
            .source("kubernetes/pkg/apis/core/validation: ValidateServiceClusterIPsRelatedFields"),
        case(addresses_stay)
            .rule("A Service's address and family do not change.")
            .source("kubernetes/pkg/apis/core/validation: validateUpgradeDowngradeClusterIPs"),
        case(services_that_contradict_themselves)
            .rule("No address on a type that needs one, a port of the nodes twice, and annotations are refused.")
            .source("kubernetes/pkg/apis/core/validation: validateService"),
        case(defaults_of_parts)
            .rule("Affinities have a timeout, ports a target and load balancers a mode of their addresses.")
            .source("kubernetes/pkg/apis/core/v1: SetDefaults_Service"),
    ]
}

/// Creates a Service with one port, or those in `spec`.
async fn service(site: &Site, name: &str, spec: Value) -> Result<Answer, Mismatch> {
    let spec = extended(json!({"ports": [{"port": 80}]}), spec);
    site.create("services", json!({"metadata": {"name": name}, "spec": spec})).await
}

async fn merge(site: &Site, name: &str, spec: Value) -> Result<Answer, Mismatch> {
    site.patch(MERGE, &format!("services/{name}"), json!({"spec": spec})).await
}

async fn a_changed_type_loses_its_fields(site: Site) -> Outcome {
    let balancer =
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "loadBalancerClass": "a.b/c"});
    service(&site, "a", balancer).await?.has("/spec/healthCheckNodePort")?.has("/spec/ports/0/nodePort")?;
    let ingress = json!({"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}});
    site.patch(MERGE, "services/a/status", ingress).await?.code(200)?;
    merge(&site, "a", json!({"externalTrafficPolicy": "Cluster"}))
        .await?
        .code(200)?
        .lacks("/spec/healthCheckNodePort")?
        .is("/status/loadBalancer/ingress/0/ip", "1.2.3.4")?;
    merge(&site, "a", json!({"type": "NodePort"}))
        .await?
        .code(200)?
        .lacks("/spec/allocateLoadBalancerNodePorts")?
        .lacks("/spec/loadBalancerClass")?
        .has("/spec/ports/0/nodePort")?
        .is("/spec/externalTrafficPolicy", "Cluster")?
        .is("/status/loadBalancer", json!({}))?;
    merge(&site, "a", json!({"type": "ClusterIP"}))
        .await?
        .code(200)?
        .lacks("/spec/ports/0/nodePort")?
        .lacks("/spec/externalTrafficPolicy")?;
    let name = json!({"type": "ExternalName", "externalName": "a.example.com"});
    let external = merge(&site, "a", name).await?.code(200)?;
    external
        .lacks("/spec/clusterIP")?
        .lacks("/spec/clusterIPs")?
        .lacks("/spec/ipFamilyPolicy")?
        .lacks("/spec/ipFamilies")?;
    merge(&site, "a", json!({"type": "ClusterIP", "externalName": null}))
        .await?
        .code(200)?
        .has("/spec/clusterIP")?;
    service(&site, "b", json!({"externalIPs": ["1.2.3.4"]}))
        .await?
        .is("/spec/externalTrafficPolicy", "Cluster")?;
    merge(&site, "b", json!({"externalIPs": null})).await?.code(200)?.lacks("/spec/externalTrafficPolicy")?;
    Ok(())
}

async fn what_was_changed_is_not_lost(site: Site) -> Outcome {
    let balancer =
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local", "loadBalancerClass": "a.b/c"});
    service(&site, "a", balancer).await?;
    let to = |kind: &str, more: Value| extended(json!({"type": kind}), more);
    let changes = [
        (to("NodePort", json!({"loadBalancerClass": "a.b/d"})), FORBIDDEN, "spec.loadBalancerClass"),
        (
            to("NodePort", json!({"allocateLoadBalancerNodePorts": false})),
            FORBIDDEN,
            "spec.allocateLoadBalancerNodePorts",
        ),
        (to("ClusterIP", json!({"externalTrafficPolicy": "Cluster"})), INVALID, "spec.externalTrafficPolicy"),
        (
            to("ClusterIP", json!({"ports": [{"port": 80, "nodePort": 30111}]})),
            FORBIDDEN,
            "spec.ports[0].nodePort",
        ),
        (to("NodePort", json!({"healthCheckNodePort": 30112})), INVALID, "spec.healthCheckNodePort"),
        (
            to("ExternalName", json!({"externalName": "a.b", "clusterIP": "10.0.0.9"})),
            FORBIDDEN,
            "spec.clusterIPs",
        ),
    ];
    for (spec, reason, field) in changes {
        merge(&site, "a", spec).await?.invalid(reason, field)?;
    }
    merge(&site, "a", json!({"healthCheckNodePort": 30112}))
        .await?
        .invalid(FORBIDDEN, "spec.healthCheckNodePort")?;
    Ok(())
}

async fn ports_of_nodes_are_kept_by_name(site: Site) -> Outcome {
    let made = service(&site, "a", json!({"type": "NodePort"})).await?;
    let port = made.at("/spec/ports/0/nodePort").clone();
    merge(&site, "a", json!({"ports": [{"port": 81}]}))
        .await?
        .code(200)?
        .is("/spec/ports/0/nodePort", port.clone())?;
    let named = json!({"ports": [{"name": "x", "port": 81}, {"name": "y", "port": 82}]});
    let named = merge(&site, "a", named).await?.code(200)?;
    let [x, y] = [0, 1].map(|port| named.at(&format!("/spec/ports/{port}/nodePort")).clone());
    let named = named.check(x != port && y != port && x != y, "two new ports of the nodes")?;
    let version = named.version().to_owned();
    let spec = json!({"type": "NodePort", "ports": [{"name": "y", "port": 90}, {"name": "x", "port": 91, "protocol": "UDP"}]});
    let body = json!({"metadata": {"name": "a", "resourceVersion": version}, "spec": spec});
    let swapped = site.put("services/a", body).await?.code(200)?;
    swapped.is("/spec/ports/0/nodePort", y.clone())?.is("/spec/ports/1/nodePort", x)?;
    let asked = json!({"ports": [{"name": "z", "port": 90, "nodePort": y}, {"name": "y", "port": 91}]});
    let asked = merge(&site, "a", asked).await?.code(200)?.is("/spec/ports/0/nodePort", y.clone())?;
    let is_new = *asked.at("/spec/ports/1/nodePort") != y;
    asked.check(is_new, "another port of the nodes")?;
    Ok(())
}

async fn ports_of_nodes_are_shared(site: Site) -> Outcome {
    let dns = json!([
        {"name": "udp", "port": 53, "protocol": "UDP"},
        {"name": "tcp", "port": 53},
        {"name": "other", "port": 54},
    ]);
    let made = service(&site, "a", json!({"type": "NodePort", "ports": dns})).await?;
    let [udp, tcp, other] = [0, 1, 2].map(|port| made.at(&format!("/spec/ports/{port}/nodePort")).clone());
    made.check(udp == tcp && tcp != other, "one port of the nodes for both protocols")?;
    let silent = json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false});
    service(&site, "b", silent).await?.lacks("/spec/ports/0/nodePort")?;
    Ok(())
}

async fn allocations_are_refused(site: Site) -> Outcome {
    let made = service(&site, "a", json!({"type": "NodePort"})).await?;
    let (address, port) = (made.at("/spec/clusterIP").clone(), made.at("/spec/ports/0/nodePort").clone());
    let ports = |port: Value| json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]});
    for name in ["a", "b"] {
        let refused = [
            (json!({"clusterIP": address}), "provided IP is already allocated"),
            (json!({"clusterIP": "10.1.0.1"}), "does not match the current range"),
            (json!({"clusterIP": "10.0.0.0"}), "does not match the current range"),
            (json!({"clusterIP": "10.0.0.255"}), "does not match the current range"),
            (json!({"clusterIP": "2001:db8::1"}), "IPv6 is not configured on this cluster"),
            (ports(port.clone()), "provided port is already allocated"),
            (ports(json!(80)), "The range of valid ports is 30000-32767"),
        ];
        for (spec, because) in refused {
            let spec = extended(json!({"ports": [{"port": 80}]}), spec);
            let body = json!({"metadata": {"name": name}, "spec": spec});
            site.post("services", body).await?.refused(422, "Invalid")?.mentions("/message", because)?;
        }
    }
    let check = json!({
        "type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": port, "ports": [{"port": 80}],
    });
    let body = json!({"metadata": {"name": "b"}, "spec": check});
    let refused = site.post("services", body).await?.code(500)?;
    refused.mentions("/message", "failed to allocate requested HealthCheck NodePort")?;
    let nameless = json!({"spec": {"ports": [{"port": 80}]}});
    let refused = site.post("services", nameless.clone()).await?.invalid(INVALID, "spec.clusterIPs")?;
    refused.mentions("/message", "is invalid: spec.parentRef.name: Required value")?;
    site.post("services?dryRun=All", nameless).await?.invalid(REQUIRED, "metadata.name")?;
    Ok(())
}

async fn external_names_have_no_addresses(site: Site) -> Outcome {
    let external =
        |more: Value| json!({"spec": extended(json!({"type": "ExternalName", "externalName": "a.b"}), more)});
    let bodies = [
        (external(json!({"clusterIP": "10.0.0.9"})), FORBIDDEN, "spec.clusterIPs"),
        (external(json!({"clusterIP": "None"})), FORBIDDEN, "spec.clusterIPs"),
        (external(json!({"clusterIPs": ["10.0.0.9"]})), FORBIDDEN, "spec.clusterIPs"),
        (external(json!({"ipFamilies": ["IPv4"]})), FORBIDDEN, "spec.ipFamilies"),
        (external(json!({"ipFamilyPolicy": "SingleStack"})), FORBIDDEN, "spec.ipFamilyPolicy"),
        (json!({"spec": {"type": "ExternalName"}}), REQUIRED, "spec.externalName"),
    ];
    refuse(&site, "services", &bodies).await
}

async fn addresses_agree(site: Site) -> Outcome {
    let with = |more: Value| json!({"spec": extended(json!({"ports": [{"port": 80}]}), more)});
    let addresses = "spec.clusterIPs";
    let bodies = [
        (with(json!({"clusterIPs": ["10.0.0.9"]})), INVALID, addresses),
        (with(json!({"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.8"]})), INVALID, addresses),
        (with(json!({"clusterIP": "None", "clusterIPs": ["None", "10.0.0.8"]})), INVALID, addresses),
        (with(json!({"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9", "10.0.0.8"]})), INVALID, addresses),
        (with(json!({"clusterIP": "x"})), INVALID, "spec.clusterIPs[0]"),
        (with(json!({"clusterIP": "10.0.0.9", "ipFamilies": ["IPv6"]})), INVALID, "spec.clusterIPs[0]"),
        (with(json!({"ipFamilyPolicy": "X"})), NOT_SUPPORTED, "spec.ipFamilyPolicy"),
        (with(json!({"ipFamilies": ["IPv4", "IPv4"]})), DUPLICATE, "spec.ipFamilies[1]"),
        (with(json!({"ipFamilies": ["IPv4", "IPv6"]})), INVALID, "spec.ipFamilyPolicy"),
        (with(json!({"ipFamilies": ["IPv6"]})), INVALID, "spec.ipFamilies[0]"),
        (with(json!({"ipFamilyPolicy": "RequireDualStack"})), INVALID, "spec.ipFamilyPolicy"),
    ];
    refuse(&site, "services", &bodies).await?;
    let both = json!(["IPv4", "IPv6"]);
    let headless = service(&site, "a", json!({"clusterIP": "None"})).await?;
    headless.is("/spec/ipFamilyPolicy", "RequireDualStack")?.is("/spec/ipFamilies", both)?;
    let selecting = json!({"clusterIP": "None", "selector": {"a": "b"}});
    let selecting = service(&site, "b", selecting).await?;
    selecting.is("/spec/ipFamilyPolicy", "SingleStack")?.is("/spec/ipFamilies", json!(["IPv4"]))?;
    Ok(())
}

async fn addresses_stay(site: Site) -> Outcome {
    service(&site, "a", json!({})).await?;
    let changes = [
        (json!({"clusterIP": "10.0.0.200"}), INVALID, "spec.clusterIPs[0]"),
        (json!({"clusterIP": "None"}), INVALID, "spec.clusterIPs[0]"),
        (json!({"clusterIPs": ["10.0.0.200"]}), INVALID, "spec.clusterIPs"),
        (json!({"ipFamilies": ["IPv6"]}), INVALID, "spec.clusterIPs[0]"),
    ];
    for (spec, reason, field) in changes {
        merge(&site, "a", spec).await?.invalid(reason, field)?;
    }
    let cleared =
        json!({"spec": {"clusterIP": null, "clusterIPs": null, "ipFamilies": null, "ipFamilyPolicy": null}});
    let kept = site.patch(STRATEGIC, "services/a", cleared).await?.code(200)?;
    kept.has("/spec/clusterIPs/0")?
        .is("/spec/ipFamilies", json!(["IPv4"]))?
        .is("/spec/ipFamilyPolicy", "SingleStack")?;
    service(&site, "b", json!({"clusterIP": "None", "selector": {"a": "b"}})).await?;
    merge(&site, "b", json!({"clusterIP": "10.0.0.200"})).await?.invalid(INVALID, "spec.clusterIPs[0]")?;
    Ok(())
}

async fn services_that_contradict_themselves(site: Site) -> Outcome {
    let with = |more: Value| json!({"spec": extended(json!({"ports": [{"port": 80}]}), more)});
    let of = |kind: &str, more: Value| with(extended(json!({"type": kind}), more));
    let noted = |annotations: Value, spec: Value| json!({"metadata": {"name": "a", "annotations": annotations}, "spec": spec["spec"]});
    let topology = json!({
        "service.kubernetes.io/topology-aware-hints": "auto", "service.kubernetes.io/topology-mode": "disabled",
    });
    let ranges = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let ranges_field = format!("metadata.annotations[{ranges}]");
    let bodies = [
        (of("NodePort", json!({"clusterIP": "None"})), INVALID, "spec.clusterIPs[0]"),
        (of("LoadBalancer", json!({"clusterIP": "None"})), INVALID, "spec.clusterIPs[0]"),
        (
            noted(topology, with(json!({}))),
            INVALID,
            "metadata.annotations[service.kubernetes.io/topology-mode]",
        ),
        (noted(json!({ranges: "10.0.0.0/8"}), with(json!({}))), FORBIDDEN, &*ranges_field),
        (noted(json!({ranges: "10.0.0.0/8, x"}), of("LoadBalancer", json!({}))), INVALID, &ranges_field),
        (
            of("LoadBalancer", json!({"loadBalancerSourceRanges": ["10.0.0.1/8"]})),
            INVALID,
            "spec.LoadBalancerSourceRanges[0]",
        ),
    ];
    refuse(&site, "services", &bodies).await?;
    let twice =
        json!([{"name": "a", "port": 80, "nodePort": 30071}, {"name": "b", "port": 81, "nodePort": 30071}]);
    let external = json!({"spec": {"type": "ExternalName", "externalName": "a.b", "ports": twice}});
    refuse(&site, "services", &[(external, DUPLICATE, "spec.ports[1].nodePort")]).await?;
    service(&site, "a", json!({"type": "NodePort"})).await?;
    let refused = merge(&site, "a", json!({"ports": twice})).await?.code(500)?;
    refused.mentions("/message", "duplicate nodePort: {TCP 30071}")?;
    let annotations = json!({"metadata": {"annotations": {ranges: "10.0.0.0/8"}}});
    site.patch(MERGE, "services/a", annotations).await?.invalid(FORBIDDEN, &ranges_field)?;
    Ok(())
}

async fn defaults_of_parts(site: Site) -> Outcome {
    let affinity = json!({
        "type": "LoadBalancer", "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {}},
        "ports": [{"port": 80, "targetPort": 0}],
    });
    service(&site, "a", affinity)
        .await?
        .is("/spec/sessionAffinityConfig/clientIP/timeoutSeconds", 10800)?
        .is("/spec/ports/0/targetPort", 80)?;
    let ingress = json!({"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}});
    let balanced = site.patch(MERGE, "services/a/status", ingress).await?.code(200)?;
    balanced.is("/status/loadBalancer/ingress/0/ipMode", "VIP")?;
    Ok(())
}
