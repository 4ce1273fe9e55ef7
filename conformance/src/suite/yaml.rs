//! YAML bodies: yaml.v2's YAML 1.1, and what becomes of values that do not fit.

use super::definition::Definition;
use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::site::{APPLY, Site};
use http::Method;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(numbers_with_a_zero_are_octal)
            .rule("A number that begins with a zero is octal, when created and when applied.")
            .source("sigs.k8s.io/yaml: resolve"),
        case(whole_floats_are_integers)
            .rule(
                "A float that is whole is an integer, and so are numbers with underscores, exponents and \
                 other bases.",
            )
            .source("sigs.k8s.io/yaml: YAMLToJSON"),
        case(words_are_those_of_yaml_1_1)
            .rule("The words of YAML 1.1 are booleans, in custom objects and as keys.")
            .source("sigs.k8s.io/yaml: resolve"),
        case(the_first_document_is_read)
            .rule("Of several documents, the first is read.")
            .source("sigs.k8s.io/yaml: Unmarshal"),
        case(a_merge_overwrites_what_is_before_it)
            .rule("A merge key overwrites what stands before it.")
            .source("sigs.k8s.io/yaml: decoder.merge"),
        case(keys_that_are_set_twice_are_told)
            .rule("Keys that are set twice are warned of, and the last counts.")
            .source("sigs.k8s.io/yaml: UnmarshalStrict"),
        case(what_does_not_fit_is_refused_when_applied)
            .rule(
                "An applied value that does not fit the type of its field is refused, and does not become \
                 the default.",
            )
            .source("managedfields: typeconverter, runtime.DefaultUnstructuredConverter"),
    ]
}

const YAML: &str = "application/yaml";

async fn post(site: &Site, path: &str, body: impl Into<String>) -> Result<Answer, Mismatch> {
    site.post_as(YAML, path, body.into()).await
}

async fn apply(site: &Site, path: &str, body: impl Into<String>) -> Result<Answer, Mismatch> {
    let path = format!("{path}?fieldManager=a");
    site.call(Method::PATCH, &path).body(APPLY, body.into()).send().await
}

/// A Pod with a volume whose files have this mode.
fn pod(name: &str, mode: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n\
         spec:\n  containers: [{{name: a, image: b}}]\n  volumes:\n  \
         - {{name: s, secret: {{secretName: x, defaultMode: {mode}}}}}\n"
    )
}

/// A Deployment with so many replicas.
fn deployment(replicas: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\n\
         spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{a: b}}}}\n  \
         template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: [{{name: a, image: b}}]}}}}\n"
    )
}

async fn numbers_with_a_zero_are_octal(site: Site) -> Outcome {
    let mode = "/spec/volumes/0/secret/defaultMode";
    post(&site, "pods", pod("a", "0400")).await?.code(201)?.is(mode, 256)?;
    apply(&site, "pods/b", pod("b", "0400")).await?.code(201)?.is(mode, 256)?;
    post(&site, "apps/v1/deployments?dryRun=All", deployment("02"))
        .await?
        .code(201)?
        .is("/spec/replicas", 2)?;
    Ok(())
}

async fn whole_floats_are_integers(site: Site) -> Outcome {
    for (text, replicas) in
        [("3.0", 3), ("1e1", 10), ("1_0", 10), ("0x10", 16), ("0b11", 3), ("0o17", 15), ("+5", 5)]
    {
        post(&site, "apps/v1/deployments?dryRun=All", deployment(text))
            .await?
            .code(201)?
            .is("/spec/replicas", replicas)?;
        let path = "apps/v1/deployments/a?dryRun=All&fieldManager=a";
        let call = site.call(Method::PATCH, path).body(APPLY, deployment(text));
        call.send().await?.code(201)?.is("/spec/replicas", replicas)?;
    }
    post(&site, "apps/v1/deployments?dryRun=All", deployment("3.5"))
        .await?
        .refused(400, "BadRequest")?
        .mentions(
            "/message",
            "cannot unmarshal number 3.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        )?;
    Ok(())
}

async fn words_are_those_of_yaml_1_1(site: Site) -> Outcome {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let widgets = Definition::new(&site).field("spec", free).make(&site).await?;
    let head = format!("apiVersion: {}\nkind: Widget\nmetadata: {{name: a}}\n", widgets.api_version);
    let body = format!(
        "{head}spec: {{a: yes, b: off, c: y, d: \"on\", e: 0755, f: 1_000, g: ~, h: 2001-12-14, \
         i: 190:20:30, on: 1, 010: 2, 1.50: 3, no: 4}}\n"
    );
    let spec = json!({
        "a": true, "b": false, "c": true, "d": "on", "e": 493, "f": 1000, "g": null, "h": "2001-12-14",
        "i": "190:20:30", "true": 1, "8": 2, "1.5": 3, "false": 4,
    });
    post(&site, &widgets.objects, body).await?.code(201)?.is("/spec", spec)?;
    Ok(())
}

async fn the_first_document_is_read(site: Site) -> Outcome {
    post(&site, "configmaps", "metadata: {name: a}\ndata: {a: b}\n---\nmetadata: {name: c}\n")
        .await?
        .code(201)?
        .is("/metadata/name", "a")?;
    Ok(())
}

async fn a_merge_overwrites_what_is_before_it(site: Site) -> Outcome {
    let body = "metadata: {name: a}\ndata:\n  x: mine\n  <<: {x: merged, z: merged}\n  z: mine\n";
    post(&site, "configmaps", body).await?.code(201)?.is("/data", json!({"x": "merged", "z": "mine"}))?;
    Ok(())
}

async fn keys_that_are_set_twice_are_told(site: Site) -> Outcome {
    let body = "metadata: {name: a}\ndata:\n  x: one\n  x: two\n";
    post(&site, "configmaps", body)
        .await?
        .code(201)?
        .is("/data/x", "two")?
        .warns("line 4: key \\\"x\\\" already set in map")?;
    Ok(())
}

async fn what_does_not_fit_is_refused_when_applied(site: Site) -> Outcome {
    let refused = |answer: Answer, because: &str| {
        answer.code(500)?.mentions("/message", "failed to convert new object")?.mentions("/message", because)
    };
    let answer = apply(&site, "apps/v1/deployments/a", deployment("3.5")).await?;
    refused(answer, "cannot convert float64 to int32")?;
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: '%%'}\n";
    refused(apply(&site, "secrets/a", secret).await?, "illegal base64 data at input byte 0")?;
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n\
               spec:\n  containers:\n  - {name: a, image: b, resources: {limits: {cpu: abc}}}\n";
    refused(apply(&site, "pods/a", pod).await?, "quantities must match the regular expression")?;
    let time = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: abc}\n";
    refused(apply(&site, "configmaps/a", time).await?, "parsing time \"abc\"")?;
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n\
                   spec: {ports: [{port: 80, targetPort: 1.5}]}\n";
    let answer = apply(&site, "services/a", service).await?;
    refused(answer, "cannot unmarshal number 1.5 into Go value of type int32")?;
    Ok(())
}
