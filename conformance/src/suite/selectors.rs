//! Label selectors and field selectors.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::{pod, workload};
use crate::site::Site;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(equality)
            .rule("`key=value` and `key==value` mean the same.")
            .source("Labels: equality-based requirement"),
        case(inequality)
            .rule("`key!=value` picks those without the key, too.")
            .source("Labels: equality-based requirement"),
        case(sets)
            .rule("`in` picks values of a set, `notin` the others and those without the key.")
            .source("Labels: set-based requirement"),
        case(existence)
            .rule("A key alone picks those that have it, after `!` those that have not.")
            .source("Labels: set-based requirement"),
        case(conjunction).rule("A comma is an and.").source("Labels: set-based requirement"),
        case(blanks).rule("Blanks around operators do not matter.").source("apimachinery: labels.Parse"),
        case(the_empty_value).rule("An empty value can be asked for.").source("apimachinery: labels.Parse"),
        case(numbers).rule("`>` and `<` compare numbers.").source("apimachinery: labels.Parse"),
        case(a_bad_label_selector)
            .rule("A label selector that does not parse is refused.")
            .source("apimachinery: labels.Parse"),
        case(a_selector_of_what_cannot_be)
            .rule("A key or a value that no label can have is refused.")
            .source("apimachinery: labels.NewRequirement"),
        case(an_empty_selector)
            .rule("An empty selector picks all.")
            .source("apimachinery: labels.Everything"),
        case(fields_of_every_kind)
            .rule("Every kind can be picked by name and namespace.")
            .source("Field selectors: supported fields"),
        case(fields_are_combined)
            .rule("Fields are combined by commas.")
            .source("Field selectors: chained selectors"),
        case(fields_of_pods)
            .rule("Pods can be picked by node, phase, restart policy, scheduler and service account.")
            .source("core/v1 conversion: Pod field labels"),
        case(fields_of_secrets)
            .rule("Secrets can be picked by type.")
            .source("core/v1 conversion: Secret field labels"),
        case(fields_of_other_kinds)
            .rule(
                "Kinds without fields of their own are picked by name and namespace only, and the refusal \
                 says so.",
            )
            .source("apimachinery: DefaultMetaV1FieldSelectorConversion"),
        case(fields_of_events)
            .rule("Events can be picked by what they are about.")
            .source("core/v1 conversion: Event field labels"),
        case(an_unsupported_field)
            .rule("A field that a kind is not picked by is refused.")
            .source("apimachinery: field label conversion"),
        case(a_bad_field_selector)
            .rule("A field selector that does not parse is refused.")
            .source("apimachinery: fields.ParseSelector"),
        case(a_deletion_by_fields)
            .rule("A deletion of a collection can be limited by fields.")
            .source("API concepts: deletecollection"),
        case(fields_of_events_by_api)
            .rule("Events are selected by the fields of the API in which they are asked for.")
            .source("kubernetes/pkg/apis/events/v1: AddFieldLabelConversionsForEvent"),
    ]
}

/// Four Secrets: a and b with `tier` back, a and c with `env` prod, d with nothing.
async fn labelled(site: &Site) -> Result<(), Mismatch> {
    for (name, labels) in [
        ("a", json!({"tier": "back", "env": "prod"})),
        ("b", json!({"tier": "back"})),
        ("c", json!({"tier": "front", "env": "prod"})),
        ("d", json!({})),
    ] {
        site.create("secrets", json!({"metadata": {"name": name, "labels": labels}})).await?;
    }
    Ok(())
}

/// What a label selector picks of them.
async fn picks(site: &Site, selector: &str, names: &[&str]) -> Result<(), Mismatch> {
    let selector = percent(selector);
    site.get(&format!("secrets?labelSelector={selector}")).await?.code(200)?.names(names)?;
    Ok(())
}

/// Encodes a text for a query.
fn percent(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

async fn equality(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "tier=back", &["a", "b"]).await?;
    picks(&site, "tier==back", &["a", "b"]).await?;
    Ok(())
}

async fn inequality(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "tier!=back", &["c", "d"]).await?;
    Ok(())
}

async fn sets(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "tier in (back,front)", &["a", "b", "c"]).await?;
    picks(&site, "tier notin (back)", &["c", "d"]).await?;
    Ok(())
}

async fn existence(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "env", &["a", "c"]).await?;
    picks(&site, "!env", &["b", "d"]).await?;
    Ok(())
}

async fn conjunction(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "tier=back,env", &["a"]).await?;
    picks(&site, "tier in (back, front),env notin (prod)", &["b"]).await?;
    Ok(())
}

async fn blanks(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, " tier = back , env = prod ", &["a"]).await?;
    picks(&site, "tier  in  ( back )", &["a", "b"]).await?;
    Ok(())
}

async fn the_empty_value(site: Site) -> Outcome {
    site.create("secrets", json!({"metadata": {"name": "a", "labels": {"x": ""}}})).await?;
    site.create("secrets", json!({"metadata": {"name": "b", "labels": {"x": "y"}}})).await?;
    picks(&site, "x=", &["a"]).await?;
    picks(&site, "x in (,y)", &["a", "b"]).await?;
    Ok(())
}

