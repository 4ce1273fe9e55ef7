//! The other forms of an answer: metadata alone, YAML, protobuf, compression.

use super::tables::TABLE;
use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::{MERGE, Site};
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(metadata_of_one).rule("Metadata alone, of one object.").source("API concepts: metadata-only"),
        case(metadata_of_a_list).rule("Metadata alone, of a list.").source("API concepts: metadata-only"),
        case(metadata_of_a_patch)
            .rule("A write can be answered with metadata alone.")
            .source("apiserver: transformResponseObject"),
        case(the_first_form_that_there_is)
            .rule("The first form of Accept that the server has is taken.")
            .source("RFC 9110: Accept"),
        case(yaml_on_request)
            .rule("YAML is answered on request.")
            .source("API concepts: alternate representations"),
        case(yaml_is_taken).rule("YAML can be sent.").source("API concepts: alternate representations"),
        case(a_refusal_is_a_status)
            .rule("A refusal is a Status, in the form of the answer.")
            .source("API concepts: response status"),
        case(objects_in_protobuf)
            .rule(
                "Built-in kinds have a form in protobuf, alone, in lists and as refusals; a Table has none, \
                 and what is asked for next is sent.",
            )
            .source("apimachinery: runtime/serializer/protobuf"),
        case(watches_in_protobuf)
            .rule("A watch in protobuf sends the length of each event before it.")
            .source("apiserver: streamserializer, protobuf framer"),
        case(an_unknown_form_is_not_acceptable)
            .rule("A form that the server does not have is 406.")
            .source("apiserver: NegotiateOutputMediaType"),
        case(long_lists_are_compressed)
            .rule("A long list comes compressed to whoever takes gzip.")
            .source("apiserver: APIResponseCompression"),
        case(short_answers_are_not_compressed)
            .rule("A short answer is not compressed.")
            .source("apiserver: APIResponseCompression"),
        case(nothing_is_compressed_unasked)
            .rule("Without being asked, nothing is compressed.")
            .source("apiserver: APIResponseCompression"),
        case(head_has_no_body)
            .rule("HEAD is answered like GET, without a body.")
            .source("apiserver: installer"),
    ]
}

async fn metadata_of_one(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    site.get_as(accept, "configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadata")?
        .is("/apiVersion", "meta.k8s.io/v1")?
        .is("/metadata/name", "a")?
        .lacks("/data")?;
    Ok(())
}

async fn metadata_of_a_list(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    site.get_as(accept, "secrets")
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadataList")?
        .has("/metadata/resourceVersion")?
        .is("/items/0/metadata/name", "a")?
        .lacks("/items/0/type")?;
    Ok(())
}

