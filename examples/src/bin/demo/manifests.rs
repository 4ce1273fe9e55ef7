//! The manifests that the demo applies: read, checked whole, and refused with file, document and line.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube_client::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
    core::discovery::Scope,
    discovery,
};
use serde::Deserialize;
use serde_saphyr::Spanned;
use trimtab_controller::cache::Selector;

/// One object to apply.
pub(crate) struct Manifest {
    pub(crate) object: DynamicObject,
    pub(crate) resource: ApiResource,
    scope: Scope,
}

/// A manifest that cannot be applied: where it stands, and why.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub(crate) struct Refused {
    place: Place,
    reason: String,
}

/// A place in a manifest file; documents and lines count from 1.
#[derive(Debug, Clone)]
struct Place {
    file: PathBuf,
    document: usize,
    line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: document {}, line {}", self.file.display(), self.document, self.line)
    }
}

/// Why the manifests were not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{}: {error}", file.display())]
    File { file: PathBuf, error: io::Error },
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("asking the API server which kinds it knows: {0}")]
    Discovery(#[source] kube_client::Error),
}

/// Reads every document of `files` (of a folder: its YAML and JSON files by name), and resolves its
/// kind with the API server. Nothing is applied.
pub(crate) async fn read(client: &Client, files: &[PathBuf]) -> Result<Vec<Manifest>, ReadError> {
    let mut manifests = Vec::new();
    for file in expand(files)? {
        let text =
            fs::read_to_string(&file).map_err(|error| ReadError::File { file: file.clone(), error })?;
        for document in documents(&file, &text) {
            let head = document.check()?;
            let (resource, scope) = document.resolve(client, &head).await?;
            let object = document.parse()?;
            manifests.push(Manifest { object, resource, scope });
        }
    }
    Ok(manifests)
}

impl Manifest {
    /// `Kind namespace/name`, for messages.
    pub(crate) fn describe(&self) -> String {
        let name = self.object.metadata.name.as_deref().unwrap_or_default();
        match self.namespace() {
            Some(namespace) => format!("{} {namespace}/{name}", self.resource.kind),
            None => format!("{} {name}", self.resource.kind),
        }
    }

    /// The namespace that the object goes to; `None` if its kind is cluster-scoped.
    pub(crate) fn namespace(&self) -> Option<&str> {
        let namespaced = matches!(self.scope, Scope::Namespaced);
        namespaced.then(|| self.object.metadata.namespace.as_deref().unwrap_or("default"))
    }

    /// Whether `object` is the one that this declares.
    pub(crate) fn is<K: Resource<DynamicType = ()>>(&self, object: &K) -> bool {
        let metadata = object.meta();
        self.resource.kind == K::kind(&())
            && self.object.metadata.name == metadata.name
            && self.namespace() == metadata.namespace.as_deref()
    }

    /// Where objects of this kind and namespace are read and written.
    pub(crate) fn api(&self, client: Client) -> Api<DynamicObject> {
        match self.namespace() {
            Some(namespace) => Api::namespaced_with(client, namespace, &self.resource),
            None => Api::all_with(client, &self.resource),
        }
    }

    /// Creates the object, or changes the one of that name to be as declared.
    pub(crate) async fn apply(&self, client: &Client) -> Result<(), kube_client::Error> {
        let api = self.api(client.clone());
        match api.create(&PostParams::default(), &self.object).await {
            Err(kube_client::Error::Api(status)) if status.code == 409 => {
                let name = self.object.metadata.name.as_deref().unwrap_or_default();
                api.patch(name, &PatchParams::default(), &Patch::Merge(&self.object)).await.map(drop)
            }
            created => created.map(drop),
        }
    }
}

/// A folder stands for the manifests in it.
fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut expanded = Vec::new();
    for file in files {
        let failed = |error| ReadError::File { file: file.clone(), error };
        if fs::metadata(file).map_err(failed)?.is_dir() {
            let entries = fs::read_dir(file).map_err(failed)?;
            let mut inside =
                entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(failed)?;
            inside.retain(|path| {
                path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
            });
            inside.sort();
            expanded.append(&mut inside);
        } else {
            expanded.push(file.clone());
        }
    }
    Ok(expanded)
}

/// One YAML document, and where it begins.
struct Document<'a> {
    place: Place,
    text: &'a str,
}

/// Splits at lines that are `---`; documents of blank lines and comments do not count.
fn documents<'a>(file: &Path, text: &'a str) -> Vec<Document<'a>> {
    let mut documents = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let mut end = 0;
    let mut close = |range: std::ops::Range<usize>, line| {
        let text: &str = &text[range];
        if text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
            let place = Place { file: file.to_owned(), document: documents.len() + 1, line };
            documents.push(Document { place, text });
        }
    };
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        if content.trim_end() == "---" || content.starts_with("--- ") {
            close(start..end, first_line);
            (start, first_line) = (end + content.len(), line + 1);
        }
        end += content.len();
    }
    close(start..end, first_line);
    documents
}

