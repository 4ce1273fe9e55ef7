//! Running a client's program to its end, with what it printed.

use crate::servers::Failure;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a program may take: kubectl's own limits are shorter.
const PATIENCE: Duration = Duration::from_secs(180);

/// What a program did.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    /// Its output, and then its errors.
    pub(super) text: String,
}

/// Runs `command` with `input`, on a thread of its own: the server runs on the others.
pub(super) async fn run(mut command: Command, input: String) -> Result<Ran, Failure> {
    let task = tokio::task::spawn_blocking(move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that reads nothing may have closed it.
            let _ = stdin.write_all(input.as_bytes());
        }
        child.wait_with_output()
    });
    let output = tokio::time::timeout(PATIENCE, task)
        .await
        .map_err(|_| format!("a client did not end within {PATIENCE:?}"))???;
    let text = [output.stdout, output.stderr].concat();
    Ok(Ran { code: output.status.code().unwrap_or(-1), text: String::from_utf8_lossy(&text).into_owned() })
}
