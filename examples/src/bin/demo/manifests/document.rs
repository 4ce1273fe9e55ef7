//! [`Document`]: one document of a manifest file, checked before anything is applied.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube_client::api::DynamicObject;
use serde::{Deserialize, de::DeserializeOwned};
use serde_saphyr::{DefaultMessageFormatter, MessageFormatter, Spanned};
use trimtab_controller::cache::{Metadata, Selector};

/// One YAML document and its position.
pub(super) struct Document<'a> {
    pub(super) place: Place,
    text: &'a str,
}

/// A position in a manifest file; documents and lines count from 1.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: PathBuf,
    document: usize,
    line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: document {}, line {}", self.file.display(), self.document, self.line)
    }
}

/// A manifest that cannot be applied, with its position and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {reason}")]
pub(crate) struct Refused {
    place: Place,
    reason: String,
}

/// The required fields of a manifest, with their lines within the document.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) kind_line: u64,
    pub(super) name_line: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    api_version: Option<String>,
    kind: Option<Spanned<String>>,
    metadata: Option<Spanned<Name>>,
}

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

/// For a kind that selects Pods: the selector, and the labels of the template.
#[derive(Deserialize)]
struct Workload {
    spec: Selecting,
}

#[derive(Deserialize)]
struct Selecting {
    selector: Spanned<LabelSelector>,
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: ObjectMeta,
}

/// Splits at `---` and keeps the rest of that line. Documents without content are skipped.
pub(super) fn documents<'a>(file: &Path, text: &'a str) -> Vec<Document<'a>> {
    let mut documents = Vec::new();
    let mut close = |text: &'a str, line| {
        if text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with('#')) {
            let place = Place { file: file.to_owned(), document: documents.len() + 1, line };
            documents.push(Document { place, text });
        }
    };
    let (mut start, mut first_line) = (0, 1);
    let mut at = 0;
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        if let Some(rest) = content
            .strip_prefix("---")
            .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        {
            close(&text[start..at], first_line);
            let is_alone = rest.trim().is_empty();
            (start, first_line) = if is_alone { (at + content.len(), line + 1) } else { (at + 3, line) };
        }
        at += content.len();
    }
    close(&text[start..], first_line);
    documents
}

impl Document<'_> {
    /// Refuses documents that every server refuses: invalid YAML, no kind, no name, a selector that does
    /// not match the set's own Pods.
    pub(super) fn check(&self) -> Result<Head, Refused> {
        let fields: Fields = self.yaml()?;
        let api_version = fields.api_version.ok_or_else(|| self.refuse(1, "has no apiVersion"))?;
        let kind = fields.kind.ok_or_else(|| self.refuse(1, "has no kind"))?;
        let kind_line = kind.referenced.line();
        let name_line = fields.metadata.as_ref().map_or(kind_line, |metadata| metadata.referenced.line());
        let name = fields.metadata.and_then(|metadata| metadata.value.name);
        if name.is_none_or(|name| name.is_empty()) {
            return Err(self.refuse(name_line, "has no metadata.name"));
        }
        if matches!(kind.value.as_str(), "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet") {
            self.check_selector()?;
        }
        Ok(Head { api_version, kind: kind.value, kind_line, name_line })
    }

    fn check_selector(&self) -> Result<(), Refused> {
        let Selecting { selector, template } = self.yaml::<Workload>()?.spec;
        let line = selector.referenced.line();
        let parsed = Selector::try_from(&selector.value)
            .map_err(|error| self.refuse(line, format!("spec.selector: {error}")))?;
        if template.metadata.matches(&parsed) {
            return Ok(());
        }
        let labels = template.metadata.labels.unwrap_or_default();
        let reason = format!("spec.selector `{parsed}` does not match the template's labels {labels:?}");
        Err(self.refuse(line, reason))
    }

    pub(super) fn parse(&self) -> Result<DynamicObject, Refused> {
        self.yaml()
    }

    fn yaml<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_saphyr::from_str(self.text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            // The parser's position is left out: it counts within the document, and ours comes first.
            let said = DefaultMessageFormatter.format_message(error.without_snippet());
            self.refuse(line, format!("not a manifest: {}", said.replace(char::is_control, " ")))
        })
    }

    /// `line` counts within the document.
    pub(super) fn refuse(&self, line: u64, reason: impl Into<String>) -> Refused {
        let place = Place { line: self.place.line + line.max(1) - 1, ..self.place.clone() };
        Refused { place, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n";

    fn refusal(text: &str) -> String {
        let file = Path::new("sets.yaml");
        let refused = documents(file, text).iter().find_map(|document| document.check().err());
        refused.expect("a refusal").to_string()
    }

    #[test]
    fn a_refusal_names_file_document_line_and_reason() {
        let nameless =
            format!("# first\n---\n{POD}---\nkind: Pod\napiVersion: v1\nmetadata:\n  labels: {{}}\n");
        assert_eq!(refusal(&nameless), "sets.yaml: document 2, line 11: has no metadata.name");
        assert_eq!(refusal("kind: Pod\n"), "sets.yaml: document 1, line 1: has no apiVersion");
        assert_eq!(refusal("apiVersion: v1\n"), "sets.yaml: document 1, line 1: has no kind");
        assert_eq!(
            refusal(&format!("{POD}---\nmetadata: {{\n")),
            "sets.yaml: document 2, line 6: not a manifest: unclosed bracket '{'"
        );
        assert_eq!(
            refusal(&format!("{POD}---\napiVersion: v1\nkind: [Pod]\n")),
            "sets.yaml: document 2, line 7: not a manifest: expected string scalar"
        );
    }

    #[test]
    fn a_selector_that_misses_its_template_is_refused_at_its_line() {
        let text = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec:\n  selector:\n    matchLabels: {app: a}\n  \
                    template: {metadata: {labels: {app: b}}}\n";
        let said = refusal(text);
        assert!(said.starts_with("sets.yaml: document 1, line 6: spec.selector"), "{said}");
        assert!(said.contains("does not match"), "{said}");
    }

    #[test]
    fn a_document_may_begin_on_the_line_of_its_separator() {
        let text = format!(
            "--- {{apiVersion: v1, kind: Pod, metadata: {{name: a}}}}\n---\n{POD}--- # the last\n---- no\n"
        );
        let documents = documents(Path::new("pods.yaml"), &text);
        let places: Vec<_> =
            documents.iter().map(|document| (document.place.document, document.place.line)).collect();
        assert_eq!(places, [(1, 1), (2, 3), (3, 7)]);
        assert_eq!(documents[0].check().expect("a Pod").kind, "Pod");
        assert_eq!(documents[1].check().expect("a Pod").name_line, 4);
    }

    #[test]
    fn blank_documents_do_not_count() {
        assert_eq!(documents(Path::new("none.yaml"), "\n# nothing\n---\n---\r\n  \n").len(), 0);
    }
}
