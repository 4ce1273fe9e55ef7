//! Expressions with the values, errors, costs and types that upstream has for them.

use serde_json::Value as Json;
use trimtab_cel::{Activation, DeclType, Meter, Program, Variable};

const EXPRESSIONS: &str = include_str!("upstream/expressions.txt");
const OBJECT: &str = include_str!("upstream/object.json");

/// Compiles and evaluates an expression; the result has the form of the recorded ones.
fn told(source: &str, input: &Json, declared: &DeclType) -> Vec<String> {
    let program = match Program::compile(source, &[Variable::new("self", declared)]) {
        Ok(program) => program,
        Err(error) => {
            let text = error.to_string();
            return vec![format!("reject {}", text.split("\n |").next().unwrap_or_default())];
        }
    };
    let mut meter = Meter::default();
    let activation = Activation::new().bind("self", &input["object"], declared);
    let outcome = match program.evaluate(activation, &mut meter) {
        // Infinite numbers and versions have no JSON.
        Ok(output) => format!("value {}", output.to_json().unwrap_or_else(|| Json::from("?"))),
        Err(error) => format!("error {error}"),
    };
    let costs = format!("cost {} estimate {}", meter.cost(), program.max_cost());
    vec![outcome, format!("{costs} type {}", program.result_type())]
}

/// Writes JSON without the spaces that make it readable; doubles have a point.
fn normal(line: &str) -> String {
    match line.strip_prefix("value ") {
        Some(value) => {
            let value: Json = serde_json::from_str(value).expect("a recorded value is JSON");
            format!("value {value}")
        }
        None => line.to_owned(),
    }
}

#[test]
fn expressions_have_upstream_s_results_and_costs() {
    let input: Json = serde_json::from_str(OBJECT).expect("JSON");
    let declared = DeclType::from_schema(&input["schema"], true).expect("a schema with a type");
    let mut recorded: Vec<(&str, Vec<String>)> = Vec::new();
    for line in EXPRESSIONS.lines().filter(|line| !line.starts_with('#')) {
        match (line.strip_prefix("  "), recorded.last_mut()) {
            (Some(result), Some((_, results))) => results.push(normal(result)),
            _ => recorded.push((line, Vec::new())),
        }
    }
    assert!(recorded.len() > 700, "{} expressions are recorded", recorded.len());
    let differences: Vec<String> = recorded
        .iter()
        .map(|(source, expected)| (source, expected, told(source, &input, &declared)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(source, expected, found)| format!("{source}\n  upstream {expected:?}\n  here     {found:?}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
