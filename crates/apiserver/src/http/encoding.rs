//! [`Encoding`]: how the JSON of an answer is written. Apart from what is in the answer: it is done last, and to few.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, Uri, header};
use http_body_util::{BodyExt, Full};

use super::{
    body::{self, ResponseBody},
    negotiate::Syntax,
    query::decode,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const YAML: HeaderValue = HeaderValue::from_static("application/yaml");

/// How a client wants to read what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As short as it can be.
    Compact,
    /// With a line for each field.
    Indented,
    Yaml,
}

impl Encoding {
    /// What a request asks for: what is not about objects has one encoding.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let is_of_objects = uri.path().starts_with("/api");
        if is_of_objects { Self::of_objects(uri.query().unwrap_or_default(), headers) } else { Self::Compact }
    }

    /// What a request about objects asks for. Whoever seems to sit before a terminal or a browser gets lines unasked,
    /// as upstream does it.
    pub(crate) fn of_objects(query: &str, headers: &HeaderMap) -> Self {
        if Syntax::of(headers) == Syntax::Yaml {
            return Self::Yaml;
        }
        let asked = query.split('&').filter_map(|pair| pair.strip_prefix("pretty=")).next_back();
        let is_pretty = match asked.and_then(|value| decode(value).ok()).as_deref() {
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
    pub(crate) async fn of_answer(self, answer: Response<ResponseBody>) -> Response<ResponseBody> {
        if self == Self::Compact || answer.headers().get(header::CONTENT_TYPE) != Some(&JSON) {
            return answer;
        }
        let (mut head, body) = answer.into_parts();
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return Response::from_parts(head, body::empty()); // what the server writes itself does not break
        };
        let written = match self {
            Self::Yaml => yaml(&body).inspect(|_| drop(head.headers.insert(header::CONTENT_TYPE, YAML))),
            _ => Some(indented(&body).into()),
        };
        head.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(head, body::boxed(Full::new(written.unwrap_or(body))))
    }
}

/// The same as YAML, fields in the order of their names; `None` of what is no JSON.
fn yaml(json: &[u8]) -> Option<Bytes> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    serde_saphyr::to_string(&value).ok().map(Bytes::from)
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
        Encoding::of(&Uri::from_static(uri), &headers.collect())
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
