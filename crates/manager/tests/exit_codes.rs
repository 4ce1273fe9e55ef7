//! Bad input to a process of its own: one clear line, exit code 1, or 2 if the command line is wrong, and nothing hangs.

use std::{
    error::Error,
    future::{pending, ready},
    net::TcpListener,
    process::{Command, ExitCode, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::Parser;
use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::api::{ApiResource, DynamicObject, GroupVersionKind};
use tokio::time::sleep;
use trimtab_admin::Admin;
use trimtab_apiserver::{ApiServer, Filter, Refusal};
use trimtab_controller::{Action, Controller, informer::Informer};
use trimtab_manager::{Manager, ManagerArgs, exit};

/// The name of the variable that tells the child its case.
const CASE: &str = "TRIMTAB_EXIT_CODES_TEST";

/// The time within which a child must have ended.
const NOTHING_HANGS: Duration = Duration::from_secs(60);

/// The cases: name, arguments, exit code, and texts of the line.
const CASES: [(&str, &[&str], i32, &[&str]); 8] = [
    (
        "kubeconfig",
        &["--kubeconfig", "/nowhere/config"],
        1,
        &["the kubeconfig cannot be used", "/nowhere/config"],
    ),
    ("usage", &["--feature-gates", "Nothing=true"], 2, &["--feature-gates", "Nothing"]),
    ("port in use", &[], 1, &["admin server: listening on 127.0.0.1:", "in use"]),
    ("one name", &[], 1, &["two controllers are called \"maps\""]),
    ("not served", &[], 1, &["informers: not synced: websites.example.com", "until the kind is served"]),
    ("forbidden", &[], 1, &["informers: not synced: configmaps", "403"]),
    ("stuck", &[], 1, &["controller maps: reconciles exceeded the grace period", "default/a"]),
    ("blocked", &[], 1, &["controller maps: ", "block", "default/a"]),
];

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    manager: ManagerArgs,
}

fn main() -> ExitCode {
    if let Ok(case) = std::env::var(CASE) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let options = Options::parse();
        return runtime.expect("a runtime").block_on(async { exit(run(&case, options).await) });
    }
    let running = CASES.map(|(case, arguments, ..)| start(case, arguments));
    for ((case, _, code, texts), running) in CASES.iter().zip(running) {
        let output = running.recv_timeout(NOTHING_HANGS).unwrap_or_else(|_| panic!("{case} hangs"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{case}: {said}");
        let mut lines = said.lines();
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with("error: "), "{case}: {said}");
        assert!(texts.iter().all(|text| line.contains(text)), "{case}: {said}");
        assert!(*code == 2 || lines.next().is_none(), "{case}: more than one line: {said}"); // clap adds its usage
    }
    ExitCode::SUCCESS
}

/// Starts the child of a case. Its end is sent.
fn start(case: &str, arguments: &[&str]) -> mpsc::Receiver<Output> {
    let mut child = Command::new(std::env::current_exe().expect("a path"));
    child.env(CASE, case).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = child.spawn().expect("started");
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output().expect("ended")));
    end
}

/// The child.
async fn run(case: &str, options: Options) -> Result<(), Box<dyn Error + Send + Sync>> {
    let server = ApiServer::start();
    server.load_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}").await?;
    if case == "forbidden" {
        let maps = Filter::any().resource("configmaps");
        server.faults().refuse(maps, Refusal::forbidden(), usize::MAX).leave();
    }
    if case == "kubeconfig" {
        options.manager.config().await?;
    }
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let second = Duration::from_secs(1);
    let builder = Manager::with_client_that_may_retry("exit-codes", server.client());
    let mut builder = builder.sync_timeout(second).grace_period(second);
    if case == "port in use" {
        builder = builder.admin(&taken.local_addr()?.to_string(), Admin::builder());
    }
    let mut manager = builder.build()?;
    if case == "not served" {
        let websites = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Website"));
        let informer = manager.informers().informer_with::<DynamicObject>(&websites);
        let controller = Controller::new_with("websites", &informer, &websites);
        manager.controller(controller.reconciler(|_| ready(Ok(Action::done()))));
    }
    let maps = manager.informers().informer::<ConfigMap>();
    manager.controller(controller(case, &maps));
    if case == "one name" {
        manager.controller(controller(case, &maps));
    }
    manager.run_until(sleep(2 * second)).await?;
    Ok(())
}

/// A controller whose reconciles end, wait for ever, or block their thread.
fn controller(case: &str, maps: &Informer<ConfigMap>) -> Controller {
    let (waits, blocks) = (case == "stuck", case == "blocked");
    let controller = Controller::new("maps", maps).abort_timeout(Duration::from_millis(100));
    controller.reconciler(move |_| async move {
        if blocks {
            loop {
                thread::park();
            }
        }
        if waits {
            pending::<()>().await;
        }
        Ok(Action::done())
    })
}
