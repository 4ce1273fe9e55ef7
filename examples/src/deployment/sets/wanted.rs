//! [`Wanted`]: the template of a Deployment, which is found among sets without decoding the specs of their Pods.

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::PodTemplateSpec,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use trimtab_controller::cache::{Packed, PackedError};

use super::{images_differ, is_metadata_equal_but_for_hash, is_same};
use crate::replicaset::packed;

/// The template of a Deployment, with the text of its spec.
pub(super) struct Wanted<'a> {
    template: &'a PodTemplateSpec,
    spec: Option<&'a RawValue>,
}

impl<'a> Wanted<'a> {
    /// Reads the text of the spec. `template` is the decoded template of `cached`.
    pub(super) fn of(
        cached: &'a Packed<Deployment>,
        template: &'a PodTemplateSpec,
    ) -> Result<Self, PackedError> {
        #[derive(Deserialize)]
        struct Spec<'a> {
            #[serde(borrow)]
            template: Template<'a>,
        }

        #[derive(Deserialize)]
        struct Template<'a> {
            #[serde(borrow)]
            spec: Option<&'a RawValue>,
        }

        let Spec { template: Template { spec } } = packed::spec(cached)?;
        Ok(Self { template, spec })
    }

    /// Returns whether the template of `set` has the same content. `set` lacks the spec of its Pods, whose text is `spec`.
    ///
    /// A server writes equal specs as equal texts, and most others differ in an image. Only what is left is decoded.
    pub(super) fn is_that_of(&self, set: &ReplicaSet, spec: Option<&RawValue>) -> bool {
        let (Some(template), Some(spec)) = (&set.spec.template, spec) else {
            return is_same(self.template, set.spec.template.as_ref());
        };
        if self.spec.is_some_and(|wanted| wanted.get() == spec.get())
            && is_metadata_equal_but_for_hash(self.template, template)
        {
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

        if let Ok(Images { containers }) = serde_json::from_str(spec.get())
            && images_differ(self.template, containers.iter().map(|one| one.image.as_deref()))
        {
            return false;
        }
        let Ok(spec) = serde_json::from_str(spec.get()) else { return false };
        let whole = PodTemplateSpec { metadata: template.metadata.clone(), spec: Some(spec) };
        is_same(self.template, Some(&whole))
    }
}
