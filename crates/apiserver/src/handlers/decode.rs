//! Reading what clients send: objects in request bodies, and what a patch made of an object. How strict to be is
//! the client's to say.

use serde_json::{Map, Value};
use trimtab_schema::{DecodeErrors, Schema, convert, decode, prune, set_defaults, write_zeros};

use super::{
    patch::{Patch, Untouched},
    request::Request,
};
use crate::{
    api::{
        object,
        query::FieldValidation,
        status::{Cause, Result, Status},
        verb::Verb,
    },
    registry::Kind,
    wire::negotiate::read_object,
};

/// The object in a request's body, of the kind that the path names.
pub(super) fn object(request: &Request) -> Result<Value> {
    let kind = request.kind();
    let expected = Expected::of(kind);
    let (mut object, complaints) =
        read_object(&request.headers, &request.body, expected.kind, expected.schema)?;
    if kind.is_custom() {
        expected.check_custom(request, &object, complaints)?;
    } else {
        expected.check(request, &mut object, complaints)?;
    }
    settle(request, &mut object)?;
    Ok(object)
}

/// The object in the body of a request to a subresource that has a type of its own.
pub(crate) fn other(request: &Request, group: &str, version: &str, kind: &str) -> Result<Value> {
    other_in(request, group, &[version], kind)
}

/// The same, of a type that has the same fields in several versions; the first counts if the body names none.
pub(crate) fn other_in(request: &Request, group: &str, versions: &[&str], kind: &str) -> Result<Value> {
    let schema = versions.first().and_then(|version| Schema::named(group, version, kind));
    let (mut object, complaints) = read_object(&request.headers, &request.body, kind, schema)?;
    let known: Vec<String> =
        versions.iter().map(|version| Kind::plain(group, version, kind, "").api_version()).collect();
    let named = known.iter().find(|version| *version == text(&object, "apiVersion"));
    let api_version = named.or(known.first()).cloned().unwrap_or_default();
    Expected { api_version, kind, schema }.check(request, &mut object, complaints)?;
    if let Some(schema) = schema {
        write_zeros(schema, &mut object);
    }
    Ok(object)
}

/// The patch in a request's body.
pub(super) fn patch(request: &Request) -> Result<Patch> {
    Patch::read(request.kind(), &request.headers, &request.body, request.query.field_validation)
}

/// Checks the result of a patch of `current` like a body; errors are those of a patch.
pub(super) fn patched(request: &Request, current: &Value, patch: &Patch) -> Result<Value> {
    let kind = request.kind();
    let schema = kind.structure();
    let mut object = patched_as(request, schema, current, patch, patch.apply(schema, current)?)?;
    check_name(request, &object)?;
    if kind.is_custom() {
        check_kind(kind, &object)?;
    }
    settle(request, &mut object)?;
    Ok(object)
}

/// Completes the result of an applied configuration: of a built-in kind, nothing of it is null; of a custom one, what is
/// null remains, to be refused where it must not be.
pub(super) fn applied(request: &Request, mut object: Value) -> Result<Value> {
    let kind = request.kind();
    match kind.structure() {
        Some(schema) if kind.is_custom() => {
            prune(schema, &mut object);
            set_defaults(schema, &mut object);
        }
        schema => object = converted(kind, schema, object)?,
    }
    settle(request, &mut object)?;
    Ok(object)
}

/// Converts an applied object of a built-in kind as upstream converts the merged object into the kind's struct.
///
/// # Errors
///
/// A value that does not fit its field: it never becomes null and then a default.
fn converted(kind: &Kind, schema: Option<Schema<'_>>, mut object: Value) -> Result<Value> {
    let type_of = format!("{}/{}, Kind={}", kind.group, kind.version, kind.kind);
    let of = format!("{}/{}; {type_of}", object::namespace(&object), object::name(&object));
    let unfit = |because: &str| {
        Status::internal(format!(
            "failed to convert new object ({of}) to proper version: unable to convert unstructured object to {type_of}: \
             {because}"
        ))
    };
    if let Some(schema) = schema {
        convert::unstructured(schema, &mut object).map_err(|because| unfit(&because))?;
    }
    let (value, complaints) = decode(schema, &object).map_err(|error| unfit(&error.to_string()))?;
    match complaints.mistyped {
        None => Ok(value),
        Some(because) => Err(unfit(&convert::reason(&because))),
    }
}

/// Decodes the result of a patch of an object's `Scale`.
pub(super) fn patched_scale(request: &Request, current: &Value, patch: &Patch) -> Result<Value> {
    let schema = Schema::named("autoscaling", "v1", "Scale");
    let mut scale = patched_as(request, schema, current, patch, patch.apply(schema, current)?)?;
    if let Some(schema) = schema {
        write_zeros(schema, &mut scale);
    }
    Ok(scale)
}

