//! [`pod_from_template`]: a Pod of an owner of replicas.

use k8s_openapi::{
    api::core::v1::{Pod, PodTemplateSpec},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

/// Builds a Pod from a template: upstream's `GetPodFromTemplate`. The server completes the name, which begins with that of
/// the owner; [`set_controller_reference`](crate::set_controller_reference) makes the Pod a dependent.
///
/// The Pod gets the template's labels, annotations and finalizers. It does not get a name in the template: the server would
/// refuse all Pods but the first.
///
/// ```
/// use k8s_openapi::api::core::v1::PodTemplateSpec;
/// use trimtab_ownership::pods::pod_from_template;
///
/// let pod = pod_from_template("web", &PodTemplateSpec::default());
/// assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
/// ```
pub fn pod_from_template(owner: &str, template: &PodTemplateSpec) -> Pod {
    let PodTemplateSpec { metadata, spec } = template.clone();
    let ObjectMeta { labels, annotations, finalizers, .. } = metadata.unwrap_or_default();
    let generate_name = Some(format!("{owner}-"));
    let metadata = ObjectMeta { generate_name, labels, annotations, finalizers, ..ObjectMeta::default() };
    Pod { metadata, spec, status: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_has_the_fields_of_its_template_but_no_name() {
        let metadata = json!({
            "labels": {"app": "web"}, "annotations": {"note": "x"}, "finalizers": ["example.com/f"], "name": "web-1",
            "namespace": "elsewhere",
        });
        let spec = json!({"containers": [{"name": "c", "image": "i"}]});
        let template = json!({"metadata": metadata, "spec": spec});
        let template: PodTemplateSpec = serde_json::from_value(template).expect("a template");
        let pod = serde_json::to_value(pod_from_template("web", &template)).expect("JSON");
        let metadata = json!({
            "generateName": "web-", "labels": {"app": "web"}, "annotations": {"note": "x"},
            "finalizers": ["example.com/f"],
        });
        assert_eq!(pod, json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}));
    }
}
