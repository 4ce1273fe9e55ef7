//! What a client accepts, and in which format it sends.

use http::{HeaderMap, header};
use serde_json::Value;

use super::status::{Result, Status};

/// The media types that the server writes.
const WRITTEN: &[&str] = &["application/json"];

/// The form in which objects are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole objects.
    Objects,
    /// Their metadata only: `PartialObjectMetadata`.
    Metadata,
    /// The columns that kubectl prints, in this version of `meta.k8s.io`.
    Table(&'static str),
}

impl Form {
    /// The first form in `Accept` that the server knows.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut ranges = accepted.flat_map(|value| value.split(',')).map(str::trim).peekable();
        if ranges.peek().is_none() {
            return Ok(Self::Objects);
        }
        ranges.find_map(Self::of_range).ok_or_else(|| Status::not_acceptable(WRITTEN))
    }

    fn of_range(range: &str) -> Option<Self> {
        let mut parameters = range.split(';').map(str::trim);
        let media_type = parameters.next()?;
        if !matches!(media_type, "application/json" | "application/*" | "*/*" | "") {
            return None;
        }
        let (mut kind, mut group, mut version) = ("", "meta.k8s.io", "v1");
        for (name, value) in parameters.filter_map(|parameter| parameter.split_once('=')) {
            match name {
                "as" => kind = value,
                "g" => group = value,
                "v" => version = value,
                _ => {}
            }
        }
        match (kind, group, version) {
            ("", ..) => Some(Self::Objects),
            ("Table", "meta.k8s.io", "v1") => Some(Self::Table("v1")),
            ("Table", "meta.k8s.io", "v1beta1") => Some(Self::Table("v1beta1")),
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => {
                Some(Self::Metadata)
            }
            _ => None,
        }
    }
}

/// The media type of a request's body, without parameters; empty if the client named none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Reads a body that should hold a JSON object, written as JSON or as YAML.
pub(crate) fn decode_object(headers: &HeaderMap, body: &[u8]) -> Result<Value> {
    let decoded = match content_type(headers) {
        "" | "application/json" => decode_json(body)?,
        "application/yaml" | "text/yaml" => decode_yaml(body)?,
        _ => {
            return Err(Status::unsupported_media_type(&["application/json", "application/yaml"]));
        }
    };
    if decoded.is_object() {
        return Ok(decoded);
    }
    Err(Status::bad_request("couldn't get version/kind; json parse error: the body is no JSON object"))
}

/// Reads JSON.
pub(crate) fn decode_json(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(|error| {
        Status::bad_request(format!(
            "the object provided is unrecognized: couldn't get version/kind; json parse error: {error}"
        ))
    })
}

/// Reads YAML, of which JSON is a part.
pub(crate) fn decode_yaml(body: &[u8]) -> Result<Value> {
    let malformed = |error: &dyn std::fmt::Display| {
        Status::bad_request(format!("error converting YAML to JSON: {error}"))
    };
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    serde_saphyr::from_str(text).map_err(|error| malformed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Option<Form> {
        Form::of(&[(header::ACCEPT, accept.parse().expect("a header"))].into_iter().collect()).ok()
    }

    #[test]
    fn the_first_known_form_is_taken() {
        assert_eq!(form("application/json"), Some(Form::Objects));
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json"), Some(Form::Objects));
        assert_eq!(
            form("application/json;as=Table;v=v1;g=meta.k8s.io, application/json"),
            Some(Form::Table("v1"))
        );
        assert_eq!(
            form("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Some(Form::Metadata)
        );
        assert_eq!(form("application/json;as=Unknown;v=v1, application/json"), Some(Form::Objects));
        assert_eq!(form("*/*"), Some(Form::Objects));
        assert_eq!(form("text/html"), None);
        assert_eq!(Form::of(&HeaderMap::new()).ok(), Some(Form::Objects));
    }
}
