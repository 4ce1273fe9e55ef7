//! The `Warning` headers of answers.

use super::definition::Definition;
use super::refusals::with_template;
use crate::case::{Case, Outcome, case};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(deprecated_versions_are_told)
            .rule("Every request to a version that its definition calls deprecated is told so.")
            .source("apiextensions: customresource_handler"),
        case(deprecated_kinds_are_told)
            .rule("So is every request to a kind that is deprecated.")
            .source("k8s.io/api: APILifecycleDeprecated"),
        case(unrecognized_formats_are_told)
            .rule("Formats that nobody knows are told when a definition brings them.")
            .source("apiextensions: customresourcedefinition strategy"),
        case(finalizers_without_a_domain_are_told)
            .rule("Finalizers of custom objects have a domain, or a warning.")
            .source("apiextensions: customresource strategy, validateKubeFinalizerName"),
        case(pods_are_looked_through)
            .rule("Pods and templates are looked through.")
            .source("kubernetes/pkg/api/pod/warnings.go"),
        case(templates_are_looked_through)
            .rule("Templates have the same warnings under longer paths, when they change.")
            .source("kubernetes/pkg/registry/apps/deployment/strategy.go"),
        case(other_kinds_have_their_own)
            .rule("Claims, volumes, Ingresses and Services have warnings of their own.")
            .source("kubernetes/pkg/api: GetWarningsFor"),
        case(volumes_are_looked_through)
            .rule("Paths within a volume that overlap, empty sources, and what else of a Pod means little.")
            .source("kubernetes/pkg/api/pod: warningsForPodSpecAndMeta"),
        case(changes_that_warn)
            .rule(
                "A change warns of the template if it makes a new generation; of an Ingress it never warns.",
            )
            .source("kubernetes/pkg/registry/apps, networking: WarningsOnUpdate"),
        case(workloads_have_their_own)
            .rule("Jobs and StatefulSets have warnings of their own.")
            .source("kubernetes/pkg/api: GetWarningsFor; registry/apps/statefulset: WarningsOnCreate"),
    ]
}

async fn deprecated_versions_are_told(site: Site) -> Outcome {
    let widgets = Definition::new(&site).version(json!({"deprecated": true})).make(&site).await?;
    let told = format!("{} Widget is deprecated", widgets.api_version);
    widgets.create(&site, "a", json!({})).await?.warns(&told)?;
    site.get(&widgets.object("a")).await?.warns(&told)?;
    site.get(&widgets.objects).await?.warns(&told)?;
    Ok(())
}

async fn deprecated_kinds_are_told(site: Site) -> Outcome {
    let told = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    site.create("endpoints", json!({"metadata": {"name": "a"}})).await?.warns(told)?;
    site.get("endpoints").await?.warns(told)?;
    Ok(())
}

async fn unrecognized_formats_are_told(site: Site) -> Outcome {
    let fields = json!({
        "a": {"type": "string", "format": "url"}, "b": {"type": "string", "format": "date-time"},
        "c": {"type": "integer", "format": "int64"}, "d": {"type": "string", "format": "k8s-short-name"},
    });
    let path = format!("{}?dryRun=All", Definition::PATH);
    let answer = site.post(&path, Definition::new(&site).spec(fields).body()).await?.code(201)?;
    let count = answer.headers.get_all("warning").iter().count();
    answer.warns("unrecognized format \\\"url\\\"")?.check(count == 1, "one warning")?;
    Ok(())
}

async fn finalizers_without_a_domain_are_told(site: Site) -> Outcome {
    let widgets = Definition::new(&site).make(&site).await?;
    let body = json!({"metadata": {"name": "a", "finalizers": ["mine", "mine.example.com"]}});
    widgets
        .post(&site, "a", body, "?dryRun=All")
        .await?
        .code(201)?
        .warns(
            "metadata.finalizers: \\\"mine\\\": prefer a domain-qualified finalizer name to avoid accidental \
             conflicts",
        )?
        .warns(
            "metadata.finalizers: \\\"mine.example.com\\\": prefer a domain-qualified finalizer name \
             including a path (/)",
        )?;
    Ok(())
}

async fn pods_are_looked_through(site: Site) -> Outcome {
    let spec = json!({
        "nodeSelector": {"beta.kubernetes.io/arch": "amd64"},
        "containers": [
            {
                "name": "a", "image": "a",
                "env": [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}],
                "resources": {"limits": {"memory": "1500m"}},
                "ports": [{"containerPort": 80}],
            },
            {"name": "b", "image": "b", "ports": [{"containerPort": 80}]},
        ],
        "imagePullSecrets": [{"name": "s"}, {"name": "s"}, {"name": ""}],
    });
    site.post("pods?dryRun=All", json!({"metadata": {"name": "a.b"}, "spec": spec}))
        .await?
        .code(201)?
        .warns(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a \
             DNS label is recommended: [must not contain dots]",
        )?
        .warns(
            "spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use \
             \\\"kubernetes.io/arch\\\" instead",
        )?
        .warns(
            "spec.containers[0].resources.limits[memory]: fractional byte value \\\"1500m\\\" is invalid, \
             must be an integer",
        )?
        .warns(
            "spec.containers[0].env[1]: hides previous definition of \\\"X\\\", which may be dropped when \
             using apply",
        )?
        .warns("spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]")?
        .warns("spec.imagePullSecrets[1].name: duplicate name \\\"s\\\"")?
        .warns("spec.imagePullSecrets[2].name: invalid empty name \\\"\\\"")?;
    Ok(())
}

