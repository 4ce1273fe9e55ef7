//! [`Encoding`]: how the JSON of an answer is written. Apart from what is in the answer: it is done last, and to few.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio::runtime::Handle;

use crate::{
    api::request_info::RequestInfo,
    handlers::workers::Workers,
    wire::{
        body::{self, ResponseBody},
        negotiate::Syntax,
        protobuf, yaml,
    },
};

/// An answer up to this size is written in place.
const SHORT: u64 = 64 * 1024;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const YAML: HeaderValue = HeaderValue::from_static("application/yaml");
const PROTOBUF: HeaderValue = HeaderValue::from_static(protobuf::MEDIA_TYPE);

/// How a client wants to read what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As short as it can be.
    Compact,
    /// With a line for each field.
    Indented,
    Yaml,
    /// But for what has no form in it, which stays JSON.
    Protobuf,
}

impl Encoding {
    /// The encoding that a request asks for: answers without objects have one encoding. A client that seems to be a
    /// terminal or a browser gets lines unasked, as upstream does it.
    pub(crate) fn of(info: &RequestInfo, headers: &HeaderMap) -> Self {
        Self::in_syntax(info, headers, Syntax::of(headers, true))
    }

    /// The encoding of a refusal.
    pub(crate) fn of_refusal(info: &RequestInfo, headers: &HeaderMap) -> Self {
        Self::in_syntax(info, headers, Syntax::of_refusal(headers))
    }

    fn in_syntax(info: &RequestInfo, headers: &HeaderMap, syntax: Syntax) -> Self {
        if !info.path.starts_with("/api") {
            return Self::Compact;
        }
        match syntax {
            Syntax::Json => {}
            Syntax::Yaml => return Self::Yaml,
            Syntax::Protobuf => return Self::Protobuf,
        }
        let is_pretty = match info.parameters.first("pretty") {
            Some("") | None => {
                let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
                let agent = agent.unwrap_or_default();
                ["curl", "Wget", "Mozilla/5.0"].iter().any(|of_people| agent.starts_with(of_people))
            }
            Some(value) => matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        };
        if is_pretty { Self::Indented } else { Self::Compact }
    }

    /// Writes `answer` so. Watches are not to be brought here: it waits for the end of the body.
    pub(crate) async fn of_answer(
        self,
        workers: &Workers,
        answer: Response<ResponseBody>,
    ) -> Response<ResponseBody> {
        if self == Self::Compact || answer.headers().get(header::CONTENT_TYPE) != Some(&JSON) {
            return answer;
        }
        let (mut head, body) = answer.into_parts();
        let is_short = body.size_hint().exact().is_some_and(|size| size <= SHORT);
        let written = if is_short || !workers.are_apart() {
            body.collect().await.map(|body| self.written(&body.to_bytes()))
        } else {
            let runtime = Handle::current(); // the body of a list waits for nothing
            workers
                .run(move |_| runtime.block_on(body.collect()).map(|body| self.written(&body.to_bytes())))
                .await
        };
        head.headers.remove(header::CONTENT_LENGTH);
        // What the server writes itself does not break.
        let (content_type, written) = written.unwrap_or((JSON, Bytes::new()));
        head.headers.insert(header::CONTENT_TYPE, content_type);
        Response::from_parts(head, body::boxed(Full::new(written)))
    }

    fn written(self, json: &Bytes) -> (HeaderValue, Bytes) {
        match self {
            Self::Yaml => (YAML, yaml(json).unwrap_or_else(|| json.clone())),
            Self::Protobuf => {
                let value = serde_json::from_slice(json).ok();
                let written = value.and_then(|value| protobuf::write(&value));
                written.map_or_else(|| (JSON, json.clone()), |written| (PROTOBUF, written.into()))
            }
            Self::Compact | Self::Indented => (JSON, indented(json).into()),
        }
    }
}

/// The same as YAML, fields in the order of their names; `None` of what is no JSON.
fn yaml(json: &[u8]) -> Option<Bytes> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    Some(Bytes::from(yaml::write(&value)))
}

/// The same JSON with a line for each field and item.
fn indented(json: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(json.len() * 2);
    let line = |text: &mut Vec<u8>, depth: usize| {
        text.push(b'\n');
        text.resize(text.len() + 2 * depth, b' ');
    };
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (position, byte) in json.iter().copied().enumerate() {
        if in_string {
            text.push(byte);
            in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                text.push(byte);
                if !matches!(json.get(position + 1), Some(b'}' | b']')) {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            b'}' | b']' => {
                if !matches!(text.last(), Some(b'{' | b'[')) {
                    depth = depth.saturating_sub(1);
                    line(&mut text, depth);
                }
                text.push(byte);
            }
            b',' => {
                text.push(byte);
                line(&mut text, depth);
            }
            b':' => text.extend_from_slice(b": "),
            _ => {
                text.push(byte);
                in_string = byte == b'"';
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &'static str, headers: &[(header::HeaderName, &'static str)]) -> Encoding {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Encoding::of(
            &RequestInfo::of(&http::Method::GET, &http::Uri::from_static(uri)).expect("well formed"),
            &headers.collect(),
        )
    }

    #[test]
    fn people_get_lines_and_programs_do_not() {
        use header::{ACCEPT, USER_AGENT};
        assert_eq!(of("/api/v1/pods", &[]), Encoding::Compact);
        assert_eq!(of("/api/v1/pods?limit=1&pretty=true", &[]), Encoding::Indented);
        assert_eq!(of("/api/v1/pods", &[(USER_AGENT, "curl/8.5.0")]), Encoding::Indented);
        assert_eq!(of("/api/v1/pods?pretty=false", &[(USER_AGENT, "curl/8.5.0")]), Encoding::Compact);
        assert_eq!(of("/api/v1/pods", &[(ACCEPT, "application/yaml")]), Encoding::Yaml);
        assert_eq!(of("/api/v1/pods", &[(ACCEPT, "*/*, application/yaml")]), Encoding::Compact);
        let protobuf = "application/vnd.kubernetes.protobuf, application/json";
        assert_eq!(of("/api/v1/pods", &[(ACCEPT, protobuf)]), Encoding::Protobuf);
        assert_eq!(of("/openapi/v3", &[(ACCEPT, "application/yaml")]), Encoding::Compact);
    }

    #[test]
    fn lines_are_go_s() {
        let json = br#"{"a":[],"b":{},"c":[1,{"d":"e,:{\"}"}],"f":"\\"}"#;
        let lines = "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"e,:{\\\"}\"\n    }\n  ],\n  \
                     \"f\": \"\\\\\"\n}";
        assert_eq!(String::from_utf8(indented(json)).expect("text"), lines);
    }
}
