//! [`Generator`]: random objects of a definition, for workloads.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Map, Value, json};

use crate::{random::Random, step::Step};

/// The largest number of items in an array or a map, unless its schema requires more.
const ITEMS: u64 = 3;
/// The bound of numbers without bounds of their own.
const NUMBERS: i64 = 100;

/// Draws objects of a custom kind that its definition allows: required fields always, the others half of the time,
/// numbers and lengths within their bounds, enumerations, formats and defaults.
///
/// It ignores `pattern` and rules in CEL. The API server refuses an object that violates one of them, and the timeline
/// shows the step as refused.
///
/// ```
/// # use trimtab_simulation::{Generator, Random};
/// # use serde_json::{from_value, json};
/// # let definition = from_value(json!({
/// #     "metadata": {"name": "databases.example.com"},
/// #     "spec": {
/// #         "group": "example.com", "scope": "Namespaced", "names": {"kind": "Database", "plural": "databases"},
/// #         "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
/// #             "type": "object", "properties": {"spec": {"type": "object", "required": ["replicas"], "properties": {
/// #                 "replicas": {"type": "integer", "minimum": 1, "maximum": 5}}}}}}}],
/// #     },
/// # })).expect("a definition");
/// let generator = Generator::of(&definition).expect("it has a schema");
/// let database = generator.object(&mut Random::seeded(7), "db");
/// assert!((1..=5).contains(&database["spec"]["replicas"].as_u64().expect("a number")));
/// ```
#[derive(Debug, Clone)]
pub struct Generator {
    api_version: String,
    kind: String,
    collection: String,
    namespaced: bool,
    schema: Value,
}

impl Generator {
    /// Creates a generator for the stored version of `definition`; `None` if no version has a schema.
    pub fn of(definition: &CustomResourceDefinition) -> Option<Self> {
        let spec = &definition.spec;
        let version = spec.versions.iter().find(|version| version.storage)?;
        let schema = version.schema.as_ref()?.open_api_v3_schema.as_ref()?;
        let namespaced = spec.scope == "Namespaced";
        let namespace = if namespaced { "/namespaces/default" } else { "" };
        Some(Self {
            api_version: format!("{}/{}", spec.group, version.name),
            kind: spec.names.kind.clone(),
            collection: format!("/apis/{}/{}{namespace}/{}", spec.group, version.name, spec.names.plural),
            namespaced,
            schema: serde_json::to_value(schema).ok()?,
        })
    }

    /// Draws an object of this name.
    pub fn object(&self, random: &mut Random, name: &str) -> Value {
        let mut object =
            json!({"apiVersion": self.api_version, "kind": self.kind, "metadata": {"name": name}});
        if self.namespaced {
            object["metadata"]["namespace"] = json!("default");
        }
        let properties = self.schema["properties"].as_object().into_iter().flatten();
        for (field, schema) in properties {
            if !matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
                object[field] = draw(random, schema);
            }
        }
        object
    }

    /// Draws an object and returns the step that creates it.
    pub fn create(&self, random: &mut Random, name: &str) -> Step {
        Step::create_at(&self.collection, &self.object(random, name))
    }

    /// Draws a spec and returns the step that updates the object of this name.
    pub fn change(&self, random: &mut Random, name: &str) -> Step {
        let spec = self.object(random, name)["spec"].take();
        Step::patch_at(&format!("{}/{name}", self.collection), &json!({"spec": spec}))
    }

    /// Returns the step that deletes the object of this name.
    pub fn delete(&self, name: &str) -> Step {
        Step::delete_at(&format!("{}/{name}", self.collection))
    }
}

/// Draws a value that `schema` allows.
fn draw(random: &mut Random, schema: &Value) -> Value {
    if let Some(choices) = schema["enum"].as_array() {
        return random.pick(choices).cloned().unwrap_or_default();
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return json!(bounded(random, schema));
    }
    match schema["type"].as_str() {
        Some("object") => object(random, schema),
        Some("array") => {
            let count = length(random, schema, "minItems", "maxItems");
            (0..count).map(|_| draw(random, &schema["items"])).collect()
        }
        Some("integer") => json!(bounded(random, schema)),
        Some("number") => json!(bounded(random, schema) as f64),
        Some("boolean") => json!(random.chance(0.5)),
        Some("string") => json!(string(random, schema)),
        _ => Value::Object(Map::new()), // whatever is allowed, nothing is
    }
}

fn object(random: &mut Random, schema: &Value) -> Value {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut drawn = Map::new();
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        if required.contains(&field.as_str()) || random.chance(0.5) {
            drawn.insert(field.clone(), draw(random, schema));
        }
    }
    if schema["additionalProperties"].is_object() {
        for number in 0..length(random, schema, "minProperties", "maxProperties") {
            drawn.insert(format!("key-{number}"), draw(random, &schema["additionalProperties"]));
        }
    }
    Value::Object(drawn)
}

/// Draws an integer within the bounds that satisfies `multipleOf`.
fn bounded(random: &mut Random, schema: &Value) -> i64 {
    let number = |name: &str| schema[name].as_f64().map(|bound| bound as i64);
    let exclusive = |name: &str| i64::from(schema[name] == true);
    let least = number("minimum").map(|least| least + exclusive("exclusiveMinimum"));
    let most = number("maximum").map(|most| most - exclusive("exclusiveMaximum"));
    let least = least.unwrap_or_else(|| most.map_or(0, |most| most.min(0)));
    let most = most.unwrap_or_else(|| least.saturating_add(NUMBERS)).max(least);
    let step = number("multipleOf").filter(|step| *step > 0).unwrap_or(1);
    let first = least.div_euclid(step) + i64::from(least.rem_euclid(step) != 0);
    let count = (most.div_euclid(step) - first).max(0).unsigned_abs();
    (first + i64::try_from(random.within(0..count.saturating_add(1))).unwrap_or(0)) * step
}

fn length(random: &mut Random, schema: &Value, least: &str, most: &str) -> u64 {
    let least = schema[least].as_u64().unwrap_or(0);
    let most = schema[most].as_u64().unwrap_or(least + ITEMS).min(least + ITEMS);
    random.within(least..most.max(least) + 1)
}

fn string(random: &mut Random, schema: &Value) -> String {
    match schema["format"].as_str() {
        Some("date-time") => "2026-01-01T00:00:00Z".to_owned(),
        Some("date") => "2026-01-01".to_owned(),
        Some("byte") => "AAAA".to_owned(),
        Some("duration") => "5s".to_owned(),
        Some("ipv4") => "10.0.0.1".to_owned(),
        Some("uri") => "https://example.com".to_owned(),
        _ => {
            let count = length(random, schema, "minLength", "maxLength")
                .max(schema["minLength"].as_u64().unwrap_or(1));
            let letter =
                |random: &mut Random| char::from(b'a' + u8::try_from(random.within(0..26)).unwrap_or(0));
            (0..count).map(|_| letter(random)).collect()
        }
    }
}
