//! Validates an object by a CustomResourceDefinition.
//!
//! ```sh
//! cargo run -p trimtab-schema --example valid -- definition.yaml object.yaml
//! ```
//!
//! Output: the object with its defaults as JSON; or the message of kube-apiserver, and exit code 1.

use std::{env, error::Error, fs, process::ExitCode};

use trimtab_schema::Definition;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(definition), Some(object)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: valid DEFINITION OBJECT");
        return ExitCode::from(2);
    };
    match validate(&definition, &object) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn validate(definition: &str, object: &str) -> Result<(), Box<dyn Error>> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let definition = Definition::from_yaml(&read(definition)?)?;
    let object: serde_json::Value = serde_saphyr::from_str(&read(object)?)?;
    println!("{:#}", definition.complete(&object)?);
    Ok(())
}
