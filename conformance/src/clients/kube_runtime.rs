//! kube-runtime's helpers `finalizer` and `Recorder`, in a program that runs them in a controller of ours.

use super::{Session, Verdict, shell};
use crate::servers::Failure;
use std::path::Path;
use std::process::Command;

/// The lines that the program prints, one for each Event that it finds in the end.
const STEPS: [(&str, &str); 2] = [
    ("finalizer: added, and the object applied", "Applied by an example"),
    ("finalizer: cleaned up, and removed", "CleanedUp by an example"),
];

/// Runs the program. It starts a server of its own, and ends when its object has come and gone.
pub(super) async fn run(program: &Path) -> Result<Session, Failure> {
    let ran = shell::run(Command::new(program), String::new()).await?;
    let mut verdicts = Vec::new();
    for (step, line) in STEPS {
        let passed = ran.code == 0 && ran.text.lines().filter(|printed| *printed == line).count() == 1;
        if !passed {
            println!("FAILED kube-runtime, {step}: {}", ran.text);
        }
        verdicts.push((step.to_owned(), if passed { Verdict::Passed } else { Verdict::Failed }));
    }
    Ok(Session { client: "kube-runtime".to_owned(), steps: verdicts })
}
