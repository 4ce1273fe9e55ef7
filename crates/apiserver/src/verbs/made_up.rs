//! Virtual objects, which are not stored: the health of components, and what a Pod
//! would print if it ran.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::{Request, show};
use crate::{
    core::Core,
    http::{
        body::{self, ResponseBody},
        status::{Result, Status},
    },
    object,
    storage::Stored,
};

/// The components that upstream asks for their health. Here they are parts of the server.
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
        return Err(Status::not_found(request.kind(), name));
    }
    show::answer(core, request, StatusCode::OK, &component(name))
}

/// Shows all components.
pub(super) fn list(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let all = COMPONENTS.map(|name| Arc::new(component(name))).into_iter();
    let shown = all.filter(|one| request.query.selects(one)).collect();
    Ok(show::Shape::of(request)?.list(core, &request.route.kind, &json!({}), shown))
}

/// Shows what a container printed: that it was started, if it was.
pub(super) fn log(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let pod = present(core, request)?.value();
    let names: Vec<&str> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|field| pod["spec"][field].as_array().into_iter().flatten())
        .filter_map(|container| container["name"].as_str())
        .collect();
    let name = request.route.name.as_str();
    let asked = request.query.container.as_str();
    let containers = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let container = match asked {
        "" if containers > 1 => {
            let choose = names.join(" ");
            let message =
                format!("a container name must be specified for pod {name}, choose one of: [{choose}]");
            return Err(Status::bad_request(message));
        }
        "" => names.first().copied().unwrap_or_default(),
        asked if !names.contains(&asked) => {
            return Err(Status::bad_request(format!("container {asked} is not valid for pod {name}")));
        }
        asked => asked,
    };
    let started = pod["status"]["containerStatuses"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|status| status["name"] == container)
        .find_map(|status| {
            let state = &status["state"];
            state["running"]["startedAt"].as_str().or(state["terminated"]["startedAt"].as_str())
        });
    let text = started.map_or_else(String::new, |at| format!("{at} {container} started\n"));
    let mut answer = body::json(StatusCode::OK, Bytes::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    Ok(answer)
}

/// Refuses a connection: there is nothing behind a Node, a Service or a Pod that would take it.
pub(super) fn connect(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let kind = request.kind();
    let stored = present(core, request)?;
    if kind.kind == "Pod" {
        is_assigned(&stored.value())?;
    }
    Err(Status::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        "error dialing backend: no container runs behind this server",
    ))
}

fn present(core: &Core, request: &Request) -> Result<Arc<Stored>> {
    let kind = request.kind();
    let stored = core.store.get(&kind.resource(), &request.key());
    stored.ok_or_else(|| Status::not_found(kind, &request.route.name))
}

fn is_assigned(pod: &Value) -> Result<()> {
    match pod["spec"]["nodeName"].as_str() {
        None | Some("") => {
            Err(Status::bad_request(format!("pod {} does not have a host assigned", object::name(pod))))
        }
        Some(_) => Ok(()),
    }
}
