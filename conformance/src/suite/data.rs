//! The data of `ConfigMap`s and Secrets: their size, the fields that immutable ones keep, and credentials in JSON.

use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::{MERGE, Site};
use crate::suite::refusals::{FORBIDDEN, INVALID};
use serde_json::{Value, json};

/// The most bytes of data.
const LIMIT: usize = 1 << 20;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(sizes_count_bytes)
            .rule("A ConfigMap and a Secret have at most 1 MiB of data, counted before it is base64.")
            .source("kubernetes/pkg/apis/core/validation: ValidateSecret, ValidateConfigMap"),
        case(immutable_data)
            .rule("An immutable ConfigMap or Secret keeps its data, and a Secret its type in any case.")
            .source("kubernetes/pkg/apis/core/validation: ValidateSecretUpdate, ValidateConfigMapUpdate"),
        case(credentials_are_objects)
            .rule("The credentials of registries are an object in JSON, or null.")
            .source("kubernetes/pkg/apis/core/validation: ValidateSecret"),
    ]
}

/// Base64 of so many bytes, a multiple of three plus one.
fn zeros(bytes: usize) -> String {
    "AAAA".repeat(bytes / 3) + "AA=="
}

async fn sizes_count_bytes(site: Site) -> Outcome {
    for (path, field) in [("secrets", "data"), ("configmaps", "binaryData")] {
        let body = |bytes: usize| json!({"metadata": {"name": "a"}, field: {"a": zeros(bytes)}});
        let path = format!("{path}?dryRun=All");
        site.post(&path, body(LIMIT)).await?.code(201)?;
        let refused = site.post(&path, body(LIMIT + 3)).await?.refused(422, "Invalid")?;
        refused.mentions("/message", "Too long: may not be more than 1048576 bytes")?;
    }
    let text =
        json!({"metadata": {"name": "a"}, "data": {"a": "a".repeat(LIMIT)}, "binaryData": {"b": "AA=="}});
    site.post("configmaps?dryRun=All", text).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn immutable_data(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "immutable": true, "data": {"a": "YQ=="}});
    for path in ["secrets", "configmaps"] {
        site.create(path, body.clone()).await?;
        let object = format!("{path}/a");
        for (change, field) in
            [(json!({"data": {"a": "Yg=="}}), "data"), (json!({"immutable": null}), "immutable")]
        {
            site.patch(MERGE, &object, change).await?.invalid(FORBIDDEN, field)?;
        }
    }
    site.patch(MERGE, "secrets/a", json!({"type": "x"})).await?.invalid(INVALID, "type")?;
    site.create("secrets", json!({"metadata": {"name": "b"}})).await?;
    site.patch(MERGE, "secrets/b", json!({"type": "x"})).await?.invalid(INVALID, "type")?;
    Ok(())
}

async fn credentials_are_objects(site: Site) -> Outcome {
    let of = |key: &str, data: &str| {
        let kind = format!("kubernetes.io/{}", &key[1..]);
        extended(json!({"metadata": {"name": "a"}, "type": kind}), json!({"data": {key: data}}))
    };
    for key in [".dockercfg", ".dockerconfigjson"] {
        for (data, found) in [("W10=", "array"), ("MQ==", "number"), ("ImEi", "string"), ("dHJ1ZQ==", "bool")]
        {
            let because =
                format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}");
            let refused = site.post("secrets?dryRun=All", of(key, data)).await?;
            refused.invalid(INVALID, &format!("data[{key}]"))?.mentions("/message", &because)?;
        }
        let valid: [Value; 2] = [of(key, "e30="), of(key, "bnVsbA==")];
        for body in valid {
            site.post("secrets?dryRun=All", body).await?.code(201)?;
        }
    }
    Ok(())
}
