//! Validation of probes and lifecycle hooks.

use serde_json::{Value, json};

use super::{at_least, items, names, object, text};
use crate::api::{path::Path, status::Cause};

/// A container's probes.
pub(super) fn probes(container: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = object(container, name) else { continue };
        let path = path.child(name);
        handler(probe, &path, causes);
        for field in
            ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            at_least(0, probe, &path, field, causes);
        }
        let grace = probe["terminationGracePeriodSeconds"].as_i64();
        let field = path.child("terminationGracePeriodSeconds");
        if let Some(grace) = grace.filter(|grace| *grace <= 0) {
            causes.push(Cause::invalid(field, &json!(grace), "must be greater than 0"));
        }
        if name == "readinessProbe" {
            if let Some(grace) = grace {
                causes.push(Cause::invalid(field, &json!(grace), "must not be set for readinessProbes"));
            }
        } else {
            let threshold = probe["successThreshold"].as_i64().unwrap_or(0);
            if threshold != 1 {
                causes.push(Cause::invalid(path.child("successThreshold"), &json!(threshold), "must be 1"));
            }
        }
    }
}

/// A container's hooks.
pub(super) fn lifecycle(lifecycle: &Value, path: &Path<'_>, system: &Value, causes: &mut Vec<Cause>) {
    for hook in ["postStart", "preStop"] {
        if let Some(action) = object(lifecycle, hook) {
            handler(action, &path.child(hook), causes);
        }
    }
    if lifecycle["stopSignal"].is_string() && system.is_null() {
        let because = "may not be set for containers with empty `spec.os.name`";
        causes.push(Cause::forbidden(path.child("stopSignal"), because));
    }
}

fn handler(handler: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut count = 0;
    for name in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let Some(action) = object(handler, name) else { continue };
        let path = path.child(name);
        count += 1;
        if count > 1 {
            causes.push(Cause::forbidden(path, "may not specify more than 1 handler type"));
            continue;
        }
        match name {
            "exec" if items(action, "command").is_empty() => {
                causes.push(Cause::required(path.child("command"), ""));
            }
            "httpGet" => http_get(action, &path, causes),
            "tcpSocket" | "grpc" => port(&action["port"], path.child("port"), causes),
            _ => {}
        }
    }
    if count == 0 {
        causes.push(Cause::required(path, "must specify a handler type"));
    }
}

fn http_get(get: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    const NAME_RULE: &str = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', \
                             regex used for validation is '[-A-Za-z0-9]+')";
    if text(get, "path").is_empty() {
        causes.push(Cause::required(path.child("path"), ""));
    }
    port(&get["port"], path.child("port"), causes);
    let scheme = text(get, "scheme");
    if !matches!(scheme, "HTTP" | "HTTPS") {
        causes.push(Cause::not_supported(path.child("scheme"), &json!(scheme), &["HTTP", "HTTPS"]));
    }
    for header in items(get, "httpHeaders") {
        let name = text(header, "name");
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            causes.push(Cause::invalid(path.child("httpHeaders"), &json!(name), NAME_RULE));
        }
    }
}

/// The number or the name of a port.
pub(in crate::registry) fn port(port: &Value, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    match port.as_str() {
        Some(name) => {
            for fault in names::port_name_faults(name) {
                causes.push(Cause::invalid(field, &json!(name), fault));
            }
        }
        None => {
            let number = port.as_i64().unwrap_or(0);
            if !(1..=65535).contains(&number) {
                causes.push(Cause::invalid(field, &json!(number), "must be between 1 and 65535, inclusive"));
            }
        }
    }
}
