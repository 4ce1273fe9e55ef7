//! `/exec`, `/attach`, `/portforward` and `/proxy`: connections to what would run behind an object.

use http::{Response, StatusCode};
use serde_json::Value;

use super::{core::Core, request::Request};
use crate::{
    api::{
        object,
        status::{Result, Status},
    },
    wire::body::ResponseBody,
};

/// Refuses a connection to a Node, a Service or a Pod: nothing runs behind it.
pub(super) fn connect(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let kind = request.kind();
    let stored = request.stored(core)?;
    if kind.kind == "Pod" {
        is_assigned(&stored.value())?;
    }
    Err(Status::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        "error dialing backend: no container runs behind this server",
    ))
}

fn is_assigned(pod: &Value) -> Result<()> {
    match pod["spec"]["nodeName"].as_str() {
        None | Some("") => {
            Err(Status::bad_request(format!("pod {} does not have a host assigned", object::name(pod))))
        }
        Some(_) => Ok(()),
    }
}
