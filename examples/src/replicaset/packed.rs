//! ReplicaSets of a cache, which holds their text: what a sync decodes of them.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus},
        core::v1::PodTemplateSpec,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use kube_client::Resource;
use serde::Deserialize;
use serde_json::value::RawValue;
use trimtab_controller::cache::{Packed, PackedError, Selector};

/// A set with the text of the spec of its Pods, which is most of its text and which few syncs read.
#[derive(Deserialize)]
struct Slim<'a> {
    metadata: ObjectMeta,
    #[serde(borrow)]
    spec: SlimSpec<'a>,
    status: Option<ReplicaSetStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimSpec<'a> {
    min_ready_seconds: Option<i32>,
    replicas: Option<i32>,
    selector: LabelSelector,
    #[serde(borrow)]
    template: Option<SlimTemplate<'a>>,
}

#[derive(Deserialize)]
struct SlimTemplate<'a> {
    metadata: Option<ObjectMeta>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
}

/// Decodes a set without the spec of its Pods: that of its template is `None`. Returns the text of the spec beside it.
pub(crate) fn slim(set: &Packed<ReplicaSet>) -> Result<(ReplicaSet, Option<&str>), PackedError> {
    let Slim { metadata, spec, status } = set.read_as()?;
    let SlimSpec { min_ready_seconds, replicas, selector, template } = spec;
    let text = template.as_ref().and_then(|template| template.spec).map(RawValue::get);
    let template = template.map(|template| PodTemplateSpec { metadata: template.metadata, spec: None });
    let spec = ReplicaSetSpec { min_ready_seconds, replicas, selector, template };
    Ok((ReplicaSet { metadata, spec, status }, text))
}

/// Decodes the spec of an object as a struct with some of its fields, which may borrow from the text.
pub(crate) fn spec<'a, K, S>(object: &'a Packed<K>) -> Result<S, PackedError>
where
    K: Resource + Send + Sync + 'static,
    S: Deserialize<'a>,
{
    #[derive(Deserialize)]
    struct View<S> {
        spec: S,
    }

    object.read_as().map(|View { spec }| spec)
}

/// Decodes the template of a set.
pub(super) fn template(set: &Packed<ReplicaSet>) -> Result<PodTemplateSpec, PackedError> {
    #[derive(Deserialize)]
    struct Spec {
        template: Option<PodTemplateSpec>,
    }

    spec(set).map(|Spec { template }| template.unwrap_or_default())
}

/// Returns the text of the spec of a Deployment's Pods.
pub(crate) fn template_text(deployment: &Packed<Deployment>) -> Result<Option<&str>, PackedError> {
    #[derive(Deserialize)]
    struct Spec<'a> {
        #[serde(borrow)]
        template: SlimTemplate<'a>,
    }

    spec(deployment).map(|Spec { template }| template.spec.map(RawValue::get))
}

/// Returns the selector of a Deployment or a set; `None` if it cannot be read.
pub(crate) fn selector<K: Resource + Send + Sync + 'static>(object: &Packed<K>) -> Option<Selector> {
    #[derive(Deserialize)]
    struct Spec {
        selector: LabelSelector,
    }

    let Spec { selector } = spec(object).ok()?;
    Selector::try_from(&selector).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slim_set_lacks_the_spec_of_its_pods_and_nothing_else() {
        let labels = json!({"app": "web"});
        let text = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "web-1", "namespace": "shop", "uid": "u", "generation": 2, "annotations": {"note": "x"}},
            "spec": {
                "replicas": 3, "minReadySeconds": 5, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
            },
            "status": {"replicas": 3, "conditions": [{"type": "ReplicaFailure", "status": "True"}]},
        });
        let packed: Packed<ReplicaSet> = serde_json::from_str(&text.to_string()).expect("an object");
        let mut whole = ReplicaSet::clone(&packed.read().expect("a ReplicaSet"));
        assert_eq!(Some(template(&packed).expect("a template")), whole.spec.template);
        whole.spec.template.as_mut().expect("a template").spec = None;
        let (set, spec) = slim(&packed).expect("a ReplicaSet");
        assert_eq!(set, whole);
        assert_eq!(spec, Some(r#"{"containers":[{"image":"i","name":"c"}]}"#));
        let selector = selector(&packed).expect("a selector");
        assert!(selector.matches(|key| (key == "app").then_some("web")));
    }

    #[test]
    fn a_set_that_cannot_be_read_selects_nothing() {
        let packed: Packed<ReplicaSet> =
            serde_json::from_str(r#"{"metadata": {"name": "web-1"}, "spec": 3}"#).expect("an object");
        assert!(slim(&packed).is_err() && template(&packed).is_err() && selector(&packed).is_none());
    }
}
