//! Apply: a configuration says which fields its manager wants, and the server works out the rest.

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    core::Core,
    decode,
    request::Request,
    show,
    write::{self, Made, Managers, Scope},
};
use crate::{
    api::{
        object,
        query::FieldValidation,
        status::{Cause, Result, Status},
    },
    store::Stored,
    wire::{
        body::ResponseBody,
        negotiate::{read_json, read_yaml},
    },
};

/// Applies a configuration, to a new object if there is none.
pub(super) fn apply(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let config = Config::read(&request.body)?;
    loop {
        let kind = request.kind();
        if request.route.subresource.is_some()
            || core.registry.store.get(&kind.resource(), &request.key()).is_some()
        {
            let written = change(core, request, &config)?;
            return show::answer(core, request, StatusCode::OK, &written);
        }
        match make(core, request, &config) {
            // Somebody else was faster: now it is a change.
            Err(status) if status.reason() == "AlreadyExists" => {}
            made => {
                let made = made?;
                return show::answer(core, request, StatusCode::CREATED, &made);
            }
        }
    }
}

fn change(core: &Core, request: &Request, config: &Config) -> Result<std::sync::Arc<Stored>> {
    let force = request.query.force.unwrap_or(false);
    write::change(core, request, Scope::Object, |current, managers| {
        let now = core.registry.clock.seconds();
        let (object, managers) =
            request.writer(core, &now).apply(current, managers, &config.object, force)?;
        let object = decode::applied(request, object)?;
        config.judge(request)?;
        decode::check_name(request, &object)?;
        if object::uid(&object) != object::uid(current) {
            let cause = Cause::invalid("metadata.uid", &json!(object::uid(&object)), "field is immutable");
            return Err(Status::invalid(request.kind(), &request.route.name, &[cause]));
        }
        Ok(Made { object, managers: Managers::Are(managers) })
    })
}

fn make(core: &Core, request: &Request, config: &Config) -> Result<std::sync::Arc<Stored>> {
    let (kind, name) = (request.kind(), &request.route.name);
    let nothing = json!({"metadata": {}});
    let now = core.registry.clock.seconds();
    let (object, managers) = request.writer(core, &now).apply(&nothing, None, &config.object, true)?;
    let uid = object::uid(&object);
    if !uid.is_empty() {
        let because = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(Status::conflict(kind, name, &because));
    }
    let mut object = decode::applied(request, object)?;
    config.judge(request)?;
    if object::name(&object).is_empty() {
        let because = "name must be provided";
        return Err(Status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: {because}"
        )));
    }
    decode::check_name(request, &object)?;
    object::metadata_mut(&mut object).remove("resourceVersion"); // there is none that it could be
    write::insert(core, request, Made { object, managers: Managers::Are(managers) })
}

/// A configuration that was read.
pub(super) struct Config {
    pub(super) object: Value,
    /// Errors that a lenient client does not get.
    complaints: Option<String>,
}

impl Config {
    /// Reads a configuration, as JSON or as YAML.
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        let refused = |because: &str| Status::bad_request(format!("error decoding YAML: {because}"));
        let (decoded, complaints) = match read_json(body, None) {
            Ok((decoded, complaints)) if complaints.strict.is_empty() => (decoded, complaints),
            _ => read_yaml(body, None)
                .map_err(|because| refused(&format!("error converting YAML to JSON: {because}")))?,
        };
        let twice = complaints.strict.first();
        let complaints =
            twice.map(|line| format!("error converting YAML to JSON: yaml: unmarshal errors:\n  {line}"));
        let found = match decoded {
            Value::Object(config) => return Ok(Self { object: config.into(), complaints }),
            Value::Null => return Ok(Self { object: json!({}), complaints }),
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
        };
        Err(refused(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type \
             map[string]interface {{}}"
        )))
    }

    /// Refuses, tells or forgets what is wrong with it, as the client wants it.
    pub(super) fn judge(&self, request: &Request) -> Result<()> {
        let Some(because) = &self.complaints else {
            return Ok(());
        };
        match request.query.field_validation {
            FieldValidation::Strict => {
                return Err(Status::bad_request(format!("error strict decoding YAML: {because}")));
            }
            FieldValidation::Warn => request.warnings.add(vec![because.clone()]),
            FieldValidation::Ignore => {}
        }
        Ok(())
    }
}
