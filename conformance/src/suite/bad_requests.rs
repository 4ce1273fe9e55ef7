//! Requests that no client should send: malformed bodies, wrong content types, methods and paths.

use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::{APPLY, MERGE, Site};
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(malformed_json).rule("A body that is no JSON is 400.").source("apimachinery: serializer"),
        case(an_empty_body).rule("An empty body is 400.").source("apimachinery: serializer"),
        case(no_object).rule("A body that is no object is 400.").source("apimachinery: serializer"),
        case(malformed_yaml).rule("YAML that does not parse is 400.").source("apimachinery: serializer"),
        case(another_kind).rule("Another kind than the path's is 400.").source("apiserver: create handler"),
        case(another_version)
            .rule("Another version than the path's is 400.")
            .source("apiserver: create handler"),
        case(a_large_body).rule("A body of more than 3 MiB is 413.").source("apiserver: MaxRequestBodyBytes"),
        case(large_data).rule("Data of more than 1 MiB is 422.").source("validation: MaxSecretSize"),
        case(an_object_that_etcd_does_not_take)
            .rule("An object that is too large for etcd is 500.")
            .source("etcd: --max-request-bytes"),
        case(an_unknown_content_type)
            .rule("A content type that nobody decodes is 415.")
            .source("apiserver: NegotiateInputSerializer"),
        case(no_content_type)
            .rule("Without a content type, a body is JSON.")
            .source("apiserver: NegotiateInputSerializer"),
        case(a_content_type_with_parameters)
            .rule("A content type may have parameters.")
            .source("RFC 9110: Content-Type"),
        case(a_wrong_method)
            .rule("A method that a path does not have is 405.")
            .source("apiserver: installer"),
        case(a_path_of_nothing)
            .rule("A path that names nothing is 404.")
            .source("apiserver: NotFoundHandler"),
        case(nothing_below_a_group)
            .rule("A path below /apis that names nothing is 404 as a Status or as text.")
            .source("apiserver: NotFoundHandler"),
    ]
}

async fn malformed_json(site: Site) -> Outcome {
    for body in ["{", "{\"metadata\":", "nonsense", "{]}", "{\"a\": 1,}"] {
        site.post_as("application/json", "configmaps", body).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn an_empty_body(site: Site) -> Outcome {
    site.post_as("application/json", "configmaps", "")
        .await?
        .code(400)
        .or(site.post_as("application/json", "configmaps", "").await?.code(422))?;
    Ok(())
}

async fn no_object(site: Site) -> Outcome {
    for body in ["[]", "3", "\"text\""] {
        site.post_as("application/json", "configmaps", body).await?.code(400)?;
    }
    Ok(())
}

async fn malformed_yaml(site: Site) -> Outcome {
    for body in ["a: [", "a: b: c", "\t- x"] {
        site.post_as("application/yaml", "configmaps", body).await?.refused(400, "BadRequest")?;
    }
    site.call(Method::PATCH, "configmaps/a?fieldManager=one")
        .body(APPLY, "a: [")
        .send()
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn another_kind(site: Site) -> Outcome {
    let mut body = config_map("a");
    (body["apiVersion"], body["kind"]) = (json!("v1"), json!("Secret"));
    site.post("configmaps", body.clone()).await?.refused(400, "BadRequest")?;
    body["kind"] = json!("Nonsense");
    site.post("configmaps", body).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn another_version(site: Site) -> Outcome {
    let mut body = config_map("a");
    (body["apiVersion"], body["kind"]) = (json!("apps/v1"), json!("ConfigMap"));
    site.post("configmaps", body).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn a_large_body(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "data": {"x": "y".repeat(3 * 1024 * 1024)}});
    site.post("configmaps", body)
        .await?
        .refused(413, "RequestEntityTooLarge")?
        .mentions("/message", "Request entity too large: limit is 3145728")?;
    Ok(())
}

async fn large_data(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "data": {"x": "y".repeat(1024 * 1024 + 1)}});
    site.post("configmaps", body).await?.invalid("FieldValueTooLong", "[]")?;
    Ok(())
}

async fn an_object_that_etcd_does_not_take(site: Site) -> Outcome {
    let large = json!({
        "metadata": {"name": "large"},
        "spec": {"containers": [{"name": "main", "image": "i", "args": ["y".repeat(1_700_000)]}]},
    });
    site.post("pods", large)
        .await?
        .code(500)?
        .is("/kind", "Status")?
        .mentions("/message", "etcdserver: request is too large")?;
    Ok(())
}

async fn an_unknown_content_type(site: Site) -> Outcome {
    for content_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        site.post_as(content_type, "configmaps", config_map("a").to_string())
            .await?
            .refused(415, "UnsupportedMediaType")?;
    }
    Ok(())
}

async fn no_content_type(site: Site) -> Outcome {
    site.post_as("", "configmaps", config_map("a").to_string()).await?.code(201)?;
    Ok(())
}

async fn a_content_type_with_parameters(site: Site) -> Outcome {
    site.post_as("application/json; charset=utf-8", "configmaps", config_map("a").to_string())
        .await?
        .code(201)?;
    Ok(())
}

async fn a_wrong_method(site: Site) -> Outcome {
    site.call(Method::PUT, "configmaps")
        .json(&config_map("a"))
        .send()
        .await?
        .refused(405, "MethodNotAllowed")?;
    site.call(Method::PATCH, "configmaps")
        .json(&json!({}))
        .header("content-type", MERGE)
        .send()
        .await?
        .refused(405, "MethodNotAllowed")?;
    site.create("configmaps", config_map("a")).await?;
    site.call(Method::POST, "configmaps/a")
        .json(&config_map("a"))
        .send()
        .await?
        .refused(405, "MethodNotAllowed")?;
    Ok(())
}

async fn a_path_of_nothing(site: Site) -> Outcome {
    for path in [
        "/nonsense",
        "/apis/nonsense",
        "/apis/apps/v9",
        "/api/v2",
        "/apis/apps/v1/nonsense",
        "/api/v1/nonsense",
    ] {
        site.get(path).await?.code(404)?;
    }
    site.get("nonsense").await?.code(404)?;
    Ok(())
}

async fn nothing_below_a_group(site: Site) -> Outcome {
    site.get("/apis/apps/v1/nonsense")
        .await?
        .code(404)?
        .says("404 page not found")
        .or(site.get("/apis/apps/v1/nonsense").await?.refused(404, "NotFound"))?;
    Ok(())
}
