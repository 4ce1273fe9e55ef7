//! Jobs: the status that whoever runs them writes, and what may change while they are suspended.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::{MERGE, Site};
use crate::suite::refusals::{DUPLICATE, INVALID, REQUIRED, refuse, with_template};
use serde_json::{Value, json};

const START: &str = "2026-01-01T00:00:00Z";
const LATER: &str = "2026-01-01T00:01:00Z";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(conditions_of_an_end)
            .rule(
                "The conditions of a Job's end come in their order, do not contradict each other, and stay.",
            )
            .source("kubernetes/pkg/apis/batch/validation: ValidateJobStatusUpdate"),
        case(times_of_an_end)
            .rule("A Job is complete after it has started, and neither time changes.")
            .source("kubernetes/pkg/apis/batch/validation: validateJobStatus"),
        case(pods_of_an_end)
            .rule("A finished Job has started, and none of its Pods runs, ends or waits to be counted.")
            .source("kubernetes/pkg/apis/batch/validation: validateJobStatus"),
        case(counts_and_indexes)
            .rule("Counts of ended Pods do not fall, UIDs are unique, and no index both fails and completes.")
            .source("kubernetes/pkg/apis/batch/validation: validateJobStatus"),
        case(many_completions)
            .rule("A Job with more than 10⁵ completions that counts the failures of each index has limits.")
            .source("kubernetes/pkg/apis/batch/validation: validateJobSpec"),
        case(suspended_jobs)
            .rule("A suspended Job without Pods takes other resources and nodes, and no other image.")
            .source("kubernetes/pkg/apis/batch/validation: validatePodResourceUpdatesOnly"),
    ]
}

/// Creates a Job with this in its spec.
async fn job(site: &Site, name: &str, more: Value) -> Result<Answer, Mismatch> {
    let spec = with_template(more, "Never");
    site.create("batch/v1/jobs", json!({"metadata": {"name": name}, "spec": spec})).await
}

/// Writes a part of a Job's status.
async fn write(site: &Site, name: &str, status: Value) -> Result<Answer, Mismatch> {
    site.patch(MERGE, &format!("batch/v1/jobs/{name}/status"), json!({"status": status})).await
}

/// Conditions that are true.
fn hold(kinds: &[&str]) -> Value {
    kinds.iter().map(|kind| json!({"type": kind, "status": "True"})).collect()
}

/// Each part of a status is refused, for this field and with this message.
async fn refused(site: &Site, name: &str, parts: &[(Value, &str, &str, &str)]) -> Outcome {
    for (status, reason, field, because) in parts {
        let answer = write(site, name, status.clone()).await?.invalid(reason, field)?;
        answer.mentions("/message", because)?;
    }
    Ok(())
}

async fn conditions_of_an_end(site: Site) -> Outcome {
    let ends =
        |kinds: &[&str]| json!({"startTime": START, "completionTime": LATER, "conditions": hold(kinds)});
    let fails = |kinds: &[&str]| json!({"startTime": START, "conditions": hold(kinds)});
    let field = "status.conditions";
    job(&site, "a", json!({})).await?;
    let parts = [
        (ends(&["Complete"]), INVALID, field, "without the SuccessCriteriaMet=true condition"),
        (
            ends(&["Complete", "SuccessCriteriaMet", "Failed"]),
            INVALID,
            field,
            "Complete=True and Failed=true",
        ),
        (
            ends(&["Complete", "SuccessCriteriaMet", "FailureTarget"]),
            INVALID,
            field,
            "Complete=True and FailureTarget",
        ),
        (fails(&["Failed"]), INVALID, field, "without the FailureTarget=true condition"),
        (
            fails(&["SuccessCriteriaMet", "FailureTarget"]),
            INVALID,
            field,
            "SuccessCriteriaMet=True and FailureTarget",
        ),
        (fails(&["SuccessCriteriaMet", "Failed"]), INVALID, field, "SuccessCriteriaMet=True and Failed=true"),
    ];
    refused(&site, "a", &parts).await?;
    write(&site, "a", fails(&["SuccessCriteriaMet"])).await?.code(200)?;
    let parts = [(fails(&[]), INVALID, field, "cannot disable the SuccessCriteriaMet=True condition")];
    refused(&site, "a", &parts).await?;
    write(&site, "a", ends(&["SuccessCriteriaMet", "Complete"])).await?.code(200)?;
    let parts = [(
        ends(&["SuccessCriteriaMet"]),
        INVALID,
        field,
        "cannot disable the terminal Complete=True condition",
    )];
    refused(&site, "a", &parts).await?;
    job(&site, "b", json!({})).await?;
    write(&site, "b", fails(&["FailureTarget"])).await?.code(200)?;
    let parts = [(fails(&[]), INVALID, field, "cannot disable the terminal FailureTarget=True condition")];
    refused(&site, "b", &parts).await?;
    write(&site, "b", fails(&["FailureTarget", "Failed"])).await?.code(200)?;
    Ok(())
}