fn patched_as(
    request: &Request,
    schema: Option<Schema<'_>>,
    current: &Value,
    patch: &Patch,
    mut patched: Value,
) -> Result<Value> {
    // Made again for whoever is refused: the reading takes it apart, so that its texts need no copies.
    let refusal = |because: &str| match patch.apply(schema, current) {
        Ok(patched) => patch.refused(&patched, because),
        Err(status) => status,
    };
    let is_custom = schema.is_some_and(|schema| !schema.is_built_in());
    for field in ["apiVersion", "kind"].into_iter().filter(|_| !is_custom) {
        let found = match &patched[field] {
            Value::Null | Value::String(_) => continue,
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        return Err(refusal(&format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go struct field .{field} \
             of type string"
        )));
    }
    if is_custom && text(&patched, "kind").is_empty() {
        return Err(refusal(&format!("Object 'Kind' is missing in '{patched}'")));
    }
    // Upstream decodes into an object of the kind, which says what it is where the text does not; without a version, into
    // one of the internal version, whose fields have other names.
    let is_other = !matches!(text(&patched, "kind"), "") && patched.get("kind") != current.get("kind");
    if !is_custom && text(&patched, "apiVersion").is_empty() && !is_other {
        let fields = patched.as_object().into_iter().flat_map(Map::keys);
        let fields = fields.filter(|field| !matches!(field.as_str(), "apiVersion" | "kind"));
        let strict = fields.map(|field| format!("unknown field {field:?}")).collect();
        judge(request, DecodeErrors { mistyped: None, strict }, refusal)?;
        return Err(nameless(&request.route.name));
    }
    if !is_custom && text(&patched, "kind").is_empty() {
        object::copy_field(current, &mut patched, "kind");
    }
    let is_known = |field: &&str| patched.get(*field) == current.get(*field);
    if !is_custom && !["apiVersion", "kind"].iter().all(is_known) {
        return Err(refusal(&of_another_kind(&patched, current)));
    }
    // A definition may have changed since the object was stored; the built-in types do not.
    let untouched = if is_custom { Untouched::default() } else { patch.take_untouched(&mut patched) };
    if let Some(schema) = schema.filter(|_| patch.is_strategic()) {
        convert::unstructured(schema, &mut patched).map_err(|because| refusal(&because))?;
    }
    let (mut object, mut complaints) =
        decode(schema, patched).map_err(|error| refusal(&error.to_string()))?;
    if patch.is_strategic() {
        complaints.mistyped = complaints.mistyped.map(|because| convert::reason(&because));
    }
    complaints.strict.splice(0..0, patch.twice().iter().cloned());
    judge(request, complaints, refusal)?;
    untouched.put_back(&mut object);
    Ok(object)
}

/// Why a built-in object cannot become what a patch makes of it. Without a version, upstream takes the internal one.
fn of_another_kind(patched: &Value, current: &Value) -> String {
    let split = |api_version: &str| {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        (group.to_owned(), version.to_owned())
    };
    let package = |group: &str| match group.split('.').next() {
        Some("") | None => "core".to_owned(),
        Some(first) => first.to_owned(),
    };
    let (kind, api_version) = (text(patched, "kind"), text(patched, "apiVersion"));
    let (own_group, own_version) = split(text(current, "apiVersion"));
    let (known, from) = match split(api_version) {
        _ if api_version.is_empty() => (Schema::named(&own_group, &own_version, kind), package(&own_group)),
        (group, version) => (Schema::named(&group, &version, kind), version),
    };
    match known {
        Some(_) => {
            let to = format!("{}.{}", package(&own_group), text(current, "kind"));
            format!("converting ({from}.{kind}) to ({to}): unknown conversion")
        }
        None => unregistered(kind, api_version),
    }
}

/// The expected content of a body.
struct Expected<'a> {
    api_version: String,
    kind: &'a str,
    schema: Option<Schema<'a>>,
}

impl<'a> Expected<'a> {
    fn of(kind: &'a Kind) -> Self {
        Self { api_version: kind.api_version(), kind: &kind.kind, schema: kind.structure() }
    }

    /// A built-in kind's objects need not say what they are.
    fn check(&self, request: &Request, object: &mut Value, complaints: DecodeErrors) -> Result<()> {
        for (field, expected) in [("apiVersion", &*self.api_version), ("kind", self.kind)] {
            if text(object, field).is_empty() {
                object[field] = expected.into();
            }
        }
        let (version, kind) = (text(object, "apiVersion"), text(object, "kind"));
        // The kind is read first, and without one nothing else is.
        for field in ["apiVersion", "kind"] {
            let of_root = format!("Go struct field {}.{field} of type string", self.kind);
            if let Some(because) = complaints.mistyped.as_ref().filter(|because| because.ends_with(&of_root))
            {
                let because = because.replace(&of_root, &format!("Go struct field .{field} of type string"));
                let because = format!("couldn't get version/kind; json parse error: {because}");
                return Err(Status::unrecognized(self.kind, &because, &request.body));
            }
        }
        if (version, kind) != (&*self.api_version, self.kind) {
            return Err(self.unfit(version, kind, &unregistered(kind, version)));
        }
        judge(request, complaints, |because| self.unfit(version, kind, because))
    }