async fn templates_are_looked_through(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
            "containers": [
                {"name": "a", "image": "b", "ports": [{"name": "x", "containerPort": 80, "hostIP": "1.2.3.4"}]},
                {"name": "c", "image": "b", "ports": [{"name": "x", "containerPort": 80}]},
            ],
            "nodeSelector": {"beta.kubernetes.io/os": "linux"},
        }},
    }});
    let told = "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14";
    site.create("apps/v1/deployments", body)
        .await?
        .warns(told)?
        .warns(
            "spec.template.spec.containers[0].ports[0]: hostIP set without hostPort: {Name:x HostPort:0 \
             ContainerPort:80 Protocol:TCP HostIP:1.2.3.4}",
        )?
        .warns(
            "spec.template.spec.containers[1].ports[0]: overlapping port definition with \
             spec.template.spec.containers[0].ports[0]",
        )?
        .warns(
            "spec.template.spec.containers[1].ports[0]: duplicate port name \\\"x\\\" with \
             spec.template.spec.containers[0].ports[0], services",
        )?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"metadata": {"labels": {"a": "b"}}}))
        .await?
        .code(200)?
        .no_header("warning")?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"spec": {"paused": true}}))
        .await?
        .code(200)?
        .warns(told)?;
    Ok(())
}

async fn other_kinds_have_their_own(site: Site) -> Outcome {
    let claim = json!({
        "metadata": {"name": "a", "annotations": {"volume.beta.kubernetes.io/storage-class": "x"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}},
    });
    site.create("persistentvolumeclaims", claim).await?.warns(
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \
         \\\"storageClassName\\\" attribute instead",
    )?;
    let ingress = json!({
        "metadata": {"name": "a", "annotations": {"kubernetes.io/ingress.class": "x"}},
        "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}},
    });
    site.create("networking.k8s.io/v1/ingresses", ingress).await?.warns(
        "annotation \\\"kubernetes.io/ingress.class\\\" is deprecated, please use \
         'spec.ingressClassName' instead",
    )?;
    let service = json!({"metadata": {"name": "a"}, "spec": {
        "clusterIP": "None",
        "sessionAffinity": "ClientIP",
        "ports": [{"port": 80}],
    }});
    site.create("services", service).await?.warns("spec.SessionAffinity is ignored for headless services")?;
    let volume = json!({
        "metadata": {"name": site.unique("a"), "annotations": {"volume.beta.kubernetes.io/mount-options": "ro"}},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
            "nfs": {"server": "a", "path": "/x"}, "persistentVolumeReclaimPolicy": "Recycle",
        },
    });
    site.post("/api/v1/persistentvolumes?dryRun=All", volume)
        .await?
        .code(201)?
        .warns("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated.")?
        .warns(
            "metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use \
             \\\"mountOptions\\\" attribute instead",
        )?;
    Ok(())
}

async fn workloads_have_their_own(site: Site) -> Outcome {
    let job =
        |name: &str, more: Value| json!({"metadata": {"name": name}, "spec": with_template(more, "Never")});
    site.post("batch/v1/jobs?dryRun=All", job("a.b", json!({})))
        .await?
        .code(201)?
        .warns("metadata.name: this is used in Pod names and hostnames")?;
    let indexed = json!({"completionMode": "Indexed", "completions": 100_001, "parallelism": 10_001});
    site.post("batch/v1/jobs?dryRun=All", job("a", indexed))
        .await?
        .code(201)?
        .warns("spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism")?;
    let claim = json!({
        "metadata": {"name": "a"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}},
    });
    let set = json!({
        "selector": {"matchLabels": {"a": "b"}}, "revisionHistoryLimit": -1, "volumeClaimTemplates": [claim],
    });
    let body = json!({"metadata": {"name": "a"}, "spec": with_template(set, "Always")});
    site.post("apps/v1/statefulsets?dryRun=All", body)
        .await?
        .code(201)?
        .warns("spec.revisionHistoryLimit: a negative value retains all historical revisions")?
        .warns("fractional byte value \\\"1500m\\\" is invalid, must be an integer")?;
    Ok(())
}

