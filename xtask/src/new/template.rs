//! The template of a package: its files, its placeholders, and the names that may stand for them.
//!
//! The placeholders are those of cargo-generate, which fills in the same files.

use crate::failure::{Failure, While};
use std::path::{Path, PathBuf};

/// The files of cargo-generate alone.
const NOT_COPIED: &str = "cargo-generate.toml";
/// The source of a crate of Trimtab in the template's manifest.
const BY_GIT: &str = "git = \"https://github.com/trimtab-rs/trimtab\"";

/// The names that stand for the placeholders.
#[derive(Debug)]
pub(crate) struct Names {
    name: String,
    kind: String,
    group: String,
}

impl Names {
    /// The defaults, also of `cargo-generate.toml`.
    pub(crate) const KIND: &str = "App";
    pub(crate) const GROUP: &str = "example.com";

    /// Checks the names.
    ///
    /// # Errors
    ///
    /// The reason why cargo or a cluster would refuse one of them.
    pub(crate) fn new(name: &str, kind: &str, group: &str) -> Result<Self, Failure> {
        let refused = |text: &str, expected: &str| Err(Failure::new(format!("{text:?} is no {expected}")));
        if !is_label(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) || is_reserved(name)
        {
            return refused(
                name,
                "name of an operator: it names a package and a namespace, so take at most 63 lower-case letters, \
                 digits and dashes, no word of Rust and no crate of the template, such as app-operator",
            );
        }
        let is_camel = kind.starts_with(|first: char| first.is_ascii_uppercase())
            && kind.chars().all(|char| char.is_ascii_alphanumeric());
        if !is_camel || kind.len() > 62 {
            return refused(kind, "kind: take CamelCase, such as App");
        }
        if !group.contains('.') || group.len() > 253 || !group.split('.').all(is_label) {
            return refused(group, "API group: take a domain, such as example.com");
        }
        Ok(Self { name: name.to_owned(), kind: kind.to_owned(), group: group.to_owned() })
    }

    /// Replaces the placeholders in a text.
    fn fill(&self, text: &str) -> String {
        text.replace("{{project-name}}", &self.name)
            .replace("{{kind}}", &self.kind)
            .replace("{{kind | downcase}}", &self.kind.to_lowercase())
            .replace("{{group}}", &self.group)
    }
}

/// Returns whether a text is a label of DNS.
fn is_label(text: &str) -> bool {
    let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(is_inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns whether a package of the template cannot have this name: cargo refuses it, or it depends on a crate of it.
fn is_reserved(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "abstract",
        "alloc",
        "async",
        "await",
        "become",
        "box",
        "break",
        "build",
        "clap",
        "const",
        "core",
        "crate",
        "deps",
        "examples",
        "incremental",
        "proc-macro",
        "serde",
        "std",
        "test",
        "tokio",
    ];
    let is_keyword = || syn::parse_str::<syn::Ident>(&name.replace('-', "_")).is_err();
    NAMES.contains(&name) || name.starts_with("trimtab-") || is_keyword()
}

/// Renders the files of a template: their paths in the package, and their texts.
///
/// # Errors
///
/// A file cannot be read, or the kind is a name that the template uses for something else.
pub(super) fn render(
    template: &Path,
    names: &Names,
    trimtab: &Path,
) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut rendered = Vec::new();
    for path in files(template)? {
        let text = std::fs::read_to_string(&path).doing(path.display())?;
        let inside = path.strip_prefix(template).unwrap_or(&path);
        if inside == Path::new(NOT_COPIED) {
            continue;
        }
        if inside.extension().is_some_and(|extension| extension == "rs") && has_word(&text, &names.kind) {
            let reason = format!("the template uses the name for something else, in {}", inside.display());
            return Err(Failure::new(format!("--kind {}: {reason}", names.kind)));
        }
        // Under the other name, cargo does not take the template for a package.
        let is_manifest = inside == Path::new("Cargo.toml.liquid");
        let target = if is_manifest { PathBuf::from("Cargo.toml") } else { inside.to_owned() };
        let text = names.fill(&text);
        rendered.push((target, if is_manifest { by_path(&text, trimtab) } else { text }));
    }
    Ok(rendered)
}

