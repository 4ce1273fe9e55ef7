//! Update and patch: two ways to come to the next state of an object.

use http::{Response, StatusCode};
use serde_json::Value;

use super::{
    core::Core,
    decode,
    patch::{Patch, Reach},
    request::Request,
    show,
    write::{self, Made, Managers, Scope},
};
use crate::{api::status::Result, wire::body::ResponseBody};

/// Replaces an object, or makes it where the kind allows that.
pub(super) fn update(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let object = decode::object(request)?;
    let kind = request.kind();
    decode::check_name(request, &object)?;
    if request.route.subresource.is_none()
        && kind.strategy.creates_on_update
        && core.registry.store.get(&kind.resource(), &request.key()).is_none()
    {
        let created = write::insert(core, request, Made { object, managers: Managers::Written })?;
        return show::answer(core, request, StatusCode::CREATED, &created);
    }
    let written = write::change(core, request, Scope::Object, |_, _| {
        Ok(Made { object: object.clone(), managers: Managers::Written })
    })?;
    show::answer(core, request, StatusCode::OK, &written)
}

/// Changes parts of an object.
pub(super) fn patch(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let patch = decode::patch(request)?;
    let make = |current: &Value, _: Option<&str>| {
        let object = decode::patched(request, current, &patch)?;
        Ok(Made { object, managers: Managers::Written })
    };
    let written = match scope(core, request, &patch) {
        // A refusal may show the object, all of it.
        Scope::Metadata => write::change(core, request, Scope::Metadata, make)
            .or_else(|_| write::change(core, request, Scope::Object, make))?,
        scope => write::change(core, request, scope, make)?,
    };
    show::answer(core, request, StatusCode::OK, &written)
}

/// Returns the part of the object that a patch reads.
fn scope(core: &Core, request: &Request, patch: &Patch) -> Scope {
    let kind = request.kind();
    match patch.reach() {
        Reach::Managers => Scope::Everything,
        Reach::Metadata
            if request.route.subresource.is_none()
                && !kind.strategy.reads_beyond_metadata
                && core.hooks.are_none()
                && !request.query.dry_run =>
        {
            Scope::Metadata
        }
        Reach::Metadata | Reach::Object => Scope::Object,
    }
}
