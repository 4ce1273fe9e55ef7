//! Values that no client should send: too many, too deep, of a wrong type, in bodies and in parameters.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, pod};
use crate::site::{MERGE, Site};
use http::Method;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(many_finalizers)
            .rule(
                "100,000 finalizers that are not valid are refused; upstream may run out of time over them.",
            )
            .source("validation: ValidateFinalizers"),
        case(many_valid_finalizers)
            .rule("100,000 valid finalizers are stored.")
            .source("etcd: request size limit"),
        case(deep_nesting).rule("10,000 objects deep is 400.").source("encoding/json: exceeded max depth"),
        case(deep_yaml).rule("Deep YAML is 400.").source("sigs.k8s.io/yaml: depth"),
        case(growing_yaml)
            .rule("YAML that grows when its aliases are followed is 400.")
            .source("CVE-2019-11253"),
        case(invalid_utf8)
            .rule("Bytes that are no UTF-8 do not end up in an object.")
            .source("encoding/json: invalid UTF-8 is replaced"),
        case(an_invalid_name).rule("A name that is no UTF-8 is not found.").source("net/http: paths"),
        case(null_fields)
            .rule("null where an object should be is no content.")
            .source("apimachinery: serializer"),
        case(a_wrong_type_in_the_metadata)
            .rule("A wrong type in the metadata is 400.")
            .source("apimachinery: serializer"),
        case(a_wrong_type_in_the_body)
            .rule("A wrong type in the body is 400, and names the field.")
            .source("apimachinery: serializer"),
        case(a_number_that_does_not_fit)
            .rule("A number that does not fit is 400.")
            .source("apimachinery: serializer"),
        case(a_bad_quantity)
            .rule("A quantity that is none is 400.")
            .source("apimachinery: resource.Quantity"),
        case(a_bad_time).rule("A time that is none is 400.").source("apimachinery: metav1.Time"),
        case(an_update_of_nothing)
            .rule("An update of what is not there is 404.")
            .source("registry/rest: Update"),
        case(an_update_without_a_name)
            .rule("An update without a name in the body is 400.")
            .source("registry/rest: BeforeUpdate"),
        case(a_bad_boolean)
            .rule("A parameter that is no boolean is 400.")
            .source("apimachinery: parameter codec"),
        case(a_bad_timeout)
            .rule("A timeout that is no number is 400.")
            .source("apimachinery: parameter codec"),
        case(a_bad_timeout_of_the_request)
            .rule("A timeout of the request itself that is no span of time is 400, whatever is asked for.")
            .source("e2e: request_timeout.go"),
        case(a_bad_grace_period)
            .rule("A grace period that is no number is 400.")
            .source("apimachinery: parameter codec"),
        case(bad_options)
            .rule("Options of a deletion that are no JSON are 400.")
            .source("apiserver: DeleteResource"),
        case(refusals_leave_nothing)
            .rule("What was refused left nothing behind.")
            .source("API concepts: response status"),
    ]
}

async fn many_finalizers(site: Site) -> Outcome {
    let many: Vec<_> = (0..100_000).map(|number| format!("x{number}")).collect();
    let answer = site.post("configmaps", json!({"metadata": {"name": "a", "finalizers": many}})).await?;
    let refused = answer.status == 422 || answer.status == 504;
    answer.check(refused, "422 or 504")?;
    Ok(())
}

