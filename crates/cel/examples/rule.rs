//! Evaluates an expression about a JSON value.
//!
//! ```sh
//! cargo run -p trimtab-cel --example rule -- 'self.names.all(n, n.size() < 5)' '{"names": ["a", "bcd"]}'
//! ```
//!
//! Output: the result as JSON, its cost and the estimate; or the error, and exit code 2. The schema is the most general
//! one of the value: lists and maps without limits, so the estimate is high.

use std::{env, error::Error, process::ExitCode};

use serde_json::{Value, json};
use trimtab_cel::{Activation, DeclType, Meter, Program, Variable};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(rule), Some(value)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: rule EXPRESSION JSON");
        return ExitCode::from(2);
    };
    match evaluate(&rule, &value) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn evaluate(rule: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let value: Value = serde_json::from_str(text)?;
    let declared = DeclType::from_schema(&schema_of(&value), false).ok_or("null has no type")?;
    let program = Program::compile(rule, &[Variable::new("self", &declared)])?;
    let mut meter = Meter::default();
    let output = program.evaluate(Activation::new().bind("self", &value, &declared), &mut meter)?;
    match output.to_json() {
        Some(json) => println!("{json}"),
        None => println!("a value of type {}", output.type_name()),
    }
    println!("cost {}, estimated at most {}", meter.cost(), program.max_cost());
    Ok(())
}

/// Returns a schema that fits the value; the items of a list are like the first.
fn schema_of(value: &Value) -> Value {
    match value {
        Value::Null => json!({"x-kubernetes-preserve-unknown-fields": true}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) => json!({"type": if number.is_f64() { "number" } else { "integer" }}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let item = items.first().map_or(json!({"type": "string"}), schema_of);
            json!({"type": "array", "items": item})
        }
        Value::Object(fields) => {
            let properties: serde_json::Map<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), schema_of(value))).collect();
            json!({"type": "object", "properties": properties})
        }
    }
}
