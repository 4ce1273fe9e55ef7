//! [`Query`]: the parameters in a request's URL.

use std::time::Duration;

use serde_json::json;

use super::{
    parameters::Parameters,
    selector::{FieldSelector, LabelSelector},
    status::{Cause, Result, Status},
    verb::Verb,
};

/// The longest time that a request may take, in seconds: a century, which any clock can add to the present time.
const LONGEST_TIMEOUT: u64 = 100 * 365 * 24 * 3600;

/// All parameters that the server knows; others are ignored, as upstream ignores them.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    /// The most items in an answer; 0 is no limit.
    pub(crate) limit: usize,
    /// The token of the page before; empty for the first page.
    pub(crate) continue_token: String,
    /// `None` if absent or empty.
    pub(crate) resource_version: Option<u64>,
    /// The version that was sent is none, and this is the refusal. Lists and watches look for other mistakes first.
    pub(crate) no_version: Option<Status>,
    /// The options of a deletion are none, and this is the refusal. They do not count beside a body.
    pub(crate) no_options: Option<Status>,
    pub(crate) version_match: Option<Match>,
    pub(crate) watch: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) bookmarks: bool,
    pub(crate) send_initial_events: Option<bool>,
    /// Whether the server knows nothing of streaming lists: what a fault wants.
    pub(crate) is_before_streaming: bool,
    pub(crate) dry_run: bool,
    pub(crate) field_manager: Option<String>,
    /// Whether an applied configuration takes what others manage; `None` if nobody says.
    pub(crate) force: Option<bool>,
    pub(crate) field_validation: FieldValidation,
    /// Which part of an object a Table carries; empty for its metadata.
    pub(crate) include_object: String,
    /// Whose log is asked for; empty for the only container.
    pub(crate) container: String,
    /// Deletion options may stand in the URL, too.
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation_policy: Option<String>,
    pub(crate) orphan_dependents: Option<bool>,
    pub(crate) precondition_uid: Option<String>,
    pub(crate) precondition_version: Option<String>,
}

/// The treatment of undeclared and duplicate fields.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    /// They are left out.
    Ignore,
    /// They are left out, and the client is told.
    #[default]
    Warn,
    /// The request is refused.
    Strict,
}

/// How `resourceVersion` is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// At this version.
    Exact,
    /// At this version or a later one.
    NotOlderThan,
    /// Nothing that anybody knows.
    Unknown(String),
}

impl Match {
    /// The cause for a refusal, where only `supported` is known.
    pub(crate) fn not_supported(&self, supported: &[&str]) -> Cause {
        let found = match self {
            Self::Exact => "Exact",
            Self::NotOlderThan => "NotOlderThan",
            Self::Unknown(found) => found,
        };
        Cause::not_supported("resourceVersionMatch", &json!(found), supported)
    }
}

impl Query {
    /// Whether the parameters ask for a watch.
    pub(crate) fn asks_to_watch(parameters: &Parameters) -> bool {
        parameters.first("watch").is_some_and(flag)
    }

    /// The one name that the field selector of a list or a watch leaves, if it leaves one: authorization goes by it like
    /// by a name in the path. As upstream, one mistake in a list's options makes that none.
    pub(crate) fn selected_name(parameters: &Parameters) -> Option<String> {
        LabelSelector::parse(parameters.first("labelSelector").unwrap_or_default()).ok()?;
        for option in ["limit", "timeoutSeconds"] {
            parameters.first(option).map_or(Ok(None), number).ok()?;
        }
        let fields = FieldSelector::parse(parameters.first("fieldSelector")?).ok()?;
        let is_segment = |name: &&str| !matches!(*name, "." | "..") && !name.contains(['/', '%']);
        fields.required("metadata.name").filter(is_segment).map(str::to_owned)
    }