    /// A custom kind's do.
    fn check_custom(&self, request: &Request, object: &Value, complaints: DecodeErrors) -> Result<()> {
        let (version, kind) = (text(object, "apiVersion"), text(object, "kind"));
        if kind.is_empty() {
            let body = String::from_utf8_lossy(&request.body);
            let because = format!("Object 'Kind' is missing in '{body}'");
            return Err(Status::unrecognized(self.kind, &because, &request.body));
        }
        judge(request, complaints, |because| self.unfit(version, kind, because))?;
        if version != self.api_version {
            return Err(Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({})",
                self.api_version
            )));
        }
        check_kind(request.kind(), object)
    }

    fn unfit(&self, api_version: &str, kind: &str, because: &str) -> Status {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        Status::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {}: {because}",
            self.kind
        ))
    }
}

/// Upstream's message for unknown kinds.
pub(super) fn unregistered(kind: &str, api_version: &str) -> String {
    format!(
        "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
    )
}

/// Refuses, tells or forgets what there is against a text, as the client wants it.
fn judge(request: &Request, complaints: DecodeErrors, refusal: impl Fn(&str) -> Status) -> Result<()> {
    if let Some(because) = complaints.mistyped {
        return Err(refusal(&because));
    }
    match request.query.field_validation {
        FieldValidation::Strict if !complaints.strict.is_empty() => {
            let told: Vec<String> = complaints.strict.into_iter().map(as_an_error).collect();
            return Err(refusal(&format!("strict decoding error: {}", told.join(", "))));
        }
        FieldValidation::Warn => request.warnings.add(complaints.strict),
        FieldValidation::Strict | FieldValidation::Ignore => {}
    }
    Ok(())
}

/// A warning about a line of YAML is introduced when it is an error.
fn as_an_error(warning: String) -> String {
    if warning.starts_with("line ") { format!("yaml: unmarshal errors:\n  {warning}") } else { warning }
}

/// A custom kind's objects are checked for what they call themselves like for all that they hold.
fn check_kind(kind: &Kind, object: &Value) -> Result<()> {
    let (version, name) = (text(object, "apiVersion"), text(object, "kind"));
    let mut causes = Vec::new();
    if name != kind.kind {
        causes.push(Cause::invalid("kind", &name.into(), format!("must be {}", kind.kind)));
    }
    if version != kind.api_version() {
        causes.push(Cause::invalid("apiVersion", &version.into(), format!("must be {}", kind.api_version())));
    }
    if causes.is_empty() {
        return Ok(());
    }
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let found = Kind { kind: name.to_owned(), group: group.to_owned(), ..kind.clone() };
    Err(Status::invalid(&found, object::name(object), &causes))
}

/// An object is where its path is, and no deeper than what can be read again.
pub(super) fn settle(request: &Request, object: &mut Value) -> Result<()> {
    if object::is_too_deep(object) {
        return Err(Status::bad_request("the object is nested too deeply"));
    }
    deduplicate_owners(request, object);
    if request.route.namespace.is_empty() {
        object::metadata_mut(object).remove("namespace"); // it is of the cluster
        return Ok(());
    }
    let namespace = object::namespace(object);
    if !namespace.is_empty() && namespace != request.route.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(message));
    }
    object::metadata_mut(object).insert("namespace".to_owned(), request.route.namespace.clone().into());
    Ok(())
}

/// Removes owners that stand twice, and tells the client.
fn deduplicate_owners(request: &Request, object: &mut Value) {
    let metadata = object::metadata_mut(object);
    let Some(Value::Array(owners)) = metadata.get_mut("ownerReferences") else { return };
    let (mut seen, mut twice) = (std::collections::HashSet::new(), Vec::new());
    owners.retain(|owner| {
        let is_new = seen.insert(owner.to_string());
        if !is_new {
            twice.push(owner["uid"].as_str().unwrap_or_default().to_owned());
        }
        is_new
    });
    if !twice.is_empty() {
        let when = if request.route.verb == Verb::Patch { " after mutating admission happens" } else { "" };
        request.warnings.add([format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and \
             may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            twice.join(", ")
        )]);
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// Refuses an object whose name is not the one in the path.
pub(super) fn check_name(request: &Request, object: &Value) -> Result<()> {
    let (found, expected) = (object::name(object), &request.route.name);
    if found == expected {
        return Ok(());
    }
    if found.is_empty() {
        return Err(nameless(expected));
    }
    Err(Status::bad_request(format!(
        "the name of the object ({found}) does not match the name on the URL ({expected})"
    )))
}

/// 400: an object without a name, where its path has one.
fn nameless(expected: &str) -> Status {
    Status::bad_request(format!(
        "the name of the object ({expected} based on URL) was undeterminable: name must be provided"
    ))
}