async fn numbers(site: Site) -> Outcome {
    for (name, size) in [("a", "5"), ("b", "50"), ("c", "x")] {
        site.create("secrets", json!({"metadata": {"name": name, "labels": {"size": size}}})).await?;
    }
    picks(&site, "size>10", &["b"]).await?;
    picks(&site, "size<10", &["a"]).await?;
    Ok(())
}

async fn a_bad_label_selector(site: Site) -> Outcome {
    for bad in ["=", "a in", "a in (", "a in b", "a=b=c", "a,,b", "-a=b", "a=b!", "(a)", "a notin ()x", "a>b"]
    {
        site.get(&format!("secrets?labelSelector={}", percent(bad))).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn a_selector_of_what_cannot_be(site: Site) -> Outcome {
    for bad in ["a b=c", "x=a/b", &format!("x={}", "y".repeat(64))] {
        site.get(&format!("secrets?labelSelector={}", percent(bad))).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}

async fn an_empty_selector(site: Site) -> Outcome {
    labelled(&site).await?;
    picks(&site, "", &["a", "b", "c", "d"]).await?;
    Ok(())
}

async fn fields_of_every_kind(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.get("secrets?fieldSelector=metadata.name%3Da").await?.names(&["a"])?;
    site.get("secrets?fieldSelector=metadata.name!%3Da").await?.names(&["b"])?;
    site.get("secrets?fieldSelector=metadata.name%3D%3Da").await?.names(&["a"])?;
    let path = format!("/api/v1/secrets?fieldSelector=metadata.namespace%3D{}", site.namespace());
    site.get(&path).await?.names(&["a", "b"])?;
    Ok(())
}

async fn fields_are_combined(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.create("pods", pod("b")).await?;
    site.get("pods?fieldSelector=metadata.name%3Da%2Cstatus.phase%3DPending").await?.names(&["a"])?;
    site.get("pods?fieldSelector=metadata.name%3Da%2Cstatus.phase%3DRunning").await?.names(&[])?;
    Ok(())
}

async fn fields_of_pods(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    for field in [
        "spec.restartPolicy=Always",
        "spec.schedulerName=default-scheduler",
        "status.phase=Pending",
        "spec.nodeName=",
        "spec.hostNetwork=false",
    ] {
        site.get(&format!("pods?fieldSelector={}", percent(field))).await?.code(200)?.names(&["a"])?;
    }
    site.get("pods?fieldSelector=spec.nodeName%3Delsewhere").await?.names(&[])?;
    Ok(())
}

async fn fields_of_secrets(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.create("secrets", json!({"metadata": {"name": "b"}, "type": "example.com/x"})).await?;
    site.get("secrets?fieldSelector=type%3DOpaque").await?.names(&["a"])?;
    site.get("secrets?fieldSelector=type%3Dexample.com%2Fx").await?.names(&["b"])?;
    Ok(())
}

async fn fields_of_other_kinds(site: Site) -> Outcome {
    site.create("apps/v1/replicasets", workload("a", 0)).await?;
    site.get("apps/v1/replicasets?fieldSelector=spec.replicas%3D0")
        .await?
        .refused(400, "BadRequest")?
        .mentions(
            "/message",
            "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        )?;
    Ok(())
}

async fn fields_of_events(site: Site) -> Outcome {
    for (name, about, kind) in [("a", "x", "Normal"), ("b", "y", "Warning")] {
        let body = json!({
            "metadata": {"name": name},
            "involvedObject": {"kind": "Pod", "name": about, "namespace": site.namespace()},
            "reason": "R",
            "type": kind,
        });
        site.create("events", body).await?;
    }
    site.get("events?fieldSelector=involvedObject.name%3Dx").await?.names(&["a"])?;
    site.get("events?fieldSelector=involvedObject.kind%3DPod%2Ctype%3DWarning").await?.names(&["b"])?;
    site.get("events?fieldSelector=reason%3DR").await?.names(&["a", "b"])?;
    Ok(())
}

async fn an_unsupported_field(site: Site) -> Outcome {
    site.get("secrets?fieldSelector=data.x%3Dy")
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "field label not supported: data.x")?;
    Ok(())
}

async fn a_bad_field_selector(site: Site) -> Outcome {
    site.get("secrets?fieldSelector=metadata.name").await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn a_deletion_by_fields(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.delete("secrets?fieldSelector=metadata.name%3Da").await?.code(200)?;
    site.get("secrets").await?.names(&["b"])?;
    Ok(())
}

async fn fields_of_events_by_api(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": site.namespace()},
        "reason": "R", "type": "Normal", "reportingComponent": "example.com/c",
    });
    site.create("events", body).await?;
    let other = "events.k8s.io/v1/events";
    for selector in
        ["regarding.name=p", "regarding.kind=Pod", "reportingController=example.com/c", "reason=R"]
    {
        site.get(&format!("{other}?fieldSelector={selector}")).await?.code(200)?.names(&["a"])?;
    }
    for selector in ["involvedObject.name=p", "reportingComponent=example.com/c", "source=example.com/c"] {
        site.get(&format!("events?fieldSelector={selector}")).await?.code(200)?.names(&["a"])?;
        site.get(&format!("{other}?fieldSelector={selector}")).await?.refused(400, "BadRequest")?;
    }
    for selector in ["regarding.name=p", "reportingController=example.com/c"] {
        site.get(&format!("events?fieldSelector={selector}")).await?.refused(400, "BadRequest")?;
    }
    Ok(())
}
