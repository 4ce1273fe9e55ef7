//! `/scale`: the number of replicas in one form for every kind that has some.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    apply::Config,
    core::Core,
    decode, managed,
    patch::Patch,
    request::Request,
    write::{self, Made, Managers, Scope},
};
use crate::{
    api::{
        object,
        resource::Resource,
        selector::LabelSelector,
        status::{Cause, Result, Status},
        verb::Verb,
    },
    registry::{self, Kind},
    wire::body::{self, ResponseBody},
};

/// Shows how an object is scaled.
pub(super) fn get(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let kind = request.kind();
    let stored = core.registry.store.get(&kind.resource(), &request.key());
    let stored = stored.ok_or_else(|| Status::not_found(kind, &request.route.name))?;
    Ok(body::value(StatusCode::OK, &show_scale(kind, &stored.value())))
}

/// Sets the number of replicas.
pub(super) fn set(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let kind = request.kind();
    let change = Change::read(request)?;
    let replicas = &paths(kind).spec;
    let written = write::change(core, request, Scope::Object, |current, managers| {
        let live = show_scale(kind, current);
        let lent = managed::scale::lend(managers, replicas);
        let lent = lent.as_deref();
        let now = core.registry.clock.seconds();
        let writer = managed::scale::writer(&core.registry.kinds, &request.manager, &now);
        let updated = |mut scale: Value| {
            let lent = writer.updated(&live, lent, &mut scale);
            (scale, lent)
        };
        let (scale, lent) = match &change {
            Change::Apply(config) => {
                let force = request.query.force.unwrap_or(false);
                let applied = writer.apply(&live, lent, &config.object, force)?;
                config.judge(request)?;
                applied
            }
            Change::Patch(patch) => {
                let shown = object::whole(&live, lent);
                updated(decode::patched_scale(request, &shown, patch)?)
            }
            Change::Replace(sent) => updated(sent.clone()),
        };
        let object = scaled(kind, current, &scale)?;
        let managers = managed::scale::give_back(managers, &kind.api_version(), replicas, lent.as_deref());
        Ok(Made { object, managers: Managers::Are(managers) })
    })?;
    Ok(body::value(StatusCode::OK, &show_scale(kind, &written.value())))
}

/// The body of a request to `/scale`.
enum Change {
    Apply(Config),
    Patch(Patch),
    Replace(Value),
}

impl Change {
    fn read(request: &Request) -> Result<Self> {
        Ok(match request.route.verb {
            Verb::Patch if request.is_apply() => Self::Apply(Config::read(&request.body)?),
            Verb::Patch => Self::Patch(decode::patch(request)?),
            _ => {
                let mut sent = decode::other(request, "autoscaling", "v1", "Scale")?;
                decode::check_name(request, &sent)?;
                decode::settle(request, &mut sent)?;
                Self::Replace(sent)
            }
        })
    }
}

fn paths(kind: &Kind) -> &registry::Scale {
    kind.scale.as_ref().expect("only kinds that scale have the path")
}

/// The object with the number of replicas, and the preconditions, of `scale`.
fn scaled(kind: &Kind, current: &Value, scale: &Value) -> Result<Value> {
    let replicas = scale.pointer("/spec/replicas").cloned().unwrap_or_else(|| json!(0));
    if replicas.as_i64().is_none_or(|replicas| replicas < 0) {
        let cause = Cause::invalid("spec.replicas", &replicas, "must be greater than or equal to 0");
        let scale = Resource::new("autoscaling", "Scale", "scales");
        return Err(Status::invalid(scale, object::name(current), &[cause]));
    }
    let mut object = registry::in_version(kind, current).into_owned();
    for field in ["resourceVersion", "uid"] {
        if !object::text(scale, field).is_empty() {
            object::copy_metadata(scale, &mut object, field);
        }
    }
    put(&mut object, &paths(kind).spec, replicas);
    Ok(object)
}

/// Sets the value behind a JSON pointer, making the objects on the way.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for segment in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[segment];
    }
    *place = value;
}

fn show_scale(kind: &Kind, object: &Value) -> Value {
    let paths = paths(kind);
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let mut scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {},
        "spec": {"replicas": number(&paths.spec)},
        "status": {"replicas": number(&paths.status)},
    });
    if scale["spec"]["replicas"] == 0 {
        scale["spec"] = json!({}); // Go leaves it out
    }
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        object::copy_metadata(object, &mut scale, field);
    }
    match paths.selector.as_deref().and_then(|pointer| object.pointer(pointer)) {
        Some(Value::String(selector)) => scale["status"]["selector"] = selector.clone().into(),
        Some(selector) => {
            let selector = LabelSelector::from_json(selector).map(|selector| selector.to_string());
            scale["status"]["selector"] = selector.unwrap_or_default().into();
        }
        None => {}
    }
    scale
}
