//! Compiling a schema into [`Keywords`].

use serde_json::{Number, Value};
use trimtab_cel::Pattern;

use super::{Bounds, Keywords, format};

/// A schema that has no meaning, such as one with an unknown type.
#[derive(Debug)]
pub(crate) struct Meaningless;

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

impl Keywords {
    /// Compiles a schema.
    pub(crate) fn compile(schema: &Value) -> Result<Self, Meaningless> {
        let flag = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let all = |name: &str| -> Result<Vec<Self>, Meaningless> {
            schema[name].as_array().into_iter().flatten().map(Self::compile).collect()
        };
        let part = |name: &str| -> Result<Option<Box<Self>>, Meaningless> {
            schema
                .get(name)
                .filter(|part| part.is_object())
                .map(Self::compile)
                .transpose()
                .map(|part| part.map(Box::new))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let properties = properties.map(|(name, schema)| Ok((name.clone(), Self::compile(schema)?)));
        Ok(Self {
            types: types(schema)?,
            choices: choices(schema),
            bounds: bounds(schema),
            required: required(schema),
            pattern: pattern(schema),
            format: schema
                .get("format")
                .filter(|_| schema.get("type").is_none_or(|kind| kind == "string"))
                .and_then(Value::as_str)
                .and_then(format),
            declared_format: schema["format"].as_str().filter(|name| !name.is_empty()).map(str::to_owned),
            unique: flag("uniqueItems"),
            properties: properties.collect::<Result<_, _>>()?,
            additional: part("additionalProperties")?,
            items: part("items")?,
            all_of: all("allOf")?,
            any_of: all("anyOf")?,
            one_of: all("oneOf")?,
            not: part("not")?,
        })
    }
}

fn types(schema: &Value) -> Result<Vec<&'static str>, Meaningless> {
    if schema["x-kubernetes-int-or-string"] == true {
        return Ok(vec!["integer", "string"]);
    }
    let Some(name) = schema.get("type") else { return Ok(Vec::new()) };
    let known = TYPES.into_iter().find(|known| name == known).ok_or(Meaningless)?;
    Ok(if schema["nullable"] == true { vec![known, "null"] } else { vec![known] })
}

fn choices(schema: &Value) -> Option<Vec<Value>> {
    let mut choices = schema.get("enum")?.as_array()?.clone();
    choices.extend((schema["nullable"] == true).then_some(Value::Null));
    Some(choices)
}

fn required(schema: &Value) -> Vec<String> {
    if schema["x-kubernetes-embedded-resource"] == true {
        return vec!["apiVersion".to_owned(), "kind".to_owned()];
    }
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the pattern; of one that only Go's `regexp` reads, nothing is checked.
fn pattern(schema: &Value) -> Option<(String, Pattern)> {
    let source = schema.get("pattern").and_then(Value::as_str)?;
    Some((source.to_owned(), Pattern::new(source).ok()?))
}

fn bounds(schema: &Value) -> Bounds {
    let number = |name: &str| schema.get(name).and_then(Value::as_number).cloned();
    let count = |name: &str| number(name).as_ref().and_then(count);
    // In OpenAPI 3.0, a flag beside the bound makes it exclusive.
    let pair = |name: &str, flag: &str| {
        if schema[flag] == true { (None, number(name)) } else { (number(name), None) }
    };
    let (minimum, exclusive_minimum) = pair("minimum", "exclusiveMinimum");
    let (maximum, exclusive_maximum) = pair("maximum", "exclusiveMaximum");
    Bounds {
        minimum,
        exclusive_minimum,
        maximum,
        exclusive_maximum,
        multiple_of: number("multipleOf"),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        min_items: count("minItems"),
        max_items: count("maxItems"),
        min_properties: count("minProperties"),
        max_properties: count("maxProperties"),
    }
}

/// Returns a count, which may be written as a float.
fn count(number: &Number) -> Option<u64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number that is not negative"
    )]
    let of_float = |float: f64| (float.fract() == 0.0 && float >= 0.0).then_some(float as u64);
    number.as_u64().or_else(|| number.as_f64().and_then(of_float))
}
