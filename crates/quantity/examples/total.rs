//! Adds up quantities, as a quota does.
//!
//! ```sh
//! cargo run -p trimtab-quantity --example total -- 500m 1.5 250m
//! ```
//!
//! Output: `2250m`, or the argument that is no quantity, and exit code 2.

use std::{env, process::ExitCode};

use trimtab_quantity::Quantity;

fn main() -> ExitCode {
    let mut total = Quantity::default();
    for argument in env::args().skip(1) {
        match argument.parse::<Quantity>() {
            Ok(quantity) => total += quantity,
            Err(error) => {
                eprintln!("{argument}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    println!("{total}");
    ExitCode::SUCCESS
}
