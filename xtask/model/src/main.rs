//! Checks a model exhaustively, then without each of its rules: `cargo xtask model lease`.
//!
//! It exits with 0 if the model with all rules violates nothing and reaches what it should, and if the model without
//! any one of the rules violates something. For each of these it prints a counter-example.

mod election;

use std::{env, process::ExitCode, time::Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use election::{Election, Rule};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments != ["lease"] {
        eprintln!("usage: model lease");
        return ExitCode::from(2);
    }
    let sound = check(None);
    let guarded = Rule::ALL.map(|rule| check(Some(rule)));
    let as_expected = sound && guarded.iter().all(|found| *found);
    println!("\n{}", if as_expected { "as expected" } else { "NOT AS EXPECTED" });
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the model without this rule is as it should be: sound with all rules, and unsound without one.
fn check(without: Option<Rule>) -> bool {
    let start = Instant::now();
    let model = Election { without };
    let properties = model.properties();
    let checker = match without {
        None => {
            let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
            model.checker().threads(threads).spawn_bfs().join()
        }
        // One thread finds a short counter-example first.
        Some(_) => model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join(),
    };
    let (states, depth, took) = (checker.unique_state_count(), checker.max_depth(), start.elapsed());
    match without {
        None => println!("all rules: {states} states, depth {depth}, in {took:.1?}"),
        Some(rule) => {
            println!("\nwithout {rule:?}: {states} states up to the first violation, in {took:.1?}")
        }
    }
    let mut violations = 0;
    let mut reached = true;
    for property in properties {
        let found = checker.discovery(property.name);
        match (property.expectation, found) {
            (Expectation::Always, Some(path)) => {
                violations += 1;
                println!("  violated: {}", property.name);
                for (state, action) in path.into_vec() {
                    if !(property.condition)(checker.model(), &state) {
                        break; // by the action before
                    }
                    action.iter().for_each(|action| println!("    {action:?}"));
                }
            }
            (Expectation::Sometimes, found) if without.is_none() => {
                println!("  {}: {}", property.name, if found.is_some() { "reached" } else { "NOT REACHED" });
                reached &= found.is_some();
            }
            _ => {}
        }
    }
    if without.is_none() { violations == 0 && reached } else { violations > 0 }
}
