//! [`is_same_template`] and [`TemplateMatcher`]: the ReplicaSet with a Deployment's template is found by the template's content.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde::Deserialize;
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

/// The label of a ReplicaSet and of its Pods with the hash of their template.
pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// Compares templates with one, and decodes few of their specs for it.
///
/// For a controller whose cache holds objects as text: most comparisons need only the texts of two specs, or their images.
#[derive(Debug, Clone, Copy)]
pub struct TemplateMatcher<'a> {
    template: &'a PodTemplateSpec,
    spec: Option<&'a str>,
}

impl<'a> TemplateMatcher<'a> {
    /// Creates a matcher of `template`, whose spec as text is `spec`.
    pub fn new(template: &'a PodTemplateSpec, spec: Option<&'a str>) -> Self {
        Self { template, spec }
    }

    /// Returns whether `template` has the same content, as [`is_same_template`] says. Its spec may be absent if `spec` is the
    /// text of it.
    ///
    /// A server writes equal specs as equal texts, and most others differ in an image. Only what is left is decoded.
    pub fn matches(&self, template: Option<&PodTemplateSpec>, spec: Option<&str>) -> bool {
        let (Some(template), Some(spec)) = (template, spec) else {
            return is_same_template(self.template, template);
        };
        if self.spec == Some(spec) && is_metadata_equal_but_for_hash(self.template, template) {
            return true;
        }
        #[derive(Deserialize)]
        struct Images {
            containers: Vec<Image>,
        }

        #[derive(Deserialize)]
        struct Image {
            image: Option<String>,
        }

        if let Ok(Images { containers }) = serde_json::from_str(spec)
            && images_differ(self.template, containers.iter().map(|one| one.image.as_deref()))
        {
            return false;
        }
        let Ok(spec) = serde_json::from_str(spec) else { return false };
        let whole = PodTemplateSpec { metadata: template.metadata.clone(), spec: Some(spec) };
        is_same_template(self.template, Some(&whole))
    }
}

/// Returns whether two templates have the same content: upstream's `EqualIgnoreHash`. The label with the hash, absent fields
/// and empty ones do not count.
///
/// Most are equal in every field, or differ in an image. Only others are compared by their JSON.
pub fn is_same_template(wanted: &PodTemplateSpec, template: Option<&PodTemplateSpec>) -> bool {
    let Some(template) = template else { return Content::of(Some(wanted)) == Content::of(None) };
    let images = template.spec.as_ref().map(|spec| spec.containers.iter().map(|one| one.image.as_deref()));
    !images.is_some_and(|images| images_differ(wanted, images))
        && (wanted.spec == template.spec && is_metadata_equal_but_for_hash(wanted, template)
            || Content::of(Some(wanted)) == Content::of(Some(template)))
}

/// Returns whether a container of a template has another image than that of the same place in another template.
fn images_differ<'a>(
    template: &PodTemplateSpec,
    others: impl ExactSizeIterator<Item = Option<&'a str>>,
) -> bool {
    let Some(spec) = template.spec.as_ref().filter(|spec| spec.containers.len() == others.len()) else {
        return false;
    };
    let mut pairs = spec.containers.iter().map(|container| container.image.as_deref()).zip(others);
    pairs.any(|(one, other)| one.is_some() && other.is_some() && one != other)
}

fn is_metadata_equal_but_for_hash(one: &PodTemplateSpec, other: &PodTemplateSpec) -> bool {
    let without_hash = |template: &PodTemplateSpec| {
        let mut metadata = template.metadata.clone()?;
        metadata.labels.get_or_insert_default().remove(POD_TEMPLATE_HASH);
        Some(metadata)
    };
    without_hash(one) == without_hash(other)
}

/// The content of a template: two are equal if upstream's semantic comparison says so. The label with the hash, absent and
/// empty fields do not count.
#[derive(Debug, PartialEq)]
struct Content(Value);

impl Content {
    fn of(template: Option<&PodTemplateSpec>) -> Self {
        let mut content = serde_json::to_value(template).unwrap_or_default();
        if let Some(labels) = content.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(POD_TEMPLATE_HASH);
        }
        drop_empty(&mut content);
        Self(content)
    }
}

/// Removes members that are null or an empty list, and empty maps that say nothing.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(drop_empty);
            members.retain(|name, value| {
                // Any other empty map is a choice: `emptyDir: {}`.
                let is_choice = !["metadata", "labels", "annotations", "nodeSelector"].contains(&&**name);
                !value.is_null() && *value != json!([]) && (is_choice || *value != json!({}))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}