async fn many_valid_finalizers(site: Site) -> Outcome {
    let many: Vec<_> = (0..100_000).map(|number| format!("e.x/{number}")).collect();
    let answer = site.post("configmaps", json!({"metadata": {"name": "a", "finalizers": many}})).await?;
    let told = [201, 413, 422, 500].contains(&answer.status);
    answer.check(told, "an answer")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn deep_nesting(site: Site) -> Outcome {
    let deep = format!("{}{}{}", "{\"a\":".repeat(20_000), "1", "}".repeat(20_000));
    site.post_as("application/json", "configmaps", deep).await?.refused(400, "BadRequest")?;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    site.post_as("application/json", "configmaps", deep).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn deep_yaml(site: Site) -> Outcome {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    site.post_as("application/yaml", "configmaps", deep).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn growing_yaml(site: Site) -> Outcome {
    let nine = |item: &str| [item; 9].join(",");
    let mut yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned();
    yaml += &format!("a0: &a0 [{}]\n", nine("\"x\""));
    for level in 1..10 {
        yaml += &format!("a{level}: &a{level} [{}]\n", nine(&format!("*a{}", level - 1)));
    }
    site.post_as("application/yaml", "configmaps", yaml).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn invalid_utf8(site: Site) -> Outcome {
    let body =
        [b"{\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":\"".as_slice(), &[0xff, 0xfe], b"\"}}"].concat();
    site.post_as("application/json", "configmaps", body)
        .await?
        .code(201)?
        .is("/data/x", "\u{fffd}\u{fffd}")?;
    Ok(())
}

async fn an_invalid_name(site: Site) -> Outcome {
    let answer = site.get("configmaps/%ff%fe").await?;
    let refused = answer.status == 404 || answer.status == 400;
    answer.check(refused, "404 or 400")?;
    Ok(())
}

async fn null_fields(site: Site) -> Outcome {
    site.post("configmaps", json!({"metadata": {"name": "a", "labels": null}, "data": null}))
        .await?
        .code(201)?
        .lacks("/data")?
        .lacks("/metadata/labels")?;
    Ok(())
}

async fn a_wrong_type_in_the_metadata(site: Site) -> Outcome {
    for metadata in [
        json!({"name": 3}),
        json!({"name": "a", "labels": ["x"]}),
        json!({"name": "a", "labels": {"x": 1}}),
        json!([]),
    ] {
        site.post("configmaps", json!({"metadata": metadata})).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn a_wrong_type_in_the_body(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["containers"] = json!({"name": "main"});
    site.post("pods", body).await?.refused(400, "BadRequest")?.mentions("/message", "spec.containers")?;
    site.post("configmaps", json!({"metadata": {"name": "a"}, "data": {"x": 1}}))
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn a_number_that_does_not_fit(site: Site) -> Outcome {
    let mut body = pod("a");
    for number in [json!(99_999_999_999_999_999_999.0), json!(1.5)] {
        body["spec"]["priority"] = number;
        site.post("pods", body.clone()).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn a_bad_quantity(site: Site) -> Outcome {
    let mut body = pod("a");
    body["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "lots"}});
    site.post("pods", body)
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "quantities must match the regular expression")?;
    Ok(())
}

async fn a_bad_time(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {"renewTime": "yesterday"}});
    site.post("coordination.k8s.io/v1/leases", body).await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn an_update_of_nothing(site: Site) -> Outcome {
    site.put("configmaps/none", config_map("none")).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn an_update_without_a_name(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.put("configmaps/a", json!({"data": {}}))
        .await?
        .code(400)
        .or(site.put("configmaps/a", json!({"data": {}})).await?.code(422))?;
    Ok(())
}

async fn a_bad_boolean(site: Site) -> Outcome {
    site.get("secrets?watch=maybe&timeoutSeconds=1")
        .await?
        .code(400)
        .or(site.get("secrets?watch=maybe&timeoutSeconds=1").await?.code(200))?;
    Ok(())
}

async fn a_bad_timeout(site: Site) -> Outcome {
    site.get("secrets?watch=true&timeoutSeconds=soon").await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn a_bad_timeout_of_the_request(site: Site) -> Outcome {
    site.get("secrets?timeout=soon").await?.refused(400, "BadRequest")?;
    site.get("/version?timeout=1m30s").await?.code(200)?;
    site.get("/version?timeout=soon").await?.code(400)?;
    Ok(())
}

async fn a_bad_grace_period(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.delete("configmaps/a?gracePeriodSeconds=soon").await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn bad_options(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.call(Method::DELETE, "configmaps/a")
        .body("application/json", "{")
        .send()
        .await?
        .refused(400, "BadRequest")?;
    site.get("configmaps/a").await?.code(200)?;
    Ok(())
}

async fn refusals_leave_nothing(site: Site) -> Outcome {
    site.post("secrets", json!({"metadata": {"name": "A"}})).await?.code(422)?;
    site.post_as("application/json", "secrets", "{").await?.code(400)?;
    site.get("secrets").await?.is("/items", Value::Array(Vec::new()))?;
    Ok(())
}