async fn times_of_an_end(site: Site) -> Outcome {
    let ended = |more: Value| {
        let conditions = hold(&["SuccessCriteriaMet", "Complete"]);
        extended(json!({"startTime": START, "completionTime": LATER, "conditions": conditions}), more)
    };
    let (start, completion) = ("status.startTime", "status.completionTime");
    job(&site, "a", json!({})).await?;
    let parts = [
        (json!({"completionTime": LATER}), INVALID, completion, "when there is no Complete=True condition"),
        (
            ended(json!({"completionTime": null})),
            REQUIRED,
            completion,
            "completionTime is required for Complete jobs",
        ),
        (ended(json!({"startTime": null})), REQUIRED, start, "startTime is required for finished job"),
        (
            ended(json!({"startTime": LATER, "completionTime": START})),
            INVALID,
            completion,
            "must be equal to or after `startTime`",
        ),
    ];
    refused(&site, "a", &parts).await?;
    write(&site, "a", json!({"startTime": START})).await?.code(200)?;
    let because = "field is immutable for unsuspended job once set";
    let parts = [
        (json!({"startTime": LATER}), INVALID, start, because),
        (json!({"startTime": null}), INVALID, start, because),
    ];
    refused(&site, "a", &parts).await?;
    write(&site, "a", ended(json!({}))).await?.code(200)?;
    let later = json!({"completionTime": "2026-01-01T00:02:00Z"});
    refused(&site, "a", &[(later, INVALID, completion, "field is immutable")]).await
}

async fn pods_of_an_end(site: Site) -> Outcome {
    let failed = |more: Value| {
        extended(json!({"startTime": START, "conditions": hold(&["FailureTarget", "Failed"])}), more)
    };
    job(&site, "a", json!({})).await?;
    let parts = [
        (failed(json!({"active": 1})), INVALID, "status.active", "active>0 is invalid for finished job"),
        (
            failed(json!({"terminating": 1})),
            INVALID,
            "status.terminating",
            "terminating>0 is invalid for finished job",
        ),
        (
            failed(json!({"uncountedTerminatedPods": {"failed": ["a"]}})),
            INVALID,
            "status.uncountedTerminatedPods",
            "{\"Succeeded\":null,\"Failed\":[\"a\"]}: must be empty for finished job",
        ),
    ];
    refused(&site, "a", &parts).await?;
    write(&site, "a", failed(json!({"active": 0, "terminating": 0}))).await?.code(200)?;
    Ok(())
}

