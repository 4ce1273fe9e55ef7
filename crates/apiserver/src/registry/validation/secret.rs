//! Validation of Secrets of the types that upstream knows.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::text;
use crate::{api::status::Cause, wire::negotiate::go_s_words};

/// The keys that a Secret of a type has to have.
pub(super) fn secret(secret: &Value, causes: &mut Vec<Cause>) {
    let has = |key: &str| secret["data"].get(key).is_some();
    let mut required = |key: &str| {
        if !has(key) {
            causes.push(Cause::required(format!("data[{key}]"), ""));
        }
    };
    match text(secret, "type") {
        "kubernetes.io/tls" => ["tls.crt", "tls.key"].into_iter().for_each(required),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            ["username", "password"].into_iter().for_each(required);
        }
        "kubernetes.io/ssh-auth" => required("ssh-privatekey"),
        "kubernetes.io/dockercfg" => {
            required(".dockercfg");
            is_json(secret, ".dockercfg", causes);
        }
        "kubernetes.io/dockerconfigjson" => {
            required(".dockerconfigjson");
            is_json(secret, ".dockerconfigjson", causes);
        }
        "kubernetes.io/service-account-token" => {
            let annotation = "kubernetes.io/service-account.name";
            if text(&secret["metadata"]["annotations"], annotation).is_empty() {
                causes.push(Cause::required(format!("metadata.annotations[{annotation}]"), ""));
            }
        }
        _ => {}
    }
}

fn is_json(secret: &Value, key: &str, causes: &mut Vec<Cause>) {
    let Some(bytes) = secret["data"][key].as_str().and_then(|text| STANDARD.decode(text).ok()) else {
        return;
    };
    if let Err(error) = serde_json::from_slice::<Value>(&bytes) {
        let because = go_s_words(&error, &bytes);
        causes.push(Cause::invalid(format!("data[{key}]"), &json!("<secret contents redacted>"), because));
    }
}
