//! Content negotiation: the formats that a client accepts and sends.

use http::{HeaderMap, header};
use serde_json::{Map, Value};
use trimtab_schema::{DecodeErrors, Schema, decode};

use super::{
    protobuf::{self, Unreadable},
    yaml::{self, Document},
};
use crate::api::status::{Result, Status};

/// The media types that the server writes.
const WRITTEN: &[&str] = &["application/json", "application/yaml", protobuf::MEDIA_TYPE];

/// The media types that upstream lists where a path can be watched, too.
const WRITTEN_OF_LISTS: &[&str] = &[
    "application/json",
    "application/yaml",
    protobuf::MEDIA_TYPE,
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
];

/// The media types of objects that the server reads: the last one of built-in kinds alone.
const READ: &[&str] = &["application/json", "application/yaml", protobuf::MEDIA_TYPE];

/// The form in which objects are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole objects.
    Objects,
    /// Their metadata only: `PartialObjectMetadata`, or a list of them.
    Metadata {
        /// Whether the client names the list.
        of_list: bool,
    },
    /// The columns that kubectl prints, in this version of `meta.k8s.io`.
    Table(&'static str),
}

/// The syntax in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    Yaml,
    /// Protobuf, which built-in kinds have, and the metadata of every kind.
    Protobuf,
}

impl Form {
    /// The first form in `Accept` that the server knows of a kind, which may have one `in_protobuf`.
    pub(crate) fn of(headers: &HeaderMap, in_protobuf: bool, is_list: bool) -> Result<Self> {
        let accepted = accepted(headers, in_protobuf);
        accepted.map(|(_, form)| form).ok_or_else(|| {
            let is_known = |range: &str| {
                let media_type = range.split(';').next().unwrap_or_default().trim();
                media_type == "*/*" || WRITTEN.contains(&media_type)
            };
            match ranges(headers).any(is_known) {
                true => Status::no_such_form(WRITTEN),
                false if is_list => Status::not_acceptable(WRITTEN_OF_LISTS),
                false => Status::not_acceptable(WRITTEN),
            }
        })
    }

    /// The first form in `Accept` that the server knows for a watch, whose events are lines or messages: YAML has none.
    pub(crate) fn of_events(headers: &HeaderMap, in_protobuf: bool) -> Result<Self> {
        match accepted(headers, in_protobuf) {
            Some((Syntax::Json | Syntax::Protobuf, form)) => Ok(form),
            Some((Syntax::Yaml, _)) => Err(Status::not_acceptable(&[WRITTEN[0], WRITTEN[2]])),
            None => Self::of(headers, in_protobuf, true),
        }
    }

    fn of_range(range: &str) -> Option<(Syntax, Self)> {
        let mut parameters = range.split(';').map(str::trim);
        let syntax = match parameters.next()? {
            "application/json" | "*/*" => Syntax::Json,
            "" if range.is_empty() => Syntax::Json,
            "application/yaml" => Syntax::Yaml,
            protobuf::MEDIA_TYPE => Syntax::Protobuf,
            _ => return None,
        };
        let (mut kind, mut group, mut version) = ("", "meta.k8s.io", "v1");
        for (name, value) in parameters.filter_map(|parameter| parameter.split_once('=')) {
            match name {
                "as" => kind = value,
                "g" => group = value,
                "v" => version = value,
                _ => {}
            }
        }
        let form = match (kind, group, version) {
            ("", ..) => Self::Objects,
            ("Table", "meta.k8s.io", "v1") => Self::Table("v1"),
            ("Table", "meta.k8s.io", "v1beta1") => Self::Table("v1beta1"),
            ("PartialObjectMetadata", "meta.k8s.io", "v1") => Self::Metadata { of_list: false },
            ("PartialObjectMetadataList", "meta.k8s.io", "v1") => Self::Metadata { of_list: true },
            _ => return None,
        };
        Some((syntax, form))
    }
}

impl Syntax {
    /// The syntax of the first form in `Accept` that the server knows of a kind, which may have one `in_protobuf`.
    pub(crate) fn of(headers: &HeaderMap, in_protobuf: bool) -> Self {
        accepted(headers, in_protobuf).map_or(Self::Json, |(syntax, _)| syntax)
    }

    /// The syntax in which a refusal is written: it has no other form than its own.
    pub(crate) fn of_refusal(headers: &HeaderMap) -> Self {
        let whole = |range| Form::of_range(range).filter(|(_, form)| *form == Form::Objects);
        ranges(headers).find_map(whole).map_or(Self::Json, |(syntax, _)| syntax)
    }

