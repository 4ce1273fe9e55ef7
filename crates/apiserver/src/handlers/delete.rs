//! Delete, of one object or of all that match: at once, after a grace period, or when the last
//! finalizer is gone.

use std::sync::Arc;

use http::{Response, StatusCode};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use trimtab_schema::Schema;

use super::{
    core::Core,
    decode::unregistered,
    options::ListPlan,
    request::Request,
    show::{self, Shape},
    write::is_free,
};
use crate::{
    Operation,
    api::{
        clock,
        key::Key,
        object,
        query::Query,
        status::{Cause, Result, Status, success},
    },
    registry::{Kind, rules, strategy::Dependents},
    store::{Draft, Stored},
    wire::{
        body::{self, ResponseBody},
        negotiate::read_options,
    },
};

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// The options of a deletion, from its body or its URL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeleteOptions {
    grace_period_seconds: Option<i64>,
    preconditions: Option<Preconditions>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
    dry_run: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

impl Preconditions {
    /// Those in the URL, if there are some.
    fn of(query: &Query) -> Option<Self> {
        let (uid, resource_version) = (query.precondition_uid.clone(), query.precondition_version.clone());
        (uid.is_some() || resource_version.is_some()).then_some(Self { uid, resource_version })
    }
}

/// The result of the deletion of an object.
enum Deleted {
    Gone(Arc<Stored>),
    /// It stays for a while.
    Marked(Arc<Stored>),
}

/// Deletes one object.
pub(super) fn delete(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let options = DeleteOptions::of(request)?;
    options.warn(request);
    respond(core, request, remove(core, request, &request.key(), &options)?)
}

fn respond(core: &Core, request: &Request, deleted: Deleted) -> Result<Response<ResponseBody>> {
    let kind = request.kind();
    match deleted {
        Deleted::Gone(stored) if !kind.strategy.returns_deleted => {
            Ok(body::value(StatusCode::OK, &success(kind.into(), stored.key.name(), stored.uid())))
        }
        Deleted::Gone(stored) | Deleted::Marked(stored) => {
            show::answer(core, request, StatusCode::OK, &stored)
        }
    }
}

/// Deletes all objects that match, one by one, and lists them.
pub(super) fn delete_collection(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let options = DeleteOptions::of(request)?;
    let (kind, query) = (request.kind(), &request.query);
    ListPlan::of(query)?; // only for its mistakes: what is deleted is what there is now
    kind.check_selectable(&query.fields)?;
    options.warn(request);
    let limit = if query.limit == 0 { usize::MAX } else { query.limit };
    let page =
        core.registry.store.list(&kind.resource(), &request.route.namespace, None, None, limit, |stored| {
            !request.stop.is_told() && request.selects(stored)
        });
    let page = page.map_err(|expired| Status::too_old(expired.seen, expired.oldest))?;
    let mut deleted = Vec::new();
    for stored in &page.items {
        request.check_wanted()?;
        match remove(core, request, &stored.key, &options) {
            Ok(_) => deleted.push(stored.clone()), // as it was found
            Err(status) if status.code() == StatusCode::NOT_FOUND => {} // somebody else was faster
            Err(status) => return Err(status),
        }
    }
    let metadata = json!({"resourceVersion": page.version.to_string()});
    Ok(Shape::of(request)?.list(core, &request.route.kind, &metadata, deleted))
}

/// Deletes the object with the options of a Pod's eviction.
pub(super) fn evict(core: &Core, request: &Request, options: &DeleteOptions) -> Result<()> {
    remove(core, request, &request.key(), options).map(drop)
}

impl DeleteOptions {
    /// Reads the options in an `Eviction`.
    pub(super) fn of_eviction(request: &Request, options: &Value) -> Result<Self> {
        let mut options = Self::from_json(options)?;
        if request.query.dry_run {
            options.dry_run = vec!["All".to_owned()];
        }
        Ok(options)
    }

    /// Lets a precondition of the version demand the one that this request has written.
    pub(super) fn follow(&mut self, written: u64) {
        if let Some(version) = self.preconditions.as_mut().and_then(|wanted| wanted.resource_version.as_mut())
        {
            *version = written.to_string();
        }
    }

    /// Returns whether nothing is to be deleted.
    pub(super) fn is_dry_run(&self) -> bool {
        !self.dry_run.is_empty()
    }

