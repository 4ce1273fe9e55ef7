//! Kinds with rules of their own: Events and Leases.

use crate::case::{Case, Outcome, case};
use crate::site::{STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(events_of_both_groups)
            .rule(
                "An Event of the core group is the same object in events.k8s.io, under other names of its \
                 fields.",
            )
            .source("kubernetes/test/e2e/instrumentation/core_events.go"),
        case(events_of_the_newer_group)
            .rule("An Event of events.k8s.io is one of the core group, too.")
            .source("kubernetes/test/e2e/instrumentation/events.go"),
        case(a_newer_event_is_complete)
            .rule("A new Event needs a time, a reporter, an action and a reason.")
            .source("validation: ValidateEventCreate"),
        case(an_event_is_where_its_object_is)
            .rule("An Event is in the namespace of what it is about.")
            .source("validation: ValidateEvent"),
        case(an_event_is_counted)
            .rule("An Event can be patched, as recorders do to count it.")
            .source("client-go: EventCorrelator"),
        case(a_lease_keeps_microseconds)
            .rule("A Lease keeps its times to the microsecond.")
            .source("coordination/v1: MicroTime"),
        case(a_lease_is_validated)
            .rule("A Lease's duration is positive, its transitions not negative.")
            .source("validation: ValidateLeaseSpec"),
        case(one_wins_a_lease)
            .rule("Of two who update one version of a Lease, one wins.")
            .source("client-go: leaderelection"),
    ]
}

async fn events_of_both_groups(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": site.namespace()},
        "reason": "Testing", "message": "hello", "type": "Normal", "source": {"component": "conformance"},
    });
    site.create("events", body).await?;
    site.get("events.k8s.io/v1/events/a")
        .await?
        .code(200)?
        .is("/apiVersion", "events.k8s.io/v1")?
        .is("/regarding/name", "p")?
        .is("/note", "hello")?
        .is("/reason", "Testing")?
        .is("/deprecatedSource/component", "conformance")?;
    Ok(())
}

async fn events_of_the_newer_group(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": site.namespace()},
        "reason": "Testing", "note": "hello", "type": "Normal", "action": "Test",
        "reportingController": "example.com/conformance", "reportingInstance": "one",
        "eventTime": "2020-01-02T03:04:05.000006Z",
    });
    site.create("events.k8s.io/v1/events", body).await?;
    site.get("events/a")
        .await?
        .code(200)?
        .is("/involvedObject/name", "p")?
        .is("/message", "hello")?
        .is("/reportingComponent", "example.com/conformance")?
        .is("/eventTime", "2020-01-02T03:04:05.000006Z")?;
    Ok(())
}

async fn a_newer_event_is_complete(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": site.namespace()},
        "type": "Normal",
    });
    site.post("events.k8s.io/v1/events", body).await?.invalid("FieldValueRequired", "eventTime")?;
    Ok(())
}

async fn an_event_is_where_its_object_is(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "elsewhere"},
        "reason": "R",
        "type": "Normal",
    });
    site.post("events", body).await?.invalid("FieldValueInvalid", "involvedObject.namespace")?;
    Ok(())
}

async fn an_event_is_counted(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": site.namespace()},
        "reason": "R", "type": "Normal", "count": 1,
    });
    site.create("events", body).await?;
    site.patch(STRATEGIC, "events/a", json!({"count": 2})).await?.code(200)?.is("/count", 2)?;
    Ok(())
}

async fn a_lease_keeps_microseconds(site: Site) -> Outcome {
    let spec = json!({
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "renewTime": "2020-01-02T03:04:05.123456Z",
        "acquireTime": "2020-01-02T03:04:05.000000Z",
    });
    site.create("coordination.k8s.io/v1/leases", json!({"metadata": {"name": "a"}, "spec": spec.clone()}))
        .await?
        .is("/spec", spec)?;
    Ok(())
}

async fn a_lease_is_validated(site: Site) -> Outcome {
    let lease = |spec: Value| json!({"metadata": {"name": "a"}, "spec": spec});
    site.post("coordination.k8s.io/v1/leases", lease(json!({"leaseDurationSeconds": 0})))
        .await?
        .invalid("FieldValueInvalid", "spec.leaseDurationSeconds")?;
    site.post("coordination.k8s.io/v1/leases", lease(json!({"leaseTransitions": -1})))
        .await?
        .invalid("FieldValueInvalid", "spec.leaseTransitions")?;
    Ok(())
}

async fn one_wins_a_lease(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": ""}});
    let made = site.create("coordination.k8s.io/v1/leases", body).await?;
    let claim = |holder: &str| {
        let mut claim = made.json.clone();
        claim["spec"]["holderIdentity"] = json!(holder);
        claim
    };
    let (one, two) = tokio::join!(
        site.put("coordination.k8s.io/v1/leases/a", claim("one")),
        site.put("coordination.k8s.io/v1/leases/a", claim("two"))
    );
    let (one, two) = (one?, two?);
    let codes = (one.status.min(two.status), one.status.max(two.status));
    one.check(codes == (200, 409), format!("200 and 409, not {codes:?}"))?;
    Ok(())
}
