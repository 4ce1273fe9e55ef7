//! [`Guard`]: requests that a browser may have been tricked into sending. Without TLS, any page that a developer looks at
//! can send some to this machine; what browsers do not let pages choose gives them away.

use std::net::IpAddr;

use http::{Method, Request, StatusCode, header, uri::Authority};

use crate::{api::status::Status, wire::negotiate::content_type};

/// The media types of bodies, none of which a page can send without being asked first.
const BODIES: [&str; 8] = [
    "application/json",
    "application/yaml",
    "text/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// Refuses requests for other hosts, from pages of other hosts, and with bodies that are no object's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard;

impl Guard {
    /// The refusal of a request that is not meant for this server.
    pub(super) fn refuses<B>(self, request: &Request<B>) -> Option<Status> {
        let headers = request.headers();
        let host = request.uri().authority().map(Authority::as_str);
        let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok());
        // A name that resolves to this machine for a while is how a page reaches it (DNS rebinding).
        if host.is_some_and(|host| !is_local(host)) {
            return Some(forbidden("Host", "without TLS, only localhost and IP addresses are served"));
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default().strip_prefix("http://").unwrap_or_default();
            if origin.is_empty() || Some(origin) != host {
                return Some(forbidden("Origin", "without TLS, pages of other hosts are not served"));
            }
        }
        let writes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
        if writes && !BODIES.contains(&content_type(headers)) {
            return Some(Status::unsupported_media_type(&BODIES));
        }
        None
    }
}

fn forbidden(header: &str, because: &str) -> Status {
    Status::new(
        StatusCode::FORBIDDEN,
        "Forbidden",
        format!("forbidden by the request's {header} header: {because}"),
    )
}

/// Whether a host, with or without a port, is an address or `localhost`.
fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(method: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let builder = Request::builder().method(method).uri("/api/v1/namespaces");
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        Guard.refuses(&builder.body(()).expect("a request")).map(|status| status.code().as_u16())
    }

    #[test]
    fn a_request_for_another_host_is_refused() {
        for host in ["127.0.0.1:8001", "localhost", "LocalHost:8001", "[::1]:8001", "192.0.2.7"] {
            assert_eq!(code("GET", &[("host", host)]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8001", "127.0.0.1.nip.io", "a b"] {
            assert_eq!(code("GET", &[("host", host)]), Some(403), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_host_is_refused() {
        let host = ("host", "127.0.0.1:8001");
        assert_eq!(code("GET", &[host, ("origin", "http://127.0.0.1:8001")]), None);
        for origin in ["http://evil.example", "https://127.0.0.1:8001", "http://127.0.0.1:8002", "null", ""] {
            assert_eq!(code("GET", &[host, ("origin", origin)]), Some(403), "{origin}");
        }
    }

    #[test]
    fn a_body_that_a_form_can_send_is_refused() {
        let host = ("host", "localhost:8001");
        assert_eq!(code("POST", &[host, ("content-type", "application/json; charset=utf-8")]), None);
        assert_eq!(code("PATCH", &[host, ("content-type", "application/merge-patch+json")]), None);
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", ""]
        {
            assert_eq!(code("POST", &[host, ("content-type", kind)]), Some(415), "{kind}");
        }
        assert_eq!(code("PUT", &[host]), Some(415), "a page can leave the content type out");
        assert_eq!(code("DELETE", &[host]), None, "no page sends it without being asked first");
    }
}
