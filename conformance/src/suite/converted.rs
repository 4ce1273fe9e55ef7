//! Strategic merge patches: their results become Go structs by reflection, without the checks of a decoder.

use crate::case::{Case, Outcome, case};
use crate::site::{STRATEGIC, Site};
use crate::suite::refusals::with_template;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(integers_overflow)
            .rule("Integers of a strategic merge patch overflow, and whole floats are integers.")
            .source("apimachinery/pkg/runtime: DefaultUnstructuredConverter.FromUnstructured"),
        case(what_does_not_fit_is_refused)
            .rule("A value of another type is refused in the words of reflection, which do not say where it is.")
            .source("apimachinery/pkg/runtime: DefaultUnstructuredConverter.FromUnstructured"),
        case(a_list_that_is_new_is_taken_as_it_is)
            .rule("Where an object has no list, that of a strategic merge patch is not merged, whatever it holds.")
            .source("apimachinery/pkg/util/strategicpatch: mergeMap"),
        case(items_of_a_list_are_of_one_type)
            .rule("Where an object has a list, an item of another type fails the patch.")
            .source("apimachinery/pkg/util/strategicpatch: sliceElementType"),
    ]
}

async fn deployment(site: &Site) -> Result<(), crate::answer::Mismatch> {
    let spec = with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Always");
    site.create("apps/v1/deployments", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    Ok(())
}

async fn integers_overflow(site: Site) -> Outcome {
    deployment(&site).await?;
    for (sent, stored) in [
        (json!(4_294_967_298_i64), 2),
        (json!(-4_294_967_293_i64), 3),
        (json!(1.0), 1),
        (json!(9_223_372_036_854_775_808_u64), 0),
    ] {
        let patch = json!({"spec": {"replicas": sent}});
        site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
            .await?
            .code(200)?
            .is("/spec/replicas", stored)?;
    }
    Ok(())
}

async fn what_does_not_fit_is_refused(site: Site) -> Outcome {
    deployment(&site).await?;
    let words: [(Value, &str); 9] = [
        (json!({"spec": {"replicas": "3"}}), "unrecognized type: int32"),
        (json!({"spec": {"replicas": 1.5}}), "cannot convert float64 to int32"),
        (json!({"spec": {"paused": 1}}), "unrecognized type: bool"),
        (json!({"spec": {"template": 5}}), "cannot restore struct from: int64"),
        (json!({"metadata": {"labels": {"a": 1}}}), "cannot convert int64 to string"),
        (json!({"metadata": {"labels": [1]}}), "cannot restore map from slice"),
        (json!({"metadata": {"finalizers": "a"}}), "cannot restore slice from string"),
        (
            json!({"metadata": {"creationTimestamp": 5}}),
            "json: cannot unmarshal number into Go value of type string",
        ),
        (
            json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": true}}}}),
            "json: cannot unmarshal bool into Go value of type int32",
        ),
    ];
    for (patch, because) in words {
        site.patch(STRATEGIC, "apps/v1/deployments/a", patch)
            .await?
            .refused(422, "Invalid")?
            .says(because)?;
    }
    Ok(())
}

async fn pod(site: &Site) -> Result<(), crate::answer::Mismatch> {
    let spec = json!({"containers": [{"name": "a", "image": "b"}]});
    site.create("pods", json!({"metadata": {"name": "a"}, "spec": spec})).await?.code(201)?;
    Ok(())
}

async fn a_list_that_is_new_is_taken_as_it_is(site: Site) -> Outcome {
    pod(&site).await?;
    for (gates, reason, field) in [
        (json!([null]), "FieldValueInvalid", "spec.schedulingGates[0]"),
        (json!([{"x": "a"}]), "FieldValueInvalid", "spec.schedulingGates[0]"),
        (json!([{"name": "a"}, {"name": "a"}]), "FieldValueDuplicate", "spec.schedulingGates[1]"),
    ] {
        let patch = json!({"spec": {"schedulingGates": gates}});
        site.patch(STRATEGIC, "pods/a", patch).await?.invalid(reason, field)?;
    }
    Ok(())
}

async fn items_of_a_list_are_of_one_type(site: Site) -> Outcome {
    pod(&site).await?;
    let patch = json!({"spec": {"containers": [null]}});
    let answer = site.patch(STRATEGIC, "pods/a", patch).await?.code(500)?;
    answer.says("list element types are not identical")?;
    Ok(())
}
