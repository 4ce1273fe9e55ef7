//! [`Project`]: the definitions and the samples in the YAML files of a folder.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 8 << 20;

/// A document of a YAML file.
#[derive(Debug)]
pub(super) struct Document {
    /// The file, from the folder of the project.
    pub(super) file: String,
    pub(super) value: Value,
}

/// The documents of a project, each content once, in the order of their files.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) definitions: Vec<Document>,
    others: Vec<Document>,
}

impl Project {
    /// Reads all files below a folder. Templates and files that are no YAML are passed over.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        list(folder, &mut files)?;
        files.sort();
        let mut project = Self::default();
        let mut seen = BTreeSet::new();
        for file in files {
            let Ok(text) = fs::read_to_string(folder.join(&file)) else { continue };
            for value in documents(&text) {
                if value["kind"].is_string()
                    && value["apiVersion"].is_string()
                    && seen.insert(value.to_string())
                {
                    project.add(Document { file: file.clone(), value });
                }
            }
        }
        Ok(project)
    }

    fn add(&mut self, document: Document) {
        let is_definition = document.value["kind"] == "CustomResourceDefinition"
            && document.value["apiVersion"] == "apiextensions.k8s.io/v1"
            && document.value["metadata"]["name"].is_string();
        if is_definition { self.definitions.push(document) } else { self.others.push(document) }
    }

    /// Returns the objects of a definition.
    pub(super) fn samples<'a>(&'a self, definition: &'a Document) -> impl Iterator<Item = &'a Document> {
        let kind = &definition.value["spec"]["names"]["kind"];
        self.others.iter().filter(move |other| {
            let version = other.value["apiVersion"].as_str().unwrap_or_default();
            other.value["kind"] == *kind
                && version.split_once('/').is_some_and(|(group, _)| group == definition.group())
        })
    }
}

impl Document {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The group that a definition declares.
    pub(super) fn group(&self) -> &str {
        self.text("/spec/group")
    }

    /// The name of a definition's objects in a path.
    pub(super) fn plural(&self) -> &str {
        self.text("/spec/names/plural")
    }

    pub(super) fn is_namespaced(&self) -> bool {
        self.text("/spec/scope") == "Namespaced"
    }

    /// The versions of a definition that are served.
    pub(super) fn served(&self) -> Vec<String> {
        let versions = self.value["spec"]["versions"].as_array().into_iter().flatten();
        let served = versions.filter(|version| version["served"] == true);
        served.filter_map(|version| version["name"].as_str()).map(str::to_owned).collect()
    }
}

/// Lists the YAML files below a folder, by their paths from it.
fn list(folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    let mut open = vec![String::new()];
    while let Some(inner) = open.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let Some(name) = name.to_str() else { continue };
            let path = if inner.is_empty() { name.to_owned() } else { format!("{inner}/{name}") };
            let is_yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && is_yaml && entry.metadata()?.len() <= LARGEST {
                files.push(path);
            }
        }
    }
    Ok(())
}

/// Returns the documents of a text that are YAML and not templates.
fn documents(text: &str) -> impl Iterator<Item = Value> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("---") {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let objects =
        documents.into_iter().filter(|document| document.contains("kind:") && !document.contains("{{"));
    objects.filter_map(|document| serde_saphyr::from_str::<Value>(&document).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_split_and_templates_are_passed_over() {
        let text =
            "# head\n---\nkind: A\n--- # second\nkind: {{ .Kind }}\n---\nkind: [broken\n---\nkind: B\na: 1\n";
        let kinds: Vec<Value> = documents(text).map(|document| document["kind"].clone()).collect();
        assert_eq!(kinds, ["A", "B"]);
    }
}
