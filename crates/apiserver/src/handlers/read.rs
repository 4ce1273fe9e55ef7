//! Get and list.

use std::{sync::Arc, time::Duration};

use http::{Response, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use super::{
    core::Core,
    options::ListPlan,
    request::Request,
    request_log::Shown,
    show::{self, Shape},
    workers::Stop,
};
use crate::{
    api::status::{Result, Status},
    store::{Continue, Expired, Page},
    wire::body::ResponseBody,
};

/// The time that a read waits for a future version.
const FRESHNESS: Duration = Duration::from_secs(3);

/// Shows one object.
pub(super) async fn get(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    reach(core, request.query.resource_version.unwrap_or(0)).await?;
    let kind = request.kind();
    let (resource, key) = (kind.resource(), request.key());
    let stored = match request.any_version(core) {
        None => core.registry.store.get(&resource, &key),
        Some(version) => core.registry.store.get_at(&resource, &key, version),
    };
    let stored = stored.ok_or_else(|| Status::not_found(kind, &request.route.name))?;
    show::answer(core, request, StatusCode::OK, &stored)
}

/// Shows the objects that match, a page at a time if asked.
pub(super) async fn list(core: &Arc<Core>, mut request: Request) -> Result<Response<ResponseBody>> {
    let shape = Shape::of(&request)?;
    let plan = ListPlan::of(&request.query)?;
    request.kind().check_selectable(&request.query.fields)?;
    reach(core, plan.not_before).await?;
    let selects = !request.query.labels.is_empty() || !request.query.fields.is_empty();
    let workers = request.workers.clone();
    if !workers.are_apart() || !(selects || shape.looks_into_objects()) {
        return show_list(core, &request, shape, &plan);
    }
    let core = core.clone();
    let work = move |stop: &Stop| {
        request.stop = stop.clone();
        show_list(&core, &request, shape, &plan)
    };
    workers.run(work).await
}

fn show_list(
    core: &Core,
    request: &Request,
    shape: Shape,
    plan: &ListPlan,
) -> Result<Response<ResponseBody>> {
    let page = page(core, request, plan)?;
    let mut metadata = json!({"resourceVersion": page.version.to_string()});
    if let Some(after) = page.last {
        metadata["continue"] = Continue { version: Some(page.version), after }.encode().into();
        if request.query.labels.is_empty() && request.query.fields.is_empty() {
            metadata["remainingItemCount"] = page.remaining.into();
        }
    }
    request.check_wanted()?;
    shape.check(request.kind(), true)?;
    let mut answer = shape.list(core, &request.route.kind, &metadata, page.items);
    answer.extensions_mut().insert(Shown(page.version));
    Ok(answer)
}

fn page(core: &Core, request: &Request, plan: &ListPlan) -> Result<Page> {
    let listed = core.registry.store.list(
        &request.kind().resource(),
        &request.route.namespace,
        plan.exactly.or_else(|| request.any_version(core)),
        plan.after.as_ref(),
        plan.limit,
        |stored| !request.stop.is_told() && request.selects(stored),
    );
    listed.map_err(|Expired { seen, oldest }| match (&plan.after, plan.exactly) {
        (Some(after), _) => Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a \
             new list without the continue parameter, or use the continue token in this response to retrieve \
             the remainder of the results. Continuing with the provided token results in an inconsistent list \
             - objects that were created, modified, or deleted between the time the first chunk was returned \
             and now may show up in the list.",
        )
        .continue_with(Continue { version: None, after: after.clone() }.encode()),
        (None, Some(_)) => Status::expired("The resourceVersion for the provided list is too old."),
        (None, None) => Status::too_old(seen, oldest),
    })
}

/// Waits until the server has reached `version`.
pub(super) async fn reach(core: &Core, version: u64) -> Result<()> {
    if core.registry.store.version() >= version {
        return Ok(());
    }
    match timeout(FRESHNESS, core.registry.store.reached(version)).await {
        Ok(()) => Ok(()),
        Err(_) => Err(Status::too_large_version(version, core.registry.store.version())),
    }
}
