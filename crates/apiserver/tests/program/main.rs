//! The program `trimtab-apiserver` as somebody starts it: its errors and warnings are lines to read.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_trimtab-apiserver");

/// A running program, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Returns the last line that a program says which cannot start.
fn refusal(arguments: &[&str]) -> String {
    let ended = Command::new(PROGRAM).args(arguments).output().expect("it starts");
    let said = String::from_utf8(ended.stderr).expect("text");
    assert_eq!(ended.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("trimtab-apiserver: "), "{said}");
    last.to_owned()
}

/// Returns the lines that a program says until it serves.
fn warnings(arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new(PROGRAM);
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (output, errors) = (program.stdout.take().expect("piped"), program.stderr.take().expect("piped"));
    let running = Running(program);
    let serves = BufReader::new(output).lines().next().expect("a line").expect("text");
    assert!(serves.starts_with("export KUBECONFIG="), "{serves}");
    drop(running); // now nothing more is said
    BufReader::new(errors).lines().map(|line| line.expect("text")).collect()
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    for more in [&[][..], &["--tls"]] {
        let said = refusal(&[&["--listen", &*address], more].concat());
        assert!(said.contains(&format!("cannot listen on {address}: ")), "{said}");
        assert!(said.ends_with("; --listen chooses another address or port"), "{said}");
        assert!(said.contains("in use") && !said.contains("Os {"), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_read_or_written_is_named() {
    for (option, file) in [("--load", "/nowhere/objects.yaml"), ("--kubeconfig", "/nowhere/config")] {
        let said = refusal(&["--listen", "127.0.0.1:0", option, file].into_iter().collect::<Vec<_>>());
        assert!(said.contains(file) && !said.contains("Os {"), "{said}");
    }
}

#[test]
fn rbac_without_tls_warns_that_nobody_sends_credentials() {
    let is_warning = |line: &String| {
        line.starts_with("warning: clients send no credentials over plain HTTP") && line.contains("--tls")
    };
    assert!(warnings(&["--rbac"]).iter().any(is_warning));
    for silent in [&["--rbac", "--tls"][..], &["--tls"], &[]] {
        assert!(!warnings(silent).iter().any(|line| line.starts_with("warning")), "{silent:?}");
    }
}