    fn writes(self, form: Form, in_protobuf: bool) -> bool {
        match (self, form) {
            (Self::Json | Self::Yaml, _) | (Self::Protobuf, Form::Metadata { .. }) => true,
            (Self::Protobuf, Form::Objects) => in_protobuf,
            (Self::Protobuf, Form::Table(_)) => false,
        }
    }
}

/// The first of what `Accept` names that the server writes.
fn accepted(headers: &HeaderMap, in_protobuf: bool) -> Option<(Syntax, Form)> {
    if ranges(headers).next().is_none() {
        return Some((Syntax::Json, Form::Objects));
    }
    ranges(headers).filter_map(Form::of_range).find(|(syntax, form)| syntax.writes(*form, in_protobuf))
}

/// Refuses a client who takes none of the forms of discovery.
pub(crate) fn check_discovery(headers: &HeaderMap) -> Result<()> {
    let is_known = |range: &str| {
        let (media_type, parameters) = range.split_once(';').unwrap_or((range, ""));
        let kind = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("as="));
        let media_type = media_type.trim();
        (media_type == "*/*" || WRITTEN.contains(&media_type))
            && kind.is_none_or(|kind| kind == "APIGroupDiscoveryList")
    };
    if ranges(headers).next().is_none() || ranges(headers).any(is_known) {
        return Ok(());
    }
    Err(Status::no_such_form(WRITTEN))
}

/// Refuses a client who does not take JSON, where nothing else is written.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<()> {
    let is_json = |range: &str| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        matches!(media_type, "*/*" | "application/json")
    };
    if ranges(headers).next().is_none() || ranges(headers).any(is_json) {
        return Ok(());
    }
    Err(Status::not_acceptable(&WRITTEN[..1]))
}

/// The parts of `Accept`.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).map(str::trim)
}

/// The media type of a request's body, without parameters; empty if the client named none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Refuses a body in a format that the server does not read.
pub(crate) fn check_content_type(headers: &HeaderMap, is_built_in: bool) -> Result<()> {
    match content_type(headers) {
        "" | "application/json" | "application/yaml" | "text/yaml" | protobuf::MEDIA_TYPE => Ok(()),
        _ => Err(unreadable(is_built_in)),
    }
}

fn unreadable(is_built_in: bool) -> Status {
    Status::unsupported_media_type(&READ[..if is_built_in { 3 } else { 2 }])
}

/// Reads a body that should hold a `kind`, an object of the type `schema`, written as JSON or as YAML.
pub(crate) fn read_object(
    headers: &HeaderMap,
    body: &[u8],
    kind: &str,
    schema: Option<Schema<'_>>,
) -> Result<(Value, DecodeErrors)> {
    read_any(headers, body, schema, |because| Status::unrecognized(kind, because, body))
}

/// Reads the options of a request, whose errors upstream reports without the body.
pub(crate) fn read_options(headers: &HeaderMap, body: &[u8], schema: Option<Schema<'_>>) -> Result<Value> {
    let (options, complaints) = read_any(headers, body, schema, |because| Status::bad_request(because))?;
    complaints.mistyped.map_or(Ok(options), |because| Err(Status::bad_request(because)))
}