/// Replaces the git repository of Trimtab's crates by their folders in a clone.
fn by_path(manifest: &str, trimtab: &Path) -> String {
    let line = |line: &str| match line.strip_prefix("trimtab-").and_then(|rest| rest.split_once(' ')) {
        Some((part, _)) => line.replace(
            BY_GIT,
            &format!("path = {:?}", trimtab.join("crates").join(part).display().to_string()),
        ),
        None => line.to_owned(),
    };
    manifest.lines().map(|text| line(text) + "\n").collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|char: char| !(char.is_alphanumeric() || char == '_')).any(|found| found == word)
}

/// Lists the files below a folder, hidden ones included, by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).doing(folder.display())?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.doing(folder.display())?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates/operator")
    }

    fn refusal(name: &str, kind: &str, group: &str) -> String {
        Names::new(name, kind, group).expect_err("no sound names").to_string()
    }

    #[test]
    fn every_placeholder_is_filled_in_and_trimtab_is_found_by_path() {
        let names = Names::new("my-operator", "Bucket", "storage.example.com").expect("sound names");
        let rendered = render(&template(), &names, Path::new("/src/trimtab")).expect("rendered");
        for (file, text) in &rendered {
            assert!(!text.contains("{{") && !text.contains("{%"), "{}", file.display());
        }
        for path in files(&template()).expect("listed") {
            let text = std::fs::read_to_string(&path).expect("read");
            assert!(!text.contains("{{{"), "cargo-generate refuses it: {}", path.display());
        }
        let file = |name: &str| {
            &rendered.iter().find(|(file, _)| file == Path::new(name)).expect("a file of the template").1
        };
        let manifest = file("Cargo.toml");
        assert!(manifest.contains("name = \"my-operator\""), "{manifest}");
        let line = "trimtab-manager = { path = \"/src/trimtab/crates/manager\", features = [\"args\", \"rustls-tls\"] }";
        assert!(manifest.contains(line) && !manifest.contains("git ="), "{manifest}");
        assert!(file("src/kind.rs").contains("\"storage.example.com/v1\""));
        assert!(file("manifests/crd.yaml").contains("buckets.storage.example.com"));
        assert!(rendered.iter().any(|(file, _)| file == Path::new(".github/workflows/ci.yml")));
        assert!(rendered.iter().all(|(file, _)| file != Path::new("cargo-generate.toml")));
    }

    #[test]
    fn cargo_generate_has_the_same_placeholders_and_defaults() {
        let config = std::fs::read_to_string(template().join("cargo-generate.toml")).expect("read");
        for (name, default) in [("kind", Names::KIND), ("group", Names::GROUP)] {
            let (_, table) = config.split_once(&format!("[placeholders.{name}]")).expect("a table");
            assert!(table.contains(&format!("default = \"{default}\"")), "{table}");
        }
        assert_eq!(config.matches("[placeholders.").count(), 2);
    }

    #[test]
    fn names_that_cargo_or_a_cluster_would_refuse_are_refused() {
        for name in ["", "My", "1st", "a_b", "a-", "fn", "core", "tokio", "trimtab-x", "a.b", &"a".repeat(64)]
        {
            assert!(refusal(name, "App", "example.com").contains("is no name of an operator"), "{name}");
        }
        for kind in ["", "app", "My-App", "Äpp"] {
            assert_eq!(
                refusal("a", kind, "example.com"),
                format!("{kind:?} is no kind: take CamelCase, such as App")
            );
        }
        for group in ["", "example", "Example.com", "example..com"] {
            assert!(refusal("a", "App", group).contains("is no API group"), "{group}");
        }
    }

    #[test]
    fn a_kind_that_the_template_uses_otherwise_is_refused() {
        let names = Names::new("a", "Deployment", "example.com").expect("sound names");
        let refused = render(&template(), &names, Path::new("/")).expect_err("the name is taken");
        let line = "--kind Deployment: the template uses the name for something else, in src/lib.rs";
        assert_eq!(refused.to_string(), line);
    }
}
