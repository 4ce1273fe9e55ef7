//! The warnings about files of one volume whose paths overlap: one of them hides another one, or is its folder.

use std::fmt;

use serde_json::Value;

use crate::registry::validation::{items, text};

/// A file of a volume.
struct File {
    path: String,
    /// The object that it comes from, if the volume has several.
    source: Option<String>,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{:?} ({source})", self.path),
            None => write!(f, "{:?}", self.path),
        }
    }
}

impl File {
    fn new(path: &str, source: Option<&str>) -> Self {
        Self { path: path.trim_end_matches('/').to_owned(), source: source.map(str::to_owned) }
    }

    /// Returns the files of a list of keys.
    fn of_items(owner: &Value, source: Option<&str>) -> Vec<Self> {
        items(owner, "items").iter().map(|item| Self::new(text(item, "path"), source)).collect()
    }

    /// Returns whether both are one file, or one is in the other.
    fn overlaps(&self, other: &Self) -> bool {
        let is_in = |inner: &Self, outer: &Self| {
            inner.path.strip_prefix(&*outer.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        !self.path.is_empty() && !other.path.is_empty() && (is_in(self, other) || is_in(other, self))
    }
}

/// Returns the warnings about the volumes of a Pod.
pub(super) fn overlaps(volumes: &[Value]) -> Vec<String> {
    let mut warnings = Vec::new();
    for volume in volumes {
        let name = text(volume, "name");
        for (source, description) in [
            ("configMap", format!("ConfigMap {:?}", text(&volume["configMap"], "name"))),
            ("secret", format!("Secret {:?}", text(&volume["secret"], "secretName"))),
            ("downwardAPI", "DownwardAPI".to_owned()),
        ] {
            warnings.extend(among(name, &description, &File::of_items(&volume[source], None)));
        }
        let sources = items(&volume["projected"], "sources");
        let is_empty = |source: &&Value| source.as_object().is_some_and(serde_json::Map::is_empty);
        let none = |_| format!("volume {name:?} (Projected) has no sources provided");
        warnings.extend(sources.iter().filter(is_empty).map(none));
        let files: Vec<File> = sources.iter().flat_map(projected).collect();
        warnings.extend(among(name, "Projected", &files));
    }
    warnings
}

/// Returns the warnings about the files of one volume.
fn among(volume: &str, description: &str, files: &[File]) -> Vec<String> {
    let pairs = files.iter().enumerate().flat_map(|(position, file)| {
        files[..position].iter().filter(|earlier| earlier.overlaps(file)).map(move |earlier| (file, earlier))
    });
    let told = |(file, earlier)| {
        format!("volume {volume:?} ({description}): overlapping paths: {file} with {earlier}")
    };
    pairs.map(told).collect()
}

/// Returns the files of a source of a projected volume.
fn projected(source: &Value) -> Vec<File> {
    for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
        if source[field]["items"].is_array() {
            let of = format!("{kind} {:?}", text(&source[field], "name"));
            return File::of_items(&source[field], Some(&of));
        }
    }
    if source["downwardAPI"]["items"].is_array() {
        return File::of_items(&source["downwardAPI"], Some("DownwardAPI"));
    }
    let token = &source["serviceAccountToken"];
    if token.is_object() {
        return vec![File::new(text(token, "path"), Some("ServiceAccountToken"))];
    }
    let bundle = &source["clusterTrustBundle"];
    if bundle.is_object() {
        let name = bundle["name"].as_str().unwrap_or_else(|| text(bundle, "signerName"));
        return vec![File::new(text(bundle, "path"), Some(&format!("ClusterTrustBundle {name:?}")))];
    }
    let certificate = [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ];
    let paths = certificate.iter().map(|(field, of)| (text(&source["podCertificate"], field), of));
    paths.filter(|(path, _)| !path.is_empty()).map(|(path, of)| File::new(path, Some(of))).collect()
}
