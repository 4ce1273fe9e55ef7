//! `/exec`, `/attach`, `/portforward` and `/proxy`: connections to what would run behind an object.

use http::{Response, StatusCode};

use super::{core::Core, request::Request};
use crate::{
    api::status::{Result, Status},
    wire::body::ResponseBody,
};

/// Refuses a connection to a Node, a Service or a Pod: nothing runs behind it.
pub(super) fn connect(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let stored = request.stored(core)?;
    (request.kind().strategy.check_connection)(&stored.value())?;
    Err(Status::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalError",
        "error dialing backend: no container runs behind this server",
    ))
}