    fn of(request: &Request) -> Result<Self> {
        if !request.body.is_empty() {
            // What the URL says beside a body is not looked at.
            let schema = Schema::of_type("apimachinery.pkg.apis.meta.v1.DeleteOptions");
            return Self::from_json(&read_options(&request.headers, &request.body, schema)?)?.check();
        }
        let query = &request.query;
        if let Some(refusal) = &query.no_options {
            return Err(refusal.clone());
        }
        let options = Self {
            grace_period_seconds: query.grace_period_seconds,
            preconditions: Preconditions::of(query),
            propagation_policy: query.propagation_policy.clone(),
            orphan_dependents: query.orphan_dependents,
            dry_run: if query.dry_run { vec!["All".to_owned()] } else { Vec::new() },
        };
        options.check()
    }

    fn from_json(options: &Value) -> Result<Self> {
        let kind = options.get("kind").and_then(Value::as_str).unwrap_or("DeleteOptions");
        if kind != "DeleteOptions" {
            let version = object::api_version(options);
            return Err(Status::bad_request(unregistered(kind, version)));
        }
        Self::deserialize(options).map_err(|error| Status::bad_request(format!("DeleteOptions: {error}")))
    }

    fn check(self) -> Result<Self> {
        let mut causes = Vec::new();
        if let Some(policy) = &self.propagation_policy {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            if !known[..3].contains(&&**policy) {
                causes.push(Cause::not_supported("propagationPolicy", &json!(policy), &known));
            }
            if self.orphan_dependents.is_some() {
                let because = "orphanDependents and deletionPropagation cannot be both set";
                causes.push(Cause::invalid("propagationPolicy", &json!(policy), because));
            }
        }
        if self.dry_run.iter().any(|value| value != "All") {
            causes.push(Cause::not_supported("dryRun", &json!(self.dry_run), &["All"]));
        }
        if causes.is_empty() { Ok(self) } else { Err(Status::invalid_options("DeleteOptions", &causes)) }
    }

    /// Warns a client who says nothing about dependents that are kept.
    fn warn(&self, request: &Request) {
        if self.propagation_policy.is_none() && self.orphan_dependents.is_none() {
            let warning = request.kind().strategy.deletion_warning;
            request.warnings.add(warning.map(str::to_owned));
        }
    }

    /// The finalizers of `object` once the garbage collector's are as the options ask.
    fn finalizers(&self, kind: &Kind, object: &Value) -> Vec<String> {
        let wanted = match (self.propagation_policy.as_deref(), self.orphan_dependents) {
            _ if kind.strategy.dependents == Dependents::Never => None,
            (Some("Orphan"), _) | (None, Some(true)) => Some(ORPHAN),
            (Some("Foreground"), _) => Some(FOREGROUND),
            (Some(_), _) | (None, Some(false)) => None,
            (None, None) => {
                let present = || object::finalizers(object).map(str::to_owned);
                let is_decided = present().any(|finalizer| [ORPHAN, FOREGROUND].contains(&&*finalizer));
                let orphan = (!is_decided && kind.strategy.dependents == Dependents::Orphaned)
                    .then(|| ORPHAN.to_owned());
                return present().chain(orphan).collect();
            }
        };
        let others = object::finalizers(object).filter(|finalizer| ![ORPHAN, FOREGROUND].contains(finalizer));
        others.chain(wanted).map(str::to_owned).collect()
    }
}

fn remove(core: &Core, request: &Request, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
    let kind = request.kind();
    rules::check_deletion(kind, key.name())?;
    let resource = kind.resource();
    loop {
        let current =
            core.registry.store.get(&resource, key).ok_or_else(|| Status::not_found(kind, key.name()))?;
        let value = current.value();
        check_preconditions(kind, &value, options)?;
        core.hooks.validate(
            request.admission(Operation::Delete),
            key.name(),
            None,
            Some(&core.hooks.seen(&current)),
        )?;
        let marked = mark(kind, &value, options, core.registry.clock.now());
        let dry_run = options.is_dry_run();
        let written = if is_free(kind, &marked) {
            if dry_run {
                return Ok(Deleted::Gone(current));
            }
            core.registry.store.remove(&resource, key, current.version).map(Deleted::Gone)
        } else if marked == *value {
            return Ok(Deleted::Marked(current));
        } else if dry_run {
            return Ok(Deleted::Marked(Stored::unsaved(&marked, current.managers()).into()));
        } else {
            let draft = Draft::managed(marked, current.managers());
            core.registry.store.put(&resource, key, Some(current.version), draft).map(Deleted::Marked)
        };
        if let Ok(deleted) = written {
            let Deleted::Gone(stored) = deleted else { return Ok(deleted) };
            core.after_commit(kind, &stored);
            return Ok(Deleted::Gone(if kind.grace_seconds > 0 { farewell(core, &stored) } else { stored }));
        }
    }
}

