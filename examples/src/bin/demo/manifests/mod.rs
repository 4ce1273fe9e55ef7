//! [`Manifest`]: the manifests of the demo, checked completely before any is applied.

mod document;

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube_client::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, GroupVersionKind, PostParams},
    core::discovery::Scope,
    discovery,
};
use trimtab_controller::cache::ObjectKey;

pub(crate) use self::document::Refused;
use self::document::{Document, Head, documents};

/// One object to apply.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) object: DynamicObject,
    pub(crate) resource: ApiResource,
    scope: Scope,
}

/// The reason why the manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{}: {error}", file.display())]
    File { file: PathBuf, error: io::Error },
    #[error("{}: no object in it", .0.display())]
    Empty(PathBuf),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("reading the kinds of the API server: {0}")]
    Discovery(#[source] kube_client::Error),
}

/// Reads every document of `files` and resolves its kind with the API server. Of a folder it reads the
/// YAML and JSON files in the order of their names. It applies nothing.
pub(crate) async fn read(client: &Client, files: &[PathBuf]) -> Result<Vec<Manifest>, ReadError> {
    let mut manifests = Vec::new();
    let mut places = HashMap::new();
    for file in expand(files)? {
        let text =
            fs::read_to_string(&file).map_err(|error| ReadError::File { file: file.clone(), error })?;
        let documents = documents(&file, &text);
        if documents.is_empty() {
            return Err(ReadError::Empty(file));
        }
        for document in documents {
            let head = document.check()?;
            let (resource, scope) = resolve(client, &document, &head).await?;
            let manifest = Manifest { object: document.parse()?, resource, scope };
            if let Some(first) = places.insert(manifest.identity(), document.place.clone()) {
                let reason = format!("{} is declared already: {first}", manifest.describe());
                return Err(document.refuse(head.name_line, reason).into());
            }
            manifests.push(manifest);
        }
    }
    Ok(manifests)
}

/// Resolves the document's kind with the server's discovery.
async fn resolve(
    client: &Client,
    document: &Document<'_>,
    head: &Head,
) -> Result<(ApiResource, Scope), ReadError> {
    let (group, version) = head.api_version.split_once('/').unwrap_or(("", &head.api_version));
    let wanted = GroupVersionKind::gvk(group, version, &head.kind);
    match discovery::pinned_kind(client, &wanted).await {
        Ok((resource, capabilities)) => Ok((resource, capabilities.scope)),
        Err(kube_client::Error::Api(status)) if status.code != 404 => {
            Err(ReadError::Discovery(kube_client::Error::Api(status)))
        }
        Err(kube_client::Error::Api(_) | kube_client::Error::Discovery(_)) => {
            let reason = format!("unknown kind {} in {}", head.kind, head.api_version);
            Err(document.refuse(head.kind_line, reason).into())
        }
        Err(error) => Err(ReadError::Discovery(error)),
    }
}

/// Replaces a folder by the manifest files in it.
fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut expanded = Vec::new();
    for file in files {
        let failed = |error| ReadError::File { file: file.clone(), error };
        if !fs::metadata(file).map_err(failed)?.is_dir() {
            expanded.push(file.clone());
            continue;
        }
        let entries = fs::read_dir(file).map_err(failed)?;
        let mut inside =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        inside.retain(|path| is_manifest(path));
        if inside.is_empty() {
            return Err(ReadError::Empty(file.clone()));
        }
        inside.sort();
        expanded.append(&mut inside);
    }
    Ok(expanded)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
}

/// Returns the keys of the ReplicaSets among the manifests.
pub(crate) fn sets(manifests: &[Manifest]) -> BTreeSet<ObjectKey> {
    manifests.iter().filter(|manifest| manifest.is_a::<ReplicaSet>()).map(Manifest::key).collect()
}

impl Manifest {
    /// Creates an object of this kind and name without other fields.
    pub(crate) fn named<K: Resource<DynamicType = ()>>(key: &ObjectKey) -> Self {
        let resource = ApiResource::erase::<K>(&());
        let object = DynamicObject::new(key.name(), &resource);
        match key.namespace() {
            Some(namespace) => Self { object: object.within(namespace), resource, scope: Scope::Namespaced },
            None => Self { object, resource, scope: Scope::Cluster },
        }
    }

    /// `Kind namespace/name`, for messages.
    pub(crate) fn describe(&self) -> String {
        format!("{} {}", self.resource.kind, self.key())
    }

    /// Returns the object's key on the server: an object without a namespace goes to `default`.
    pub(crate) fn key(&self) -> ObjectKey {
        ObjectKey::namespaced(self.namespace().unwrap_or_default(), self.name())
    }

    pub(crate) fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    /// Returns the object's namespace on the server; `None` if its kind is cluster-scoped.
    pub(crate) fn namespace(&self) -> Option<&str> {
        let namespaced = matches!(self.scope, Scope::Namespaced);
        namespaced.then(|| self.object.metadata.namespace.as_deref().unwrap_or("default"))
    }

    /// Returns whether it declares an object of this kind.
    pub(crate) fn is_a<K: Resource<DynamicType = ()>>(&self) -> bool {
        self.resource.kind == K::kind(&()) && self.resource.group == K::group(&())
    }

    /// Returns the identity of the object in a cluster; it is the same for all versions of its kind.
    fn identity(&self) -> (String, String, ObjectKey) {
        (self.resource.group.clone(), self.resource.kind.clone(), self.key())
    }

    /// Returns the API for objects of this kind and namespace.
    pub(crate) fn api(&self, client: Client) -> Api<DynamicObject> {
        match self.namespace() {
            Some(namespace) => Api::namespaced_with(client, namespace, &self.resource),
            None => Api::all_with(client, &self.resource),
        }
    }

    /// Reads the object from the server, if it exists.
    pub(crate) async fn find(&self, client: Client) -> Result<Option<DynamicObject>, kube_client::Error> {
        self.api(client).get_opt(self.name()).await
    }

    /// Creates the object.
    pub(crate) async fn create(&self, client: Client) -> Result<DynamicObject, kube_client::Error> {
        self.api(client).create(&PostParams::default(), &self.object).await
    }
}

#[cfg(test)]
mod tests {
    use trimtab_apiserver::ApiServer;

    use super::*;

    async fn read_text(name: &str, text: &str) -> Result<Vec<Manifest>, String> {
        let file = std::env::temp_dir().join(format!("{name}-{}.yaml", std::process::id()));
        fs::write(&file, text).expect("a file");
        let server = ApiServer::start();
        let read = read(&server.client(), std::slice::from_ref(&file)).await;
        fs::remove_file(&file).expect("the file");
        read.map_err(|error| error.to_string().replace(&*file.to_string_lossy(), "file"))
    }

    fn refusal(read: Result<Vec<Manifest>, String>) -> String {
        read.err().expect("a refusal")
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_without_an_object_is_refused() {
        assert_eq!(refusal(read_text("empty", "# nothing\n").await), "file: no object in it");
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_is_declared_twice_is_refused_with_both_places() {
        let text = "--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n--- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: default}}\n";
        let said = refusal(read_text("twice", text).await);
        assert_eq!(
            said,
            "file: document 2, line 2: Pod default/a is declared already: file: document 1, line 1"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_kind_is_refused_at_its_line() {
        let text = "apiVersion: v1\nkind: Pot\nmetadata: {name: a}\n";
        let said = refusal(read_text("unknown", text).await);
        assert_eq!(said, "file: document 1, line 2: unknown kind Pot in v1");
    }
}
