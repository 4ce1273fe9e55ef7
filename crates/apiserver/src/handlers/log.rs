//! `/log` of a Pod. Nothing runs in Pods: the log tells when a container was started.

use bytes::Bytes;
use http::{Response, StatusCode, header};

use super::{core::Core, request::Request};
use crate::{
    api::status::{Result, Status},
    wire::body::{self, ResponseBody},
};

/// Returns the log of a container: one line once it was started.
pub(super) fn log(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let pod = request.stored(core)?.value();
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
