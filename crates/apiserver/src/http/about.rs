//! Information about the server: discovery, OpenAPI, its version and its health. One entrance,
//! so that the router has one question to ask before it looks for objects.

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use serde_json::{Value, json};

use super::{
    discovery,
    document::{GIT_VERSION, json_answer, not_found},
    health, openapi,
};
use crate::{api::request_info::RequestInfo, registry::Kinds};

/// The answer to a request that reads, unless it asks for objects.
///
/// A path below no served group is answered here too, in plain text as upstream does: 404.
pub(crate) fn answer(kinds: &Kinds, info: &RequestInfo, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accept = accept.collect::<Vec<_>>().join(",");
    let path = &*info.path;
    match path.trim_end_matches('/').split('/').skip(1).collect::<Vec<_>>()[..] {
        [] => Some(json_answer(&root(kinds))),
        ["version"] => Some(json_answer(&version())),
        [kind @ ("healthz" | "livez" | "readyz"), ref check @ ..] => {
            Some(health::answer(kind, check, &info.parameters))
        }
        ["openapi", ref rest @ ..] => Some(openapi::answer(kinds, rest, &accept).unwrap_or_else(not_found)),
        ["api" | "apis", ..] => discovery::answer(kinds, path, &accept, headers),
        _ => Some(not_found()),
    }
}

/// Whether the answer takes long to write: that is the types of all kinds.
pub(crate) fn is_long(info: &RequestInfo) -> bool {
    info.path.starts_with("/openapi")
}

fn root(kinds: &Kinds) -> Value {
    let mut paths = discovery::paths(kinds);
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned),
    );
    json!({ "paths": paths })
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": GIT_VERSION, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": "linux/amd64",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &'static str) -> Option<(u16, String)> {
        let info = RequestInfo::of(&http::Method::GET, &http::Uri::from_static(path)).expect("well formed");
        let answer = answer(&Kinds::built_in(), &info, &HeaderMap::new())?;
        let body = String::from_utf8(answer.body().to_vec()).expect("text");
        Some((answer.status().as_u16(), body))
    }

    #[test]
    fn the_version_is_that_of_the_release_it_behaves_like() {
        let (_, version) = get("/version").expect("an answer");
        assert!(version.contains(r#""gitVersion":"v1.36.3""#), "{version}");
    }

    #[test]
    fn what_is_no_path_of_objects_is_a_plain_404() {
        for path in ["/nope", "/apis/nope.io", "/apis/nope.io/v1", "/apis/nope.io/v1/things", "/openapi/v9"] {
            assert_eq!(get(path), Some((404, "404 page not found\n".to_owned())), "{path}");
        }
        assert_eq!(get("/apis/apps/v9"), None, "a served group: the router answers with a `Status`");
        assert_eq!(get("/api/v1/pods"), None);
    }
}
