//! Signals to a process of its own: the first one stops it in order, the second one ends it at once.

use std::{
    convert::Infallible,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use tokio::time::Instant;
use trimtab_apiserver::ApiServer;
use trimtab_manager::{Manager, Runnable, exit};

/// The name of the variable that tells the child what its runnable does after the shutdown.
const MODE: &str = "TRIMTAB_SIGNALS_TEST";

fn main() -> ExitCode {
    if let Ok(mode) = std::env::var(MODE) {
        return process(mode);
    }
    if cfg!(unix) {
        the_first_signal_stops_in_order();
        a_second_signal_ends_a_process_whose_threads_are_blocked();
    }
    ExitCode::SUCCESS
}

/// The child: a manager with one thread.
fn process(mode: String) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = ApiServer::start();
        let manager = Manager::with_client_that_may_retry("signals", server.client());
        let mut manager = manager.build().expect("sound settings");
        manager.runnable(Runnable::new("main", move |shutdown| {
            let mode = mode.clone();
            async move {
                println!("ready");
                shutdown.await;
                println!("stopping");
                if mode == "block" {
                    loop {
                        std::thread::park(); // blocks the only thread of the runtime
                    }
                }
                Ok::<(), Infallible>(())
            }
        }));
        let ended = manager.run().await;
        println!("stopped");
        exit(ended)
    })
}

fn start(mode: &str) -> (Child, impl FnMut(&str)) {
    let program = std::env::current_exe().expect("a path");
    let mut child = Command::new(program).env(MODE, mode).stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let expect = move |expected: &str| {
        assert_eq!(lines.next().expect("a line").expect("text"), expected);
    };
    (child, expect)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

fn the_first_signal_stops_in_order() {
    for name in ["-TERM", "-INT"] {
        let (mut child, mut expect) = start("polite");
        expect("ready");
        signal(&child, name);
        expect("stopping");
        expect("stopped");
        assert_eq!(child.wait().expect("ended").code(), Some(0), "{name}");
    }
}

/// Fails if the signals are awaited on the runtime, whose only thread is blocked.
fn a_second_signal_ends_a_process_whose_threads_are_blocked() {
    let (mut child, mut expect) = start("block");
    expect("ready");
    signal(&child, "-TERM");
    expect("stopping");
    let second = Instant::now();
    signal(&child, "-TERM");
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    assert!(second.elapsed() < Duration::from_secs(3), "{:?}", second.elapsed());
}