async fn volumes_are_looked_through(site: Site) -> Outcome {
    let key = |path: &str| json!({"key": "a", "path": path});
    let name = json!({"path": "q/z", "fieldRef": {"fieldPath": "metadata.name"}});
    let sources = json!([
        {}, {"secret": {"name": "s", "items": [key("q/")]}}, {"downwardAPI": {"items": [name]}},
        {"serviceAccountToken": {"path": "q"}},
    ]);
    let preferred = json!([{"weight": 1, "preference": {"matchExpressions": [
        {"key": "a", "operator": "In", "values": ["c", "a b"]},
    ]}}]);
    let body = json!({
        "metadata": {"name": "a", "annotations": {"container.apparmor.security.beta.kubernetes.io/a": "unconfined"}},
        "spec": {
            "serviceAccountName": "default",
            "containers": [{"name": "a", "image": "b"}],
            "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
            "volumes": [
                {"name": "v", "configMap": {"name": "c", "items": [key("x"), key("x/y"), key("xy"), key("x")]}},
                {"name": "w", "projected": {"sources": sources}},
            ],
        },
    });
    let made = site.post("pods?dryRun=All", body).await?.code(201)?;
    let told = [
        "volume \\\"v\\\" (ConfigMap \\\"c\\\"): overlapping paths: \\\"x/y\\\" with \\\"x\\\"",
        "volume \\\"v\\\" (ConfigMap \\\"c\\\"): overlapping paths: \\\"x\\\" with \\\"x\\\"",
        "volume \\\"v\\\" (ConfigMap \\\"c\\\"): overlapping paths: \\\"x\\\" with \\\"x/y\\\"",
        "volume \\\"w\\\" (Projected) has no sources provided",
        "(Projected): overlapping paths: \\\"q/z\\\" (DownwardAPI) with \\\"q\\\" (Secret \\\"s\\\")",
        "(Projected): overlapping paths: \\\"q\\\" (ServiceAccountToken) with \\\"q/z\\\" (DownwardAPI)",
        "preference.matchExpressions[0].values[1]: a b is invalid, a valid label must be an empty string or consist of",
        "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the \
         \\\"appArmorProfile\\\" field instead",
    ];
    let count = made.headers.get_all("warning").iter().count();
    let made = told.iter().try_fold(made, |made, told| made.warns(told))?;
    made.check(count == told.len() + 1, "these warnings and one for the Secret's path")?;
    let mut spec = with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Always");
    spec["template"]["spec"]["terminationGracePeriodSeconds"] = json!(-1);
    let body = json!({"metadata": {"name": "a"}, "spec": spec});
    let made = site.post("apps/v1/deployments?dryRun=All", body).await?.code(201)?;
    made.is("/spec/template/spec/terminationGracePeriodSeconds", -1)?.warns(
        "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid",
    )?;
    let volume = json!({"metadata": {"name": site.unique("a")}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "beta.kubernetes.io/os", "operator": "Exists"},
        ]}]}},
    }});
    site.post("/api/v1/persistentvolumes?dryRun=All", volume).await?.code(201)?.warns(
        "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated",
    )?;
    Ok(())
}

async fn changes_that_warn(site: Site) -> Outcome {
    let mut spec = with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Always");
    spec["template"]["spec"]["nodeSelector"] = json!({"beta.kubernetes.io/os": "linux"});
    let annotated = json!({"metadata": {"annotations": {"a": "b"}}});
    let changed = json!({"spec": {"minReadySeconds": 3}});
    let templated = json!({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}});
    for (kind, warns) in [
        ("deployments", [true, true, true]),
        ("replicasets", [false, true, true]),
        ("daemonsets", [false, false, true]),
        ("statefulsets", [false, true, true]),
    ] {
        let path = format!("apps/v1/{kind}");
        let made = site.create(&path, json!({"metadata": {"name": "a"}, "spec": spec})).await?;
        made.warns("spec.template.spec.nodeSelector[beta.kubernetes.io/os]")?;
        for (change, warns) in [&annotated, &changed, &templated].into_iter().zip(warns) {
            let answer = site.patch(MERGE, &format!("{path}/a"), change.clone()).await?.code(200)?;
            let has_warning = answer.headers.contains_key("warning");
            answer.check(has_warning == warns, format!("a warning of {kind}: {warns}"))?;
        }
    }
    let ingress = json!({
        "metadata": {"name": "a", "annotations": {"kubernetes.io/ingress.class": "x"}},
        "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}},
    });
    site.create("networking.k8s.io/v1/ingresses", ingress).await?.header("warning", "is deprecated")?;
    let other = json!({"spec": {"defaultBackend": {"service": {"name": "b"}}}});
    site.patch(MERGE, "networking.k8s.io/v1/ingresses/a", other).await?.code(200)?.no_header("warning")?;
    let mut controller = spec;
    controller["selector"] = json!({"a": "b"});
    let body = json!({"metadata": {"name": "a"}, "spec": controller});
    site.create("replicationcontrollers", body).await?.warns("nodeSelector[beta.kubernetes.io/os]")?;
    let selector = json!({"beta.kubernetes.io/os": null, "beta.kubernetes.io/arch": "x"});
    let moved = json!({"spec": {"template": {"spec": {"nodeSelector": selector}}}});
    let moved = site.patch(MERGE, "replicationcontrollers/a", moved).await?.code(200)?;
    moved.warns("nodeSelector[beta.kubernetes.io/os]")?;
    Ok(())
}
