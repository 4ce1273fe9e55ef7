//! Bodies that Go's encoder wrote, and the JSON that they were made from.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::*;

/// Reads a body, and checks that it reads the same after it was written again.
fn read_text(body: &str) -> Result<Value> {
    let value = read(&BASE64_STANDARD.decode(body).expect("base64"))?;
    let written = write(&value).expect("a form");
    assert_eq!(read(&written).as_ref(), Ok(&value));
    Ok(value)
}

/// The bytes are those that Go's encoder writes of fields which are set.
#[test]
fn lists_metadata_and_events_have_forms() {
    let secret = json!({"metadata": {"name": "a"}, "data": {"k": "aGk="}});
    let list = json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [secret]});
    let expected = b"k8s\0\x0a\x10\x0a\x02v1\x12\x0aSecretList\x12\x15\x0a\x03\x12\x017\x12\x0e\x0a\x03\x0a\x01a\x12\x07\x0a\x01k\x12\x02hi\x1a\0\"\0";
    assert_eq!(write(&list).expect("a form").escape_ascii().to_string(), expected.escape_ascii().to_string());
    let partial =
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a"}});
    let line = json!({"type": "ADDED", "object": partial}).to_string() + "\n";
    let events = write_events((line.clone() + &line).as_bytes());
    let (first, second) = events.split_at(events.len() / 2);
    assert_eq!(first, second);
    let message = write(&partial).expect("a form");
    let mut expected = vec![0, 0, 0, u8::try_from(message.len() + 11).expect("short"), 0x0a, 5];
    expected.extend_from_slice(b"ADDED\x12");
    expected
        .extend([message.len() + 2, 0x0a, message.len()].map(|number| u8::try_from(number).expect("short")));
    expected.extend_from_slice(&message);
    assert_eq!(first, expected);
    assert_eq!(write(&json!({"kind": "Thing", "apiVersion": "example.com/v1"})), None);
}

#[test]
fn a_deployment_reads_as_its_json() {
    let body = "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EqQCCjYKA3dlYhIAGgAiACoAMgA4AEIICKXr3MoGEABaCgoDYXBwEgN3ZWJa\
        DQoEdGllchIFZnJvbnQS2wEIABIMCgoKA2FwcBIDd2ViGqsBChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEooBCgkK\
        AXYSBBICCgASXgoBYxIFd2ViOjEaAWEaAWIqADIKCgAQABhQIgAqAEIPCg0KA2NwdRIGCgQ1MDBtUh0KERIPCgEvEgYIABBQ\
        GgAaACIAEAAYACAFKAAwAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAqAEAwgEAIhcKABITCgYI\
        ABAAGgASCQgBEAAaAzI1JSgAOAAaDAgAEAAYACAAKAA4ABoAIgA=";
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "labels": {"app": "web", "tier": "front"}, "creationTimestamp": "2026-01-02T03:04:05Z",
        },
        "spec": {
            "replicas": 0, // said, and not left out
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "name": "c", "image": "web:1", "command": ["a", "b"],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": "500m"}},
                        "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
                    }],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                },
            },
        },
    });
    assert_eq!(read_text(body), Ok(expected));
}

#[test]
fn a_definition_reads_with_its_schema() {
    let body = "azhzAAozChdhcGlleHRlbnNpb25zLms4cy5pby92MRIYQ3VzdG9tUmVzb3VyY2VEZWZpbml0aW9uErgDCiAKEGZvb3MuZXhh\
        bXBsZS5jb20SABoAIgAqADIAOABCABKFAwoLZXhhbXBsZS5jb20aEgoEZm9vcxIAGgFmIgNGb28qACIKTmFtZXNwYWNlZDrT\
        AgoCdjEQARgBIsYCCsMCCgASACIAKgZvYmplY3QyADoAUABgAHoAkAEA6gEoCgNhbnkSIQoAEgAiACoAMgA6AFAAYAB6AJAB\
        AKgCALACAbgCAMACAOoBUQoBbBJMCgASACIAKgVhcnJheTIAOgBQAGAAegCQAQDCASYKJAoAEgAiACoGc3RyaW5nMgA6AFAA\
        YAB6AJABAKgCALgCAMACAKgCALgCAMACAOoBVAoBbRJPCgASACIAKgZvYmplY3QyADoAUABgAHoAkAEA8gEoCAESJAoAEgAi\
        ACoGc3RyaW5nMgA6AFAAYAB6AJABAKgCALgCAMACAKgCALgCAMACAOoBQQoBbhI8CgASACIAKgdpbnRlZ2VyMgA6AEIDCgEz\
        SQAAAAAAAPg/UABZAAAAAAAAAABgAHoAkAEAqAIAuAIAwAIA8gECCACoAgC4AgDAAgA4AFAAGgwSCAoAEgAiACoAIAAaACIA";
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "n": {"type": "integer", "minimum": 0.0, "maximum": 1.5, "default": 3},
            "l": {"type": "array", "items": {"type": "string"}},
            "m": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"x-kubernetes-preserve-unknown-fields": true},
        },
    });
    let definition = read_text(body).expect("a definition");
    assert_eq!(definition["spec"]["names"], json!({"plural": "foos", "kind": "Foo", "shortNames": ["f"]}));
    let version = &definition["spec"]["versions"][0];
    assert_eq!((&version["served"], &version["storage"]), (&json!(true), &json!(true)));
    assert_eq!(version["schema"]["openAPIV3Schema"], schema);
}

