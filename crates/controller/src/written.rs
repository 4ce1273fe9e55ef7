//! [`Written`]: the reply to a write of which little is read.

use std::{borrow::Cow, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_client::Resource;
use serde::{Deserialize, Deserializer};

/// The reply to a write of a `K`: its name, namespace, UID and version. The parser skips the rest.
///
/// For a controller that reads objects in its caches, and of a reply the version alone. Replies are a large part of what a
/// controller decodes, and whole ones have the `managedFields`, too. [`Writer::create_written`](crate::Writer::create_written)
/// returns one, and an [`Api`](kube_client::Api) of `Written<K>` sends its requests to the paths of `K`:
///
/// ```no_run
/// # use k8s_openapi::api::apps::v1::Deployment;
/// # use kube_client::{Api, Client, api::{Patch, PatchParams}};
/// # use trimtab_controller::Written;
/// # async fn run(client: Client) -> kube_client::Result<()> {
/// let api: Api<Written<Deployment>> = Api::namespaced(client, "default");
/// let status = serde_json::json!({"status": {"replicas": 3}});
/// api.patch_status("web", &PatchParams::default(), &Patch::Merge(status)).await?;
/// # Ok(())
/// # }
/// ```
///
/// The reply to a delete may be a `Status`, which has none of these.
#[derive(Debug, Clone)]
pub struct Written<K> {
    metadata: ObjectMeta,
    of: PhantomData<fn() -> K>,
}

impl<'de, K> Deserialize<'de> for Written<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Reply {
            #[serde(default)]
            kind: String,
            #[serde(default)]
            metadata: Known,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Known {
            name: Option<String>,
            namespace: Option<String>,
            uid: Option<String>,
            resource_version: Option<String>,
        }

        let Reply { kind, metadata } = Reply::deserialize(deserializer)?;
        let Known { name, namespace, uid, resource_version } =
            if kind == "Status" { Known::default() } else { metadata };
        let metadata = ObjectMeta { name, namespace, uid, resource_version, ..ObjectMeta::default() };
        Ok(Self { metadata, of: PhantomData })
    }
}

impl<K: Resource> Resource for Written<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dt)
    }

    fn api_version(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::api_version(dt)
    }

    fn plural(dt: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;

    use super::*;

    fn read(text: &str) -> ObjectMeta {
        serde_json::from_str::<Written<Pod>>(text).expect("a reply").metadata
    }

    #[test]
    fn the_version_is_read_and_fields_that_nobody_asks_for_may_be_anything() {
        let metadata = read(
            r#"{"kind": "Pod", "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7",
                "labels": 5, "managedFields": [{"fieldsV1": null}]}, "spec": "text"}"#,
        );
        let known = [metadata.name, metadata.namespace, metadata.uid, metadata.resource_version];
        assert_eq!(known.map(Option::unwrap_or_default), ["a", "n", "u", "7"]);
    }

    #[test]
    fn a_status_has_no_version_of_the_object() {
        let metadata =
            read(r#"{"kind": "Status", "metadata": {"resourceVersion": "7"}, "status": "Success"}"#);
        assert_eq!(metadata, ObjectMeta::default());
        assert_eq!(read("{}"), ObjectMeta::default());
    }

    #[test]
    fn requests_go_to_the_paths_of_the_kind() {
        assert_eq!(Written::<Pod>::url_path(&(), Some("n")), Pod::url_path(&(), Some("n")));
    }
}
