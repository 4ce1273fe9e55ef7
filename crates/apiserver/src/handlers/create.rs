//! Create.

use http::{Response, StatusCode};

use super::{
    core::Core,
    decode,
    request::Request,
    show,
    write::{self, Made, Managers},
};
use crate::{api::status::Result, wire::body::ResponseBody};

/// Creates an object.
pub(super) fn create(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let made = Made { object: decode::object(request)?, managers: Managers::Written };
    let created = write::insert(core, request, made)?;
    show::answer(core, request, StatusCode::CREATED, &created)
}