    /// Reads the parameters, but for those that are ignored.
    pub(crate) fn parse(
        parameters: &Parameters,
        verb: Verb,
        is_ignored: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let options = match verb {
            Verb::Create => "CreateOptions",
            Verb::Update => "UpdateOptions",
            Verb::Patch => "PatchOptions",
            _ => "DeleteOptions",
        };
        let is_deletion = matches!(verb, Verb::Delete | Verb::DeleteCollection);
        let is_before_streaming = is_ignored("sendInitialEvents");
        let mut parsed = Self { is_before_streaming, ..Self::default() };
        let firsts = parameters.firsts().filter(|(name, _)| !is_ignored(name) && is_known(verb, name));
        for (name, value) in firsts {
            if is_deletion && name == "resourceVersion" && !value.is_empty() {
                parsed.precondition_version = Some(value.to_owned());
            }
            match name {
                "labelSelector" => parsed.labels = LabelSelector::parse(value)?,
                "fieldSelector" => parsed.fields = FieldSelector::parse(value)?,
                "limit" => {
                    let limit = number(value)?.and_then(|limit| usize::try_from(limit).ok());
                    parsed.limit = limit.unwrap_or_default();
                }
                "continue" => value.clone_into(&mut parsed.continue_token),
                "uid" if is_deletion && !value.is_empty() => parsed.precondition_uid = Some(value.to_owned()),
                "resourceVersion" if verb == Verb::Delete => {}
                "resourceVersion" => match version(value, verb) {
                    Ok(version) => parsed.resource_version = version,
                    Err(refusal) if matches!(verb, Verb::List | Verb::Watch) => {
                        parsed.no_version = Some(refusal);
                    }
                    Err(refusal) => return Err(refusal),
                },
                "resourceVersionMatch" => parsed.version_match = version_match(value),
                "watch" => parsed.watch = flag(value),
                "timeoutSeconds" => {
                    let seconds = number(value)?.and_then(|seconds| u64::try_from(seconds).ok());
                    let seconds = seconds.filter(|seconds| *seconds > 0);
                    parsed.timeout = seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST_TIMEOUT)));
                }
                "allowWatchBookmarks" => parsed.bookmarks = flag(value),
                "sendInitialEvents" => parsed.send_initial_events = Some(flag(value)),
                "dryRun" => match dry_run(parameters, options) {
                    Ok(dry_run) => parsed.dry_run = dry_run,
                    Err(refusal) if is_deletion => parsed.no_options = Some(refusal),
                    Err(refusal) => return Err(refusal),
                },
                "fieldManager" => parsed.field_manager = Some(value.to_owned()),
                "force" => parsed.force = Some(flag(value)),
                "fieldValidation" => parsed.field_validation = field_validation(value, options)?,
                "includeObject" => value.clone_into(&mut parsed.include_object),
                "container" => value.clone_into(&mut parsed.container),
                "gracePeriodSeconds" => match number(value) {
                    Ok(seconds) => parsed.grace_period_seconds = seconds,
                    Err(refusal) => parsed.no_options = Some(refusal),
                },
                "propagationPolicy" => parsed.propagation_policy = Some(value.to_owned()),
                "orphanDependents" => parsed.orphan_dependents = Some(flag(value)),
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// Whether the options of a verb have the parameter; what they do not have is not read.
fn is_known(verb: Verb, name: &str) -> bool {
    match name {
        "labelSelector"
        | "fieldSelector"
        | "limit"
        | "continue"
        | "resourceVersionMatch"
        | "watch"
        | "timeoutSeconds"
        | "allowWatchBookmarks"
        | "sendInitialEvents" => {
            matches!(verb, Verb::List | Verb::Watch | Verb::DeleteCollection)
        }
        "resourceVersion" => {
            matches!(verb, Verb::Get | Verb::List | Verb::Watch | Verb::Delete | Verb::DeleteCollection)
        }
        "gracePeriodSeconds" | "propagationPolicy" | "orphanDependents" => {
            matches!(verb, Verb::Delete | Verb::DeleteCollection)
        }
        _ => true,
    }
}

/// Upstream takes everything but `false` and `0` as true.
fn flag(value: &str) -> bool {
    !(value == "0" || value.eq_ignore_ascii_case("false"))
}

fn number(value: &str) -> Result<Option<i64>> {
    let parsed = value.parse().map(Some);
    parsed.map_err(|_| Status::bad_request(format!("strconv.ParseInt: parsing {value:?}: invalid syntax")))
}

/// A version that no server has given out; which refusal that earns depends on the verb.
fn version(value: &str, verb: Verb) -> Result<Option<u64>> {
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| {
        let because = format!(
            "resourceVersion: Invalid value: {value:?}: strconv.ParseUint: parsing {value:?}: invalid syntax"
        );
        if matches!(verb, Verb::Watch | Verb::Get) {
            Status::internal(because)
        } else {
            Status::bad_request(format!("invalid resource version: {because}"))
        }
    })
}

fn version_match(value: &str) -> Option<Match> {
    match value {
        "" => None,
        "Exact" => Some(Match::Exact),
        "NotOlderThan" => Some(Match::NotOlderThan),
        other => Some(Match::Unknown(other.to_owned())),
    }
}

fn field_validation(value: &str, options: &str) -> Result<FieldValidation> {
    match value {
        "" | "Warn" => Ok(FieldValidation::Warn),
        "Strict" => Ok(FieldValidation::Strict),
        "Ignore" => Ok(FieldValidation::Ignore),
        other => {
            let supported = ["", "Ignore", "Strict", "Warn"];
            let cause = Cause::not_supported("fieldValidation", &json!(other), &supported);
            Err(Status::invalid_options(options, &[cause]))
        }
    }
}

/// `dryRun` is a list: it may be repeated, and each value counts.
fn dry_run(parameters: &Parameters, options: &str) -> Result<bool> {
    let values: Vec<&str> = parameters.all("dryRun").collect();
    if values.iter().any(|value| *value != "All") {
        let cause = Cause::not_supported("dryRun", &json!(values), &["All"]);
        return Err(Status::invalid_options(options, &[cause]));
    }
    Ok(!values.is_empty())
}

/// 422 for parameters of a list or a watch that do not go together.
pub(crate) fn invalid_options(causes: &[Cause]) -> Status {
    Status::invalid_options("ListOptions", causes)
}
