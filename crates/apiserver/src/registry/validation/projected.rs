//! Validation of projected volumes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    items, object, text,
    volume::{downward_files, keys, mode, not_reserved},
};
use crate::api::{path::Path, status::Cause};

/// Validates a projected volume, whose files come from several sources.
pub(super) fn validate(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    mode(&source["defaultMode"], path.child("defaultMode"), causes);
    let list = path.child("sources");
    for (position, part) in items(source, "sources").iter().enumerate() {
        let path = list.index(position);
        let mut count = 0;
        for name in ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"] {
            let Some(inner) = object(part, name) else { continue };
            let path = path.child(name);
            count += 1;
            match name {
                "secret" | "configMap" => {
                    if text(inner, "name").is_empty() {
                        causes.push(Cause::required(path.child("name"), ""));
                    }
                    keys(inner, &path, causes);
                }
                "downwardAPI" => downward_files(inner, &path, causes),
                "serviceAccountToken" => token(inner, &path, causes),
                _ => {}
            }
        }
        count += usize::from(part["podCertificate"].is_object());
        if count > 1 {
            causes.push(Cause::forbidden(path, "may not specify more than 1 volume type per source"));
        }
    }
    conflicts(source, path, causes);
}

/// Refuses two files with one path.
fn conflicts(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut seen = BTreeSet::new();
    for part in items(source, "sources") {
        for kind in ["secret", "configMap", "downwardAPI"] {
            for file in items(&part[kind], "items").iter().map(|item| text(item, "path")) {
                if !file.is_empty() && !seen.insert(file) {
                    let shown = if kind == "downwardAPI" { file } else { text(&part[kind], "name") };
                    causes.push(Cause::invalid(path, &json!(shown), "conflicting duplicate paths"));
                }
            }
        }
    }
}

fn token(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let seconds = source["expirationSeconds"].as_i64();
    if let Some(seconds) = seconds.filter(|seconds| *seconds < 600) {
        let because = "may not specify a duration less than 10 minutes";
        causes.push(Cause::invalid(path.child("expirationSeconds"), &json!(seconds), because));
    }
    match text(source, "path") {
        "" => causes.push(Cause::required(path.child("path"), "")),
        file => not_reserved(file, path.child("path"), causes),
    }
}