async fn counts_and_indexes(site: Site) -> Outcome {
    let indexed = json!({
        "completionMode": "Indexed", "completions": 9, "parallelism": 2, "backoffLimitPerIndex": 1,
    });
    job(&site, "a", indexed).await?;
    write(&site, "a", json!({"succeeded": 2, "failed": 2})).await?.code(200)?;
    let waiting = |succeeded: Value, failed: Value| json!({"uncountedTerminatedPods": {"succeeded": succeeded, "failed": failed}});
    let uncounted = "status.uncountedTerminatedPods";
    let parts = [
        (json!({"failed": 1}), INVALID, "status.failed", "cannot decrease the failed counter"),
        (json!({"succeeded": 1}), INVALID, "status.succeeded", "cannot decrease the succeeded counter"),
        (json!({"failedIndexes": "3-2"}), INVALID, "status.failedIndexes", "error parsing failedIndexes"),
        (
            json!({"completedIndexes": "0,2-4", "failedIndexes": "1,3"}),
            INVALID,
            "status.failedIndexes",
            "failedIndexes and completedIndexes overlap at index: 3",
        ),
        (json!({"ready": 1}), INVALID, "status.ready", "cannot set more ready pods than active"),
        (
            waiting(json!([""]), json!([])),
            INVALID,
            &*format!("{uncounted}.succeeded[0]"),
            "must not be empty",
        ),
        (waiting(json!(["a"]), json!(["a"])), DUPLICATE, &*format!("{uncounted}.failed[0]"), ""),
    ];
    refused(&site, "a", &parts).await?;
    write(&site, "a", json!({"completedIndexes": "0,2-4", "failedIndexes": "1,5"})).await?.code(200)?;
    let elastic = json!({"completionMode": "Indexed", "completions": 2, "parallelism": 2});
    job(&site, "b", elastic).await?;
    write(&site, "b", json!({"succeeded": 2})).await?.code(200)?;
    write(&site, "b", json!({"succeeded": 1})).await?.code(200)?;
    Ok(())
}

async fn many_completions(site: Site) -> Outcome {
    let many = |more: Value| {
        let job = json!({"completionMode": "Indexed", "completions": 100_001, "backoffLimitPerIndex": 1});
        json!({"spec": with_template(extended(job, more), "Never")})
    };
    let bodies = [
        (many(json!({})), REQUIRED, "spec.maxFailedIndexes"),
        (many(json!({"maxFailedIndexes": 10_001})), INVALID, "spec.maxFailedIndexes"),
        (many(json!({"maxFailedIndexes": 1, "parallelism": 10_001})), INVALID, "spec.parallelism"),
    ];
    refuse(&site, "batch/v1/jobs", &bodies).await?;
    let mut valid = many(json!({"maxFailedIndexes": 10_000, "parallelism": 10_000}));
    valid["metadata"] = json!({"name": "a"});
    site.post("batch/v1/jobs?dryRun=All", valid).await?.code(201)?;
    Ok(())
}

async fn suspended_jobs(site: Site) -> Outcome {
    let path = "batch/v1/jobs/a";
    let container = |more: Value| {
        let container = extended(json!({"name": "a", "image": "b"}), more);
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    let amounts = |cpu: &str| container(json!({"resources": {"requests": {"cpu": cpu}}}));
    job(&site, "a", json!({"suspend": true})).await?;
    site.patch(MERGE, path, amounts("1")).await?.code(200)?;
    let nodes = json!({"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}});
    site.patch(MERGE, path, nodes).await?.code(200)?;
    let image = container(json!({"image": "c", "resources": {"requests": {"cpu": "1"}}}));
    site.patch(MERGE, path, image).await?.invalid(INVALID, "spec.template.spec")?;
    write(&site, "a", json!({"startTime": START, "active": 1})).await?.code(200)?;
    site.patch(MERGE, path, amounts("2")).await?.invalid(INVALID, "spec.template")?;
    write(&site, "a", json!({"active": 0, "conditions": hold(&["Suspended"])})).await?.code(200)?;
    site.patch(MERGE, path, amounts("2")).await?.code(200)?;
    site.patch(MERGE, path, json!({"spec": {"suspend": false}})).await?.code(200)?;
    site.patch(MERGE, path, amounts("3")).await?.invalid(INVALID, "spec.template")?;
    Ok(())
}
