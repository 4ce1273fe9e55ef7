//! Numbers and bytes, as Go's decoders take them and its encoders write them.

use super::definition::Definition;
use crate::case::{Case, Outcome, case};
use crate::site::Site;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(numbers_of_custom_objects)
            .rule(
                "Numbers of custom objects are integers where they are whole, and are written without \
                 exponents up to 1e21.",
            )
            .source("sigs.k8s.io/json: UnmarshalCaseSensitivePreserveInts"),
        case(integers_of_built_in_kinds)
            .rule("An integer of a built-in kind is no float, even if it is whole; `-0` is one.")
            .source("sigs.k8s.io/json: literalStore"),
        case(a_bound_beyond_its_format_refuses_everything)
            .rule("A bound that is no number of its format refuses every value.")
            .source("go-openapi/validate: IsValueValidAgainstRange"),
        case(bytes_are_decoded_and_written_again)
            .rule(
                "Base64 may have line breaks and bits that are left over, and is stored as Go writes it; a \
                 list of numbers is as good.",
            )
            .source("encoding/base64, encoding/json: []byte"),
    ]
}

async fn numbers_of_custom_objects(site: Site) -> Outcome {
    let spec = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "i": {"type": "integer"}, "n": {"type": "number"},
    }});
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    for (sent, written) in [
        (r#""i":1e3"#, r#""i":1000"#),
        (r#""i":1.0"#, r#""i":1"#),
        (r#""i":-0"#, r#""i":0"#),
        (r#""n":1e20"#, r#""n":100000000000000000000"#),
        (r#""n":1e21"#, r#""n":1e+21"#),
        (r#""x":1e-7"#, r#""x":1e-7"#),
        (r#""x":18446744073709551615"#, r#""x":18446744073709552000"#),
    ] {
        let body = format!(
            r#"{{"apiVersion":"{}","kind":"Widget","metadata":{{"name":"a"}},"spec":{{{sent}}}}}"#,
            widgets.api_version
        );
        site.post_as("application/json", &format!("{}?dryRun=All", widgets.objects), body)
            .await?
            .code(201)?
            .says(written)?;
    }
    for refused in ["1.5", "9223372036854775808", "1e21", "1e18"] {
        let body = format!(
            r#"{{"apiVersion":"{}","kind":"Widget","metadata":{{"name":"a"}},"spec":{{"i":{refused}}}}}"#,
            widgets.api_version
        );
        site.post_as("application/json", &widgets.objects, body)
            .await?
            .invalid("FieldValueTypeInvalid", "spec.i")?;
    }
    Ok(())
}

async fn integers_of_built_in_kinds(site: Site) -> Outcome {
    let body = |number: &str| {
        format!(
            r#"{{"metadata":{{"name":"a"}},"spec":{{"replicas":{number},
                "selector":{{"matchLabels":{{"a":"b"}}}},
                "template":{{"metadata":{{"labels":{{"a":"b"}}}},
                    "spec":{{"containers":[{{"name":"a","image":"b"}}]}}}}}}}}"#
        )
    };
    let path = "apps/v1/deployments?dryRun=All";
    let post = |number: &str| site.post_as("application/json", path, body(number));
    for number in ["3.0", "3.5", "2147483648"] {
        post(number).await?.refused(400, "BadRequest")?.mentions("/message", "of type int32")?;
    }
    post("-0").await?.code(201)?.is("/spec/replicas", 0)?;
    post("null").await?.code(201)?.is("/spec/replicas", 1)?;
    Ok(())
}

async fn a_bound_beyond_its_format_refuses_everything(site: Site) -> Outcome {
    let spec = json!({
        "type": "object",
        "properties": {"x": {"type": "integer", "format": "int32", "maximum": 4_294_967_296_i64}},
    });
    let widgets = Definition::new(&site).field("spec", spec).make(&site).await?;
    widgets
        .post(&site, "a", json!({"spec": {"x": 5}}), "")
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "Maximum boundary value must be of type integer with format int32 in spec.x")?;
    Ok(())
}

async fn bytes_are_decoded_and_written_again(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "data": {
        "lines": "YWJj\nYWJj\r\n", "bits": "ZB==", "numbers": [97, 98], "plain": "YQ==", "empty": [],
    }});
    let data = json!({"lines": "YWJjYWJj", "bits": "ZA==", "numbers": "YWI=", "plain": "YQ==", "empty": ""});
    site.create("secrets", body).await?.is("/data", data)?;
    for (data, because) in [
        (json!("YQ"), "illegal base64 data at input byte 0"),
        (json!("YWJjYW%="), "illegal base64 data at input byte 6"),
        (json!([300]), "cannot unmarshal number 300 into Go struct field Secret.data of type uint8"),
    ] {
        site.post("secrets", json!({"metadata": {"name": "b"}, "data": {"a": data}}))
            .await?
            .refused(400, "BadRequest")?
            .mentions("/message", because)?;
    }
    Ok(())
}
