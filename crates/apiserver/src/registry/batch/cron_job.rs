//! `CronJob`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{object, path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, Strategy,
        age::ago,
        cells, column,
        defaults::{self, Fields},
        validation, warnings,
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("batch", "v1", "CronJob", "cronjobs")
        .all()
        .status()
        .short("cj")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |cron| set_spec_defaults(defaults::spec(cron)),
    validate,
    warnings,
    ..base::BASE
};

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(
        spec,
        [
            ("concurrencyPolicy", json!("Allow")),
            ("suspend", json!(false)),
            ("successfulJobsHistoryLimit", json!(3)),
            ("failedJobsHistoryLimit", json!(1)),
        ],
    );
    if let Some(job) = defaults::object(spec, "jobTemplate") {
        defaults::fill(job, [("metadata", json!({}))]);
        if let Some(spec) = defaults::object(job, "spec") {
            defaults::pod::template(spec);
        }
    }
}

fn validate(cron: &Value, causes: &mut Vec<Cause>) {
    let (spec, name) = (&cron["spec"], object::name(cron));
    if name.len() > 52 {
        causes.push(Cause::invalid("metadata.name", &json!(name), "must be no more than 52 characters"));
    }
    let schedule = validation::text(spec, "schedule");
    if schedule.is_empty() {
        causes.push(Cause::required("spec.schedule", ""));
    } else if let Some(because) = super::schedule::fault(schedule) {
        causes.push(Cause::invalid("spec.schedule", &json!(schedule), because));
    }
    if let Some(zone) = spec["timeZone"].as_str() {
        let faults = super::schedule::zone_faults(zone).into_iter();
        causes.extend(faults.map(|because| Cause::invalid("spec.timeZone", &json!(zone), because)));
    }
    validation::at_least(0, spec, &Path::Root("spec"), "startingDeadlineSeconds", causes);
    validation::one_of(
        &spec["concurrencyPolicy"],
        "spec.concurrencyPolicy",
        &["Allow", "Forbid", "Replace"],
        causes,
    );
    validate_template(&spec["jobTemplate"]["spec"], &Path::Root("spec.jobTemplate.spec"), causes);
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        validation::at_least(0, spec, &Path::Root("spec"), field, causes);
    }
}

/// Validates the spec of the Jobs, whose selectors are always generated.
fn validate_template(job: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    super::job::validate_spec(job, path, causes);
    if job["selector"].is_object() {
        let because = "`selector` will be auto-generated";
        causes.push(validation::parts::invalid_selector(&job["selector"], path.child("selector"), because));
    }
    if job["manualSelector"] == true {
        let field = path.child("manualSelector");
        causes.push(Cause::not_supported(field, &json!(true), &["nil", "false"]));
    }
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = warnings::of_new_name(old, new, "Pod names and hostnames");
    warnings.extend(super::job::spec_warnings(old, new, "spec.jobTemplate.spec"));
    if warnings::text(new, "/spec/schedule").contains("TZ") {
        warnings.push(
            "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
                .to_owned(),
        );
    }
    warnings
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("Schedule", "/spec/schedule"),
        column::computed("Timezone", time_zone),
        column::boolean("Suspend", "/spec/suspend"),
        Column::new("Active", "integer", Cell::Computed(active_jobs)),
        column::computed("Last Schedule", last_schedule),
    ]);
    columns.extend([
        column::computed("Containers", job_containers).wide(),
        column::computed("Images", job_images).wide(),
        column::computed("Selector", job_selector).wide(),
    ]);
    columns
}

/// Returns the time zone of the schedule.
fn time_zone(cron: &Value, _: Timestamp) -> Value {
    cells::text_or(cron, "/spec/timeZone", cells::NONE)
}

fn active_jobs(cron: &Value, _: Timestamp) -> Value {
    cells::array(cron, "/status/active").len().into()
}

fn last_schedule(cron: &Value, now: Timestamp) -> Value {
    cells::time(cron, "/status/lastScheduleTime").map_or(cells::NONE.into(), |last| ago(last, now).into())
}

fn job_containers(cron: &Value, now: Timestamp) -> Value {
    cells::containers(&cron["spec"]["jobTemplate"], now)
}

fn job_images(cron: &Value, now: Timestamp) -> Value {
    cells::images(&cron["spec"]["jobTemplate"], now)
}

fn job_selector(cron: &Value, now: Timestamp) -> Value {
    cells::selector(&cron["spec"]["jobTemplate"], now)
}
