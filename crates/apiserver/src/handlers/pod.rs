//! `/binding` of a Pod: assigns it to a node.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    core::Core,
    decode,
    request::Request,
    write::{self, Made, Managers, Scope},
};
use crate::{
    api::{
        object,
        resource::Resource,
        status::{Result, Status},
        subresource::Subresource,
    },
    wire::body::{self, ResponseBody},
};

/// Sends a Pod to a node, once.
pub(super) fn bind(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let binding = decode::other(request, "", "v1", "Binding")?;
    let kind = Resource { plural: "pods/binding", ..request.kind().into() };
    let name = &request.route.name;
    let node = binding.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
    if object::name(&binding) != name {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let target = binding.pointer("/target/kind").and_then(Value::as_str).unwrap_or_default();
    if !matches!(target, "" | "Node") {
        let because =
            format!("target.kind: Unsupported value: {target:?}: supported values: \"Node\", \"<empty>\"");
        return Err(Status::internal(because));
    }
    if node.is_empty() {
        return Err(Status::internal("target.name: Required value"));
    }
    write::change(core, request, Scope::Object, |pod, _| {
        if object::is_being_deleted(pod) {
            return Err(Status::conflict(
                kind,
                name,
                &format!("pod {name} is being deleted, cannot be assigned to a host"),
            ));
        }
        if let Some(assigned) = pod["spec"]["nodeName"].as_str().filter(|assigned| !assigned.is_empty()) {
            let because = format!("pod {name} is already assigned to node {assigned:?}");
            return Err(Status::conflict(kind, name, &because));
        }
        if pod["spec"]["schedulingGates"].as_array().is_some_and(|gates| !gates.is_empty()) {
            let because = format!("pod {name} has non-empty .spec.schedulingGates");
            return Err(Status::conflict(kind, name, &because));
        }
        let mut bound = pod.clone();
        bound["spec"]["nodeName"] = node.into();
        let scheduled = json!({
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": null,
            "lastTransitionTime": core.registry.clock.text(),
        });
        object::set_condition(&mut bound["status"], scheduled);
        Ok(Made { object: bound, managers: Managers::Kept }) // upstream does not say who bound a Pod
    })?;
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Ok(body::value(StatusCode::CREATED, &done))
}

/// Sends the Pod that a Binding names in its metadata to a node.
pub(super) fn bind_named(core: &Core, mut request: Request) -> Result<Response<ResponseBody>> {
    let binding = decode::other(&request, "", "v1", "Binding")?;
    object::name(&binding).clone_into(&mut request.route.name);
    request.route.kind = core.registry.kinds.get("", "v1", "pods").expect("a built-in kind");
    request.route.subresource = Some(Subresource::Binding);
    bind(core, &request)
}