fn read_any(
    headers: &HeaderMap,
    body: &[u8],
    schema: Option<Schema<'_>>,
    refusal: impl Fn(&str) -> Status,
) -> Result<(Value, DecodeErrors)> {
    let read = || unreadable(schema.is_none_or(|schema| schema.is_built_in()));
    let decoded = match content_type(headers) {
        "" | "application/json" if is_too_deep(body) => {
            Err(format!("couldn't get version/kind; json parse error: {TOO_DEEP}"))
        }
        "" | "application/json" => read_json(body, schema).map_err(|error| {
            format!("couldn't get version/kind; json parse error: {}", go_s_words(&error, body))
        }),
        "application/yaml" | "text/yaml" => read_yaml(body, schema),
        protobuf::MEDIA_TYPE => match protobuf::read(body) {
            Ok(object) => decode(schema, object).map_err(|error| error.to_string()),
            Err(Unreadable::UnknownKind) => return Err(read()),
            Err(malformed) => Err(malformed.to_string()),
        },
        _ => return Err(read()),
    };
    let (object, complaints) = decoded.map_err(|because| refusal(&because))?;
    let found = match &object {
        Value::Object(_) | Value::Null => return Ok((or_empty(object), complaints)),
        Value::Array(_) => "array",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
    };
    let because = format!(
        "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct \
         {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    );
    Err(refusal(&because))
}

/// Null is an object in which nothing is set.
fn or_empty(value: Value) -> Value {
    if value.is_null() { Value::Object(Map::new()) } else { value }
}

/// Whether maps and lists stand in each other more deeply than Go's decoder follows them. What a kind does not declare
/// is skipped without a look at its depth; nothing else of that depth is read.
fn is_too_deep(json: &[u8]) -> bool {
    const DEEPEST: usize = 10_000;
    if json.len() <= DEEPEST {
        return false; // nearly all bodies
    }
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Reads JSON, with what stands twice in it.
pub(crate) fn read_json(
    body: &[u8],
    schema: Option<Schema<'_>>,
) -> serde_json::Result<(Value, DecodeErrors)> {
    match std::str::from_utf8(body) {
        Ok(text) => read_from(serde_json::Deserializer::from_str(text), schema), // each string is known to be UTF-8
        Err(_) => read_from(serde_json::Deserializer::from_slice(body), schema), // it knows how to say so
    }
}

fn read_from<'de, R: serde_json::de::Read<'de>>(
    mut reader: serde_json::Deserializer<R>,
    schema: Option<Schema<'_>>,
) -> serde_json::Result<(Value, DecodeErrors)> {
    let decoded = decode(schema, &mut reader)?;
    reader.end()?;
    Ok(decoded)
}

/// Reads YAML, of which JSON is a part, with the keys that stand twice in it.
pub(crate) fn read_yaml(body: &[u8], schema: Option<Schema<'_>>) -> Result<(Value, DecodeErrors), String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let Document { value, twice } = yaml::read(text)?;
    let (value, mut complaints) = decode(schema, value).map_err(|error| error.to_string())?;
    complaints.strict.splice(0..0, twice);
    Ok((value, complaints))
}

/// The error of Go's decoder for an array in the place of an object.
pub(crate) const AN_ARRAY: &str = "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value \
     of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
     \"json:\\\"kind,omitempty\\\"\" }";

/// The message of Go's decoder for maps and lists that are nested too deeply. Ours follows them less far.
const TOO_DEEP: &str = "exceeded max depth";

/// Returns the message of Go's decoder for `error` of ours.
pub(crate) fn go_s_words(error: &serde_json::Error, body: &[u8]) -> String {
    let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let found = line.get(error.column().saturating_sub(1)).copied();
    let literal = ["true", "false", "null"].into_iter().find_map(|word| {
        let begun = (1..word.len()).rev().find(|length| body.ends_with(&word.as_bytes()[..*length]))?;
        Some(format!("invalid character ' ' in literal {word} (expecting '{}')", &word[begun..=begun]))
    });
    let ours = error.to_string();
    let expected = [
        ("trailing characters", "after top-level value"),
        ("expected value", "looking for beginning of value"),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
        ("trailing comma", "looking for beginning of object key string"),
        ("key must be a string", "looking for beginning of object key string"),
    ];
    match (expected.iter().find(|(beginning, _)| ours.starts_with(beginning)), found) {
        _ if ours.starts_with("recursion limit exceeded") => TOO_DEEP.to_owned(),
        _ if error.is_eof() => literal.unwrap_or_else(|| "unexpected end of JSON input".to_owned()),
        (Some((_, place)), Some(byte)) => format!("invalid character '{}' {place}", byte.escape_ascii()),
        _ => ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Option<Form> {
        let headers = [(header::ACCEPT, accept.parse().expect("a header"))].into_iter().collect();
        Form::of(&headers, false, false).ok()
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
            Some(Form::Metadata { of_list: true })
        );
        assert_eq!(form("application/json;as=Unknown;v=v1, application/json"), Some(Form::Objects));
        assert_eq!(form("*/*"), Some(Form::Objects));
        assert_eq!(form("application/yaml"), Some(Form::Objects));
        assert_eq!(form("text/html"), None);
        assert_eq!(Form::of(&HeaderMap::new(), false, false).ok(), Some(Form::Objects));
    }

    #[test]
    fn objects_are_10_000_levels_deep_at_most() {
        let deep = |levels: usize| {
            format!(
                "{{\"metadata\":{{\"name\":\"}}[{{\"}},\"x\":{}{}}}",
                "[".repeat(levels),
                "]".repeat(levels)
            )
        };
        assert!(!is_too_deep(deep(9_999).as_bytes()));
        assert!(is_too_deep(deep(10_000).as_bytes()));
    }

    #[test]
    fn events_are_not_written_in_yaml() {
        let of_events = |accept: &'static str| {
            let headers = [(header::ACCEPT, http::HeaderValue::from_static(accept))].into_iter().collect();
            Form::of_events(&headers, false).map_err(|status| status.code().as_u16())
        };
        assert_eq!(of_events("application/yaml, application/json"), Err(406));
        assert_eq!(of_events("application/json, application/yaml"), Ok(Form::Objects));
    }
}