/// The fields that are checked before anything is applied, with their places.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    metadata: Option<Spanned<Name>>,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: Option<String>,
}

/// Of a kind that selects Pods: the selector, and the labels that its template gives them.
#[derive(Debug, Deserialize)]
struct Workload {
    spec: Selecting,
}

#[derive(Debug, Deserialize)]
struct Selecting {
    selector: Spanned<LabelSelector>,
    template: Template,
}

#[derive(Debug, Deserialize)]
struct Template {
    #[serde(default)]
    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
}

impl Document<'_> {
    /// Refuses what no server would take: not YAML, no kind, no name, a selector that does not match
    /// the set's own Pods.
    fn check(&self) -> Result<Head, Refused> {
        let head: Head = self.yaml()?;
        if head.api_version.is_none() {
            return Err(self.refuse(1, "has no apiVersion"));
        }
        let Some(kind) = &head.kind else {
            return Err(self.refuse(1, "has no kind"));
        };
        match &head.metadata {
            None => return Err(self.refuse(kind.referenced.line(), "has no metadata.name")),
            Some(metadata) if metadata.value.name.as_deref().unwrap_or_default().is_empty() => {
                return Err(self.refuse(metadata.referenced.line(), "has no metadata.name"));
            }
            Some(_) => {}
        }
        if matches!(kind.value.as_str(), "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet") {
            self.check_selector()?;
        }
        Ok(head)
    }

    fn check_selector(&self) -> Result<(), Refused> {
        let Selecting { selector, template } = self.yaml::<Workload>()?.spec;
        let line = selector.referenced.line();
        let parsed = Selector::try_from(&selector.value)
            .map_err(|error| self.refuse(line, format!("spec.selector: {error}")))?;
        if parsed.matches_object(&template.metadata) {
            Ok(())
        } else {
            let labels = template.metadata.labels.unwrap_or_default();
            let reason = format!("spec.selector `{parsed}` does not match the template's labels {labels:?}");
            Err(self.refuse(line, reason))
        }
    }

    async fn resolve(&self, client: &Client, head: &Head) -> Result<(ApiResource, Scope), ReadError> {
        let (Some(version), Some(kind)) = (&head.api_version, &head.kind) else {
            return Err(self.refuse(1, "has no kind").into());
        };
        let (group, served) = version.value.split_once('/').unwrap_or(("", &version.value));
        let wanted = GroupVersionKind::gvk(group, served, &kind.value);
        match discovery::pinned_kind(client, &wanted).await {
            Ok((resource, capabilities)) => Ok((resource, capabilities.scope)),
            Err(kube_client::Error::Api(status)) if status.code != 404 => {
                Err(ReadError::Discovery(kube_client::Error::Api(status)))
            }
            Err(kube_client::Error::Api(_) | kube_client::Error::Discovery(_)) => {
                let reason = format!("unknown kind {} in {}", kind.value, version.value);
                Err(self.refuse(kind.referenced.line(), reason).into())
            }
            Err(error) => Err(ReadError::Discovery(error)),
        }
    }

    fn parse(&self) -> Result<DynamicObject, Refused> {
        self.yaml()
    }

    fn yaml<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_saphyr::from_str(self.text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            let said = error.to_string();
            let said = said.lines().next().unwrap_or_default();
            // The parser's own place counts within the document; ours is given before.
            let reason = said.split_once(" column ").and_then(|(_, rest)| rest.split_once(": "));
            let said = reason.map_or(said, |(_, reason)| reason);
            self.refuse(line.max(1), format!("not a manifest: {said}"))
        })
    }

    /// `line` counts within the document.
    fn refuse(&self, line: u64, reason: impl Into<String>) -> Refused {
        let place = Place { line: self.place.line + line.max(1) - 1, ..self.place.clone() };
        Refused { place, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let file = Path::new("sets.yaml");
        let refused = documents(file, text).iter().find_map(|document| document.check().err());
        refused.expect("a refusal").to_string()
    }

    #[test]
    fn a_refusal_names_file_document_line_and_reason() {
        let named = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";
        let nameless =
            format!("# first\n---\n{named}---\nkind: Pod\napiVersion: v1\nmetadata:\n  labels: {{}}\n");
        assert_eq!(refusal(&nameless), "sets.yaml: document 2, line 11: has no metadata.name");
        assert_eq!(refusal("kind: Pod\n"), "sets.yaml: document 1, line 1: has no apiVersion");
        let broken = refusal(&format!("{named}---\nkind: [\n"));
        assert!(broken.starts_with("sets.yaml: document 2, line "), "{broken}");
        assert!(broken.contains("not a manifest"), "{broken}");
    }

    #[test]
    fn a_selector_that_misses_its_template_is_refused_at_its_line() {
        let text = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec:\n  selector:\n    matchLabels: {app: a}\n  \
                    template: {metadata: {labels: {app: b}}}\n";
        let said = refusal(text);
        assert!(said.starts_with("sets.yaml: document 1, line 6: spec.selector"), "{said}");
        assert!(said.contains("does not match"), "{said}");
    }
}