/// Returns an object that might have been given time, as the answer to its deletion shows it: marked, and gone at once.
fn farewell(core: &Core, stored: &Arc<Stored>) -> Arc<Stored> {
    let mut object = (*stored.value()).clone();
    if object::is_being_deleted(&object) {
        return stored.clone();
    }
    count_generation(&mut object);
    set_grace(&mut object, 0, core.registry.clock.now());
    Arc::new(Stored::unsaved(&object, stored.managers()))
}

/// Refuses the deletion of another object, or of another state of it, than the options demand.
pub(super) fn check_preconditions(kind: &Kind, current: &Value, options: &DeleteOptions) -> Result<()> {
    let Some(wanted) = &options.preconditions else {
        return Ok(());
    };
    let name = object::name(current);
    let (uid, version) = (object::uid(current), object::resource_version(current));
    if let Some(wanted) = wanted.uid.as_deref().filter(|wanted| *wanted != uid) {
        let because = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might \
             have been deleted and then recreated"
        );
        return Err(Status::precondition_failed(kind, name, &because));
    }
    if let Some(wanted) = wanted.resource_version.as_deref().filter(|wanted| *wanted != version) {
        let because = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({version}). The object might have been modified"
        );
        return Err(Status::precondition_failed(kind, name, &because));
    }
    Ok(())
}

/// The object as the deletion leaves it; if nothing holds it then, it is to be removed.
fn mark(kind: &Kind, current: &Value, options: &DeleteOptions, now: Timestamp) -> Value {
    let mut object = current.clone();
    let finalizers = options.finalizers(kind, current);
    let metadata = object::metadata_mut(&mut object);
    if finalizers.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), finalizers.into());
    }
    let asked = options.grace_period_seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
    if object::is_being_deleted(current) {
        let pending = object::grace_period(current).unwrap_or(0);
        // A grace period may only become shorter.
        if let Some(grace) = asked.filter(|grace| *grace < pending) {
            // It counts from the first deletion.
            set_grace(&mut object, grace, deletion_start(current, pending).unwrap_or(now));
        }
        return object;
    }
    if let Some(mark_deleted) = kind.strategy.mark_deleted {
        mark_deleted(&mut object, &clock::seconds(now).into());
        return object;
    }
    let grace = rules::grace_period(kind, current, asked);
    if grace == 0 && is_free(kind, &object) {
        return object;
    }
    count_generation(&mut object);
    set_grace(&mut object, grace, now);
    (kind.strategy.prepare_for_delete)(&mut object);
    object
}

/// Counts the beginning of the deletion as a generation.
fn count_generation(object: &mut Value) {
    let generation = object::metadata(object).get("generation").and_then(Value::as_i64);
    if let Some(generation) = generation.filter(|generation| *generation > 0) {
        object::metadata_mut(object).insert("generation".to_owned(), (generation + 1).into());
    }
}

/// Sets when the object is to be gone: so many seconds after `start`.
fn set_grace(object: &mut Value, seconds: i64, start: Timestamp) {
    let metadata = object::metadata_mut(object);
    let end = start.saturating_add(SignedDuration::from_secs(seconds)).expect("saturates");
    metadata.insert("deletionTimestamp".to_owned(), clock::seconds(end).into());
    metadata.insert("deletionGracePeriodSeconds".to_owned(), seconds.into());
}

/// When the pending deletion was asked for.
fn deletion_start(object: &Value, pending: i64) -> Option<Timestamp> {
    let end: Timestamp = object::text(object, "deletionTimestamp").parse().ok()?;
    end.checked_sub(SignedDuration::from_secs(pending)).ok()
}
