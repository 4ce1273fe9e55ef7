//! Running cargo and other programs, and printing the command line that repeats a run.

use crate::failure::{Failure, While};
use std::ffi::OsStr;
use std::process::{Command, ExitCode, ExitStatus, Stdio};

/// Builds a cargo command with `arguments`. It uses the cargo that started this program, which keeps a `+toolchain`.
///
/// The variables that describe xtask's own package are removed: ring's build script looks at them, and would compile
/// ring and everything above it again whenever cargo runs here after it ran in a shell.
pub(crate) fn command<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    let of_package = |name: &OsStr| name.to_string_lossy().starts_with("CARGO_PKG_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| of_package(name)) {
        command.env_remove(name);
    }
    command
}

/// Formats the line that repeats `command` in a shell at the workspace's root.
pub(crate) fn line(command: &Command) -> String {
    let program = command.get_program();
    let program = if is_cargo(program) { OsStr::new("cargo") } else { program };
    let settings =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.display(), quoted(value?))));
    settings
        .chain(std::iter::once(program).chain(command.get_args()).map(quoted))
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_cargo(program: &OsStr) -> bool {
    std::path::Path::new(program).file_stem() == Some(OsStr::new("cargo"))
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

/// Runs `command` with the terminal of this process.
///
/// # Errors
///
/// If the program cannot be started, or its exit code is not 0.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().doing(format_args!("starting {}", command.get_program().display()))?;
    checked(status)
}

/// Prints the command line, then runs the command.
pub(crate) fn show(command: &mut Command) -> Result<(), Failure> {
    println!("$ {}", line(command));
    run(command)
}

/// Like [`show`], and returns the program's output.
pub(crate) fn checked_output(command: &mut Command) -> Result<String, Failure> {
    println!("$ {}", line(command));
    let output = command.stderr(Stdio::inherit()).output().doing(command.get_program().display())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{text}");
    checked(output.status).map(|()| text)
}

/// Turns an exit status other than success into an error.
pub(crate) fn checked(status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("ended with {status}"))) }
}

/// Replaces this process with `command`, which then receives the signals and sets the exit code.
#[cfg(unix)]
pub(crate) fn become_program(mut command: Command) -> Result<ExitCode, Failure> {
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Err(error).doing(format_args!("starting {}", command.get_program().display()))
}

/// Runs `command` and returns its exit code: only Unix can replace a process.
#[cfg(not(unix))]
pub(crate) fn become_program(mut command: Command) -> Result<ExitCode, Failure> {
    let status = command.status().doing(format_args!("starting {}", command.get_program().display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_repeats_settings_program_and_arguments() {
        let mut doc = Command::new("/toolchain/bin/cargo");
        doc.args(["doc", "--no-deps", "two words"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line(&doc), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'two words'");
    }
}
