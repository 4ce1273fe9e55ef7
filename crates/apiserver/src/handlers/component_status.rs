//! `ComponentStatus`: virtual objects that tell the health of the control plane.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::json;

use super::{core::Core, request::Request, show};
use crate::{
    api::{
        resource::Resource,
        status::{Result, Status},
    },
    store::Stored,
    wire::body::ResponseBody,
};

/// The components whose health upstream reports. Here they are parts of the server.
const COMPONENTS: [&str; 3] = ["scheduler", "controller-manager", "etcd-0"];

fn component(name: &str) -> Stored {
    let component = json!({
        "apiVersion": "v1", "kind": "ComponentStatus", "metadata": {"name": name},
        "conditions": [{"type": "Healthy", "status": "True", "message": "ok"}],
    });
    Stored::unsaved(&component, None)
}

/// Shows one component.
pub(super) fn get(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let name = request.route.name.as_str();
    if !COMPONENTS.contains(&name) {
        // Upstream calls the resource by its singular here.
        let resource = Resource { plural: "componentstatus", ..request.kind().into() };
        return Err(Status::not_found(resource, name));
    }
    show::answer(core, request, StatusCode::OK, &component(name))
}

/// Shows all components.
pub(super) fn list(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let all = COMPONENTS.map(|name| Arc::new(component(name))).into_iter();
    let shown = all.filter(|one| request.selects(one)).collect();
    Ok(show::Shape::of(request)?.list(core, &request.route.kind, &json!({}), shown))
}
