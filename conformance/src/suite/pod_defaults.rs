//! Defaults of Pods, with what admission adds to them.

use crate::answer::Answer;
use crate::case::{Case, Outcome, case};
use crate::objects::pod;
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(limit_ranges)
            .rule("A LimitRange gives containers what they leave out, and bounds what they ask for.")
            .source("kubernetes/test/e2e/scheduling/limit_range.go"),
        case(a_runtime_class_is_there)
            .rule("A Pod of a RuntimeClass that there is not is refused.")
            .source("kubernetes/test/e2e/common/node/runtimeclass.go"),
        case(a_pods_defaults).rule("A Pod's defaults.").source("core/v1: SetDefaults_PodSpec"),
        case(a_containers_defaults).rule("A container's defaults.").source("core/v1: SetDefaults_Container"),
        case(latest_is_always_pulled)
            .rule("An image without a tag, or with `latest`, is always pulled.")
            .source("core/v1: SetDefaults_Container"),
        case(limits_are_requests)
            .rule("Limits are requests where there are none.")
            .source("core/v1: SetDefaults_Pod"),
        case(pods_tolerate_for_a_while)
            .rule("Every Pod tolerates nodes that are not ready or unreachable for five minutes.")
            .source("admission: DefaultTolerationSeconds"),
        case(a_probes_defaults)
            .rule("A port's protocol is TCP; probes have their numbers.")
            .source("core/v1: SetDefaults_Probe"),
        case(a_volumes_defaults).rule("Volumes' modes and kinds.").source("core/v1: SetDefaults_Volume"),
    ]
}

async fn limit_ranges(site: Site) -> Outcome {
    let limits = json!([{
        "type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m"},
        "min": {"cpu": "50m"}, "max": {"cpu": "500m"},
    }]);
    site.create("limitranges", json!({"metadata": {"name": "l"}, "spec": {"limits": limits}})).await?;
    let with = |name: &str, resources: Value| {
        let mut body = pod(name);
        body["spec"]["containers"][0]["resources"] = resources;
        body
    };
    let limited = |answer: &Answer| {
        answer.status == 201 && answer.at("/spec/containers/0/resources/limits/cpu") == "500m"
    };
    // kube-apiserver reads the ranges of a namespace from its cache.
    site.eventually_made("pods", |number| with(&format!("a{number}"), json!({})), limited)
        .await?
        .is("/spec/containers/0/resources/requests/cpu", "100m")?
        .mentions(
            "/metadata/annotations/kubernetes.io~1limit-ranger",
            "LimitRanger plugin set: cpu request for container",
        )?;
    site.post("pods", with("b", json!({"limits": {"cpu": "600m"}})))
        .await?
        .refused(403, "Forbidden")?
        .mentions("/message", "maximum cpu usage per Container is 500m, but limit is 600m")?;
    site.post("pods", with("c", json!({"requests": {"cpu": "10m"}})))
        .await?
        .refused(403, "Forbidden")?
        .mentions("/message", "minimum cpu usage per Container is 50m, but request is 10m")?;
    Ok(())
}

async fn a_runtime_class_is_there(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["runtimeClassName"] = json!("there-is-no-such");
    site.post("pods", body)
        .await?
        .refused(403, "Forbidden")?
        .mentions("/message", "RuntimeClass \"there-is-no-such\" not found")?;
    Ok(())
}

async fn a_pods_defaults(site: Site) -> Outcome {
    site.create("pods", pod("a"))
        .await?
        .is("/spec/restartPolicy", "Always")?
        .is("/spec/dnsPolicy", "ClusterFirst")?
        .is("/spec/terminationGracePeriodSeconds", 30)?
        .is("/spec/schedulerName", "default-scheduler")?
        .is("/spec/securityContext", json!({}))?
        .is("/spec/enableServiceLinks", true)?
        .is("/spec/preemptionPolicy", "PreemptLowerPriority")?
        .is("/spec/priority", 0)?
        .is("/status/phase", "Pending")?
        .is("/status/qosClass", "BestEffort")?;
    Ok(())
}

async fn a_containers_defaults(site: Site) -> Outcome {
    site.create("pods", pod("a"))
        .await?
        .is("/spec/containers/0/imagePullPolicy", "IfNotPresent")?
        .is("/spec/containers/0/terminationMessagePath", "/dev/termination-log")?
        .is("/spec/containers/0/terminationMessagePolicy", "File")?
        .is("/spec/containers/0/resources", json!({}))?;
    Ok(())
}

async fn latest_is_always_pulled(site: Site) -> Outcome {
    for (name, image, policy) in [
        ("a", "app", "Always"),
        ("b", "app:latest", "Always"),
        ("c", "app:2", "IfNotPresent"),
        ("d", "registry.example.com:5000/app", "Always"),
    ] {
        let mut body = pod(name);
        body["spec"]["containers"][0]["image"] = json!(image);
        site.create("pods", body).await?.is("/spec/containers/0/imagePullPolicy", policy)?;
    }
    Ok(())
}

async fn limits_are_requests(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    site.create("pods", body)
        .await?
        .is("/spec/containers/0/resources/requests", json!({"cpu": "1", "memory": "1Gi"}))?
        .is("/status/qosClass", "Guaranteed")?;
    Ok(())
}

async fn pods_tolerate_for_a_while(site: Site) -> Outcome {
    let made = site.create("pods", pod("a")).await?;
    let tolerated = |key: &str| {
        made.list("/spec/tolerations").iter().any(|one| one["key"] == key && one["tolerationSeconds"] == 300)
    };
    let both = tolerated("node.kubernetes.io/not-ready") && tolerated("node.kubernetes.io/unreachable");
    made.check(both, "both tolerations for 300 s")?;
    Ok(())
}

async fn a_probes_defaults(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    body["spec"]["containers"][0]["livenessProbe"] = json!({"httpGet": {"port": 80}});
    let probe = "/spec/containers/0/livenessProbe";
    site.create("pods", body)
        .await?
        .is("/spec/containers/0/ports/0/protocol", "TCP")?
        .is(&format!("{probe}/timeoutSeconds"), 1)?
        .is(&format!("{probe}/periodSeconds"), 10)?
        .is(&format!("{probe}/successThreshold"), 1)?
        .is(&format!("{probe}/failureThreshold"), 3)?
        .is(&format!("{probe}/httpGet/path"), "/")?
        .is(&format!("{probe}/httpGet/scheme"), "HTTP")?;
    Ok(())
}

async fn a_volumes_defaults(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["volumes"] = json!([
        {"name": "c", "configMap": {"name": "c"}},
        {"name": "s", "secret": {"secretName": "s"}},
        {"name": "e"},
    ]);
    site.create("pods", body)
        .await?
        .is("/spec/volumes/0/configMap/defaultMode", 420)?
        .is("/spec/volumes/1/secret/defaultMode", 420)?
        .is("/spec/volumes/2/emptyDir", json!({}))?;
    Ok(())
}