#[test]
fn bytes_json_times_and_lists_in_maps_have_forms_of_their_own() {
    let secret = read_text(
        "azhzAAoMCgJ2MRIGU2VjcmV0EkkKNgoBcxIAGgAiACoAMgA4AEIAigEiCgFtEgZVcGRhdGUaADIAOg8KDXsiZjpkYXRhIjp7\
        fX1CABIHCgFhEgJoaRoGT3BhcXVlGgAiAA==",
    )
    .expect("a Secret");
    assert_eq!(secret["data"], json!({"a": "aGk="}));
    assert_eq!(secret["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:data": {}}));
    let lease = read_text(
        "azhzAAofChZjb29yZGluYXRpb24uazhzLmlvL3YxEgVMZWFzZRIkChEKAWwSABoAIgAqADIAOABCABIPCgAQDyIJCKXr3MoG\
        EPAuGgAiAA==",
    )
    .expect("a Lease");
    assert_eq!(
        lease["spec"],
        json!({"renewTime": "2026-01-02T03:04:05.000006Z", "leaseDurationSeconds": 15, "holderIdentity": ""})
    );
    let review = read_text(
        "azhzAAouChdhdXRob3JpemF0aW9uLms4cy5pby92MRITU3ViamVjdEFjY2Vzc1JldmlldxJDChAKABIAGgAiACoAMgA4AEIA\
        EiUKEQoAEgNnZXQaACIAKgAyADoAGgF1KgsKAWsSBgoBYQoBYjIAGggIABIAGgAgABoAIgA=",
    )
    .expect("a review");
    assert_eq!(review["spec"]["extra"], json!({"k": ["a", "b"]}));
}

#[test]
fn options_of_a_deletion_are_read_for_every_group() {
    let options =
        read_text("azhzAAoTCgJ2MRINRGVsZXRlT3B0aW9ucxIPCAASAwoBdSIGT3JwaGFuGgAiAA==").expect("options");
    assert_eq!(
        options,
        json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": "Orphan",
            "preconditions": {"uid": "u"},
        })
    );
}

#[test]
fn what_is_no_such_body_is_refused() {
    let because = |body: &[u8]| read(body).expect_err("no body").to_string();
    assert!(because(b"{}").contains("expected prefix [107 56 115 0]"));
    assert_eq!(because(b"k8s\0\x0a\xff"), "unexpected EOF");
    assert_eq!(because(b"k8s\0\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), "proto: integer overflow");
    let custom = b"k8s\0\x0a\x1a\x0a\x13samples.example/v1\x00\x12\x03Foo";
    assert_eq!(read(custom), Err(Unreadable::UnknownKind));
    let pod = b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x05\x0a\x03\x0a\x01\xff";
    assert!(because(pod).starts_with("proto: invalid utf-8"), "{}", because(pod));
}

#[test]
fn messages_in_messages_end_somewhere() {
    let mut schema = Vec::new();
    for _ in 0..300 {
        let mut outer = vec![0xe2, 0x01]; // field 28, `not`: a schema
        let mut length = schema.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend_from_slice(&schema);
        schema = outer;
    }
    let table = table::table();
    let message = table.named("api.apiextensions.v1.JSONSchemaProps");
    let read = Reader::new(table).fields(message, &schema, &mut Map::new());
    assert!(read.expect_err("too deep").to_string().contains("more than 100 deep"));
}
