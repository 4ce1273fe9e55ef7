//! Validation of the status of a Job: counts, indexes, times, and the conditions of its end. Most rules hold for the fields that a
//! write changes, so that a status that broke one before can still be written.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::{condition, indexes, policies::without_value};
use crate::{
    api::{path::Path, status::Cause, subresource::Subresource},
    registry::validation,
};

const STATUS: Path<'static> = Path::Root("status");
const CONDITIONS: &str = "status.conditions";

/// Validates a changed status.
pub(super) fn validate_part(
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
    causes: &mut Vec<Cause>,
) {
    if subresource != Some(Subresource::Status) {
        return;
    }
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        validation::at_least(0, &new["status"], &STATUS, field, causes);
    }
    uncounted(&new["status"], causes);
    let change = Change { old, new };
    change.conditions(causes);
    change.times(causes);
    change.finished(causes);
    change.indexes(causes);
    change.counts(causes);
}

/// Validates the UIDs of Pods that have ended and are not counted yet.
fn uncounted(status: &Value, causes: &mut Vec<Cause>) {
    let (mut seen, path) = (BTreeSet::new(), STATUS.child("uncountedTerminatedPods"));
    for list in ["succeeded", "failed"] {
        let path = path.child(list);
        for (position, uid) in validation::items(&status["uncountedTerminatedPods"], list).iter().enumerate()
        {
            if uid == "" {
                causes.push(Cause::invalid(path.index(position), uid, "must not be empty"));
            } else if !seen.insert(uid.as_str()) {
                causes.push(validation::duplicate(path.index(position), uid));
            }
        }
    }
}

/// The old and the new state of a Job.
#[derive(Clone, Copy)]
struct Change<'a> {
    old: &'a Value,
    new: &'a Value,
}

impl<'a> Change<'a> {
    /// Returns whether a condition is true now.
    fn holds(self, kind: &str) -> bool {
        condition(self.new, kind) == Some("True")
    }

    /// Returns whether a condition was true before.
    fn held(self, kind: &str) -> bool {
        condition(self.old, kind) == Some("True")
    }

    /// Returns whether a condition becomes true or stops being so.
    fn turns(self, kind: &str) -> bool {
        self.holds(kind) != self.held(kind)
    }

    fn is_finished(self) -> bool {
        self.holds("Complete") || self.holds("Failed")
    }

    /// Returns whether the Job finishes or stops being finished.
    fn turns_finished(self) -> bool {
        self.is_finished() != (self.held("Complete") || self.held("Failed"))
    }

