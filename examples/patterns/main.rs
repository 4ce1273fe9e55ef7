//! The examples of `docs/patterns/`, one subcommand for each pattern.
//!
//! `cargo run -p trimtab-examples --bin patterns -- tombstones` runs one of them. They need no cluster: an API server runs
//! in the process. Their time is virtual, so a lease that expires after 15 s costs no real time.

use std::{error::Error, process::ExitCode};

mod controller;
mod expectations;
mod feature_gates;
mod informer;
mod leader_election;
mod owner_references;
mod tombstones;
mod work_queue;

type Example = fn() -> Result<(), Box<dyn Error>>;

/// The examples, under the names of their pages.
const EXAMPLES: [(&str, Example); 8] = [
    ("controller", controller::main),
    ("informer", informer::main),
    ("work-queue", work_queue::main),
    ("tombstones", tombstones::main),
    ("expectations", expectations::main),
    ("owner-references", owner_references::main),
    ("leader-election", leader_election::main),
    ("feature-gates", feature_gates::main),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let example = match &arguments[..] {
        [name] => EXAMPLES.iter().find(|(known, _)| known == name),
        _ => None,
    };
    let Some((name, run)) = example else {
        let known = EXAMPLES.map(|(name, _)| name).join(", ");
        eprintln!("expected the name of one pattern, found {:?}; the names: {known}", arguments.join(" "));
        return ExitCode::from(2);
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}