async fn metadata_of_a_patch(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.call(Method::PATCH, "configmaps/a")
        .json(&json!({"metadata": {"labels": {"x": "y"}}}))
        .header("content-type", MERGE)
        .accept("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
        .send()
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadata")?
        .is("/metadata/labels/x", "y")?;
    Ok(())
}

async fn the_first_form_that_there_is(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get_as("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "ConfigMap")?;
    site.get_as("text/html,*/*", "configmaps/a")
        .await?
        .code(200)?
        .header("content-type", "application/json")?;
    Ok(())
}

async fn yaml_on_request(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get_as("application/yaml", "configmaps/a")
        .await?
        .code(200)?
        .header("content-type", "application/yaml")?
        .says("kind: ConfigMap\n")?;
    Ok(())
}

async fn yaml_is_taken(site: Site) -> Outcome {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: \"1\"\n";
    site.post_as("application/yaml", "configmaps", yaml).await?.code(201)?.is("/data/key", "1")?;
    Ok(())
}

async fn a_refusal_is_a_status(site: Site) -> Outcome {
    site.get("configmaps/none")
        .await?
        .refused(404, "NotFound")?
        .is("/metadata", json!({}))?
        .header("content-type", "application/json")?;
    site.get_as(TABLE, "configmaps/none").await?.refused(404, "NotFound")?;
    site.get_as("application/yaml", "configmaps/none").await?.code(404)?.says("reason: NotFound")?;
    Ok(())
}

async fn objects_in_protobuf(site: Site) -> Outcome {
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
    const PARTIAL: &str =
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const TABLE: &str = "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1";
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"key": "some-text"}})).await?;
    for (path, accept, parts) in [
        (
            "configmaps/a",
            PROTOBUF,
            ["k8s\0\n\x0f\n\x02v1\x12\tConfigMap", "\x12\x10\n\x03key\x12\tsome-text"],
        ),
        ("configmaps", PROTOBUF, ["ConfigMapList", "some-text"]),
        ("configmaps", PARTIAL, ["PartialObjectMetadataList", "meta.k8s.io/v1"]),
        ("configmaps", &format!("{PROTOBUF}, application/json"), ["ConfigMapList", "some-text"]),
    ] {
        let mut answer = site.get_as(accept, path).await?.code(200)?.header("content-type", PROTOBUF)?;
        for part in parts {
            answer = answer.says(part)?;
        }
    }
    let none = site.get_as(PROTOBUF, "configmaps/none").await?.code(404)?;
    none.header("content-type", PROTOBUF)?.says("configmaps \"none\" not found")?;
    site.get_as(TABLE, "configmaps").await?.code(406)?;
    let either = format!("{TABLE}, application/json");
    site.get_as(&either, "configmaps").await?.code(200)?.is("/kind", "ConfigMapList")?;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    site.get_as(PROTOBUF, definitions).await?.code(200)?.says("CustomResourceDefinitionList")?;
    Ok(())
}

async fn watches_in_protobuf(site: Site) -> Outcome {
    const STREAM: &str = "application/vnd.kubernetes.protobuf;stream=watch";
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"key": "some-text"}})).await?;
    let path = "configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=a";
    let answer = site.get_as(STREAM, path).await?.code(200)?.header("content-type", STREAM)?;
    let answer = answer.says("ADDED")?.says("k8s\0\n\x0f\n\x02v1\x12\tConfigMap")?.says("some-text")?;
    // Each event comes after its length.
    let mut rest = &*answer.body.clone();
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        rest = more.get(length..).unwrap_or(&[0]);
    }
    answer.check(rest.is_empty(), "events after their lengths")?;
    Ok(())
}

async fn an_unknown_form_is_not_acceptable(site: Site) -> Outcome {
    for accept in ["text/html", "application/json;as=Nonsense;g=meta.k8s.io;v=v1", "image/png"] {
        site.get_as(accept, "configmaps").await?.refused(406, "NotAcceptable")?;
    }
    Ok(())
}

async fn long_lists_are_compressed(site: Site) -> Outcome {
    for name in ["a", "b"] {
        site.create("secrets", json!({"metadata": {"name": name}, "stringData": {"x": "y".repeat(100_000)}}))
            .await?;
    }
    let answer = site
        .call(Method::GET, "secrets")
        .header("accept-encoding", "gzip")
        .send()
        .await?
        .code(200)?
        .header("content-encoding", "gzip")?;
    let gzip = answer.body.starts_with(&[0x1f, 0x8b]);
    answer.check(gzip, "a gzip body")?;
    Ok(())
}

async fn short_answers_are_not_compressed(site: Site) -> Outcome {
    site.call(Method::GET, "secrets")
        .header("accept-encoding", "gzip")
        .send()
        .await?
        .code(200)?
        .no_header("content-encoding")?;
    Ok(())
}

async fn nothing_is_compressed_unasked(site: Site) -> Outcome {
    site.create("secrets", json!({"metadata": {"name": "a"}, "stringData": {"x": "y".repeat(200_000)}}))
        .await?;
    site.get("secrets").await?.code(200)?.no_header("content-encoding")?.names(&["a"])?;
    Ok(())
}

async fn head_has_no_body(site: Site) -> Outcome {
    let answer = site.call(Method::HEAD, "secrets").send().await?;
    let empty = answer.body.is_empty();
    answer.check(empty, "no body")?;
    Ok(())
}