    fn field(self, field: &str) -> &'a Value {
        &self.new["status"][field]
    }

    fn number(self, field: &str) -> i64 {
        self.field(field).as_i64().unwrap_or(0)
    }

    fn changes(self, field: &str) -> bool {
        let [before, after] =
            [self.old, self.new].map(|job| job["status"].get(field).unwrap_or(&Value::Null));
        before != after
    }

    /// Validates which conditions hold together, and that those of the end stay.
    fn conditions(self, causes: &mut Vec<Cause>) {
        let (complete, failed) = (self.holds("Complete"), self.holds("Failed"));
        let (target, met) = (self.holds("FailureTarget"), self.holds("SuccessCriteriaMet"));
        let turns = |kinds: [&str; 2]| kinds.into_iter().any(|kind| self.turns(kind));
        let mut refuse = |is_wrong: bool, because: &str| {
            causes.extend(is_wrong.then(|| without_value(CONDITIONS, because)));
        };
        refuse(
            complete && failed && turns(["Complete", "Failed"]),
            "cannot set Complete=True and Failed=true conditions",
        );
        refuse(
            complete && target && turns(["Complete", "FailureTarget"]),
            "cannot set Complete=True and FailureTarget=true conditions",
        );
        refuse(
            failed && !target && (self.turns("Failed") || self.changes("failedIndexes")),
            "cannot set Failed=True condition without the FailureTarget=true condition",
        );
        refuse(
            complete && !met && turns(["Complete", "SuccessCriteriaMet"]),
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        );
        refuse(met && failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
        refuse(met && target, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
        refuse(
            complete && !met && self.new["spec"]["successPolicy"].is_object(),
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
        );
        for kind in ["Failed", "Complete", "FailureTarget"] {
            let because = format!("cannot disable the terminal {kind}=True condition");
            refuse(self.held(kind) && !self.holds(kind), &because);
        }
        let was_met = self.held("SuccessCriteriaMet");
        refuse(was_met && !met, "cannot disable the SuccessCriteriaMet=True condition");
        refuse(
            self.held("Complete") && !was_met && met,
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
        );
    }

    /// Validates when the Job started and was complete.
    fn times(self, causes: &mut Vec<Cause>) {
        let (start, completion) = (self.field("startTime"), self.field("completionTime"));
        let complete = self.holds("Complete");
        let (path, changes) = (STATUS.child("completionTime"), self.changes("completionTime"));
        if (self.turns("Complete") || changes) && completion.is_null() == complete {
            causes.push(match complete {
                true => Cause::required(path, "completionTime is required for Complete jobs"),
                false => {
                    let because = "cannot set completionTime when there is no Complete=True condition";
                    Cause::invalid(path, completion, because)
                }
            });
        }
        let time = |time: &Value| time.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let is_early = time(completion).zip(time(start)).is_some_and(|(end, start)| end < start);
        if is_early && (changes || self.changes("startTime")) {
            causes.push(Cause::invalid(path, completion, "must be equal to or after `startTime`"));
        }
        let was_set = |field: &str| !self.old["status"][field].is_null();
        if changes && was_set("completionTime") && !completion.is_null() {
            causes.push(Cause::invalid(path, completion, "field is immutable"));
        }
        let resumes = self.held("Suspended") && condition(self.new, "Suspended") == Some("False");
        let is_suspended = self.new["spec"]["suspend"] == true;
        if self.changes("startTime") && was_set("startTime") && !is_suspended && !resumes {
            let because = "field is immutable for unsuspended job once set";
            causes.push(Cause::invalid(STATUS.child("startTime"), start, because));
        }
    }

    /// Validates that a finished Job has started, and that none of its Pods runs or waits to be counted.
    fn finished(self, causes: &mut Vec<Cause>) {
        if !self.is_finished() {
            return;
        }
        for field in ["active", "terminating"] {
            if self.number(field) > 0 && (self.turns_finished() || self.changes(field)) {
                let because = format!("{field}>0 is invalid for finished job");
                causes.push(Cause::invalid(STATUS.child(field), self.field(field), because));
            }
        }
        let spec = &self.new["spec"];
        let never_starts = spec["suspend"] == true && spec["completions"] == 0;
        let is_new = self.turns_finished() || self.changes("startTime");
        if is_new && !never_starts && self.field("startTime").is_null() {
            causes.push(Cause::required(STATUS.child("startTime"), "startTime is required for finished job"));
        }
        let field = "uncountedTerminatedPods";
        let [succeeded, failed] = ["succeeded", "failed"].map(|list| &self.field(field)[list]);
        let has_some =
            [succeeded, failed].iter().any(|list| list.as_array().is_some_and(|uids| !uids.is_empty()));
        if has_some && (self.turns_finished() || self.changes(field)) {
            // Upstream shows its Go struct, in its order.
            let shown = format!("{{\"Succeeded\":{succeeded},\"Failed\":{failed}}}");
            causes.push(Cause::invalid_json(STATUS.child(field), &shown, "must be empty for finished job"));
        }
    }

    /// Validates the lists of completed and of failed indexes.
    fn indexes(self, causes: &mut Vec<Cause>) {
        let (spec, completed) = (&self.new["spec"], self.field("completedIndexes"));
        let (failed, completions) = (self.field("failedIndexes"), spec["completions"].as_i64());
        let text = |indexes: &Value| indexes.as_str().unwrap_or_default().to_owned();
        let mut unreadable = |field: &str, indexes: &Value| {
            if let Some(Err(because)) =
                completions.map(|completions| indexes::count(&text(indexes), completions))
            {
                let because = format!("error parsing {field}: {because}");
                causes.push(Cause::invalid(STATUS.child(field), indexes, because));
            }
        };
        let (changes_completed, changes_failed) =
            (self.changes("completedIndexes"), self.changes("failedIndexes"));
        let (is_limited, has_failed) = (!spec["backoffLimitPerIndex"].is_null(), failed.is_string());
        if changes_completed {
            unreadable("completedIndexes", completed);
        }
        if changes_failed && is_limited && has_failed {
            unreadable("failedIndexes", failed);
        }
        if changes_completed && !text(completed).is_empty() && spec["completionMode"] != "Indexed" {
            let because = "cannot set non-empty completedIndexes when non-indexed completion mode";
            causes.push(Cause::invalid(STATUS.child("completedIndexes"), completed, because));
        }
        if changes_failed && !is_limited && has_failed {
            let because = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
            causes.push(Cause::invalid(STATUS.child("failedIndexes"), failed, because));
        }
        let common = completions.and_then(|most| indexes::overlap(&text(completed), &text(failed), most));
        if let (true, Some(index)) = (changes_completed || changes_failed, common) {
            let because = format!("failedIndexes and completedIndexes overlap at index: {index}");
            causes.push(Cause::invalid(STATUS.child("failedIndexes"), &json!(text(failed)), because));
        }
    }

    /// Validates that no more Pods are ready than active, and that Pods that have ended stay counted.
    fn counts(self, causes: &mut Vec<Cause>) {
        if (self.changes("ready") || self.changes("active")) && self.number("ready") > self.number("active") {
            let because = "cannot set more ready pods than active";
            causes.push(Cause::invalid(STATUS.child("ready"), self.field("ready"), because));
        }
        let spec = &self.new["spec"];
        // A Job of this form can be scaled down.
        let is_elastic = spec["completionMode"] == "Indexed" && spec["completions"] == spec["parallelism"];
        for field in ["failed", "succeeded"] {
            let before = self.old["status"][field].as_i64().unwrap_or(0);
            if self.number(field) < before && !(field == "succeeded" && is_elastic) {
                let because = format!("cannot decrease the {field} counter");
                causes.push(Cause::invalid(STATUS.child(field), &json!(self.number(field)), because));
            }
        }
    }
}
