//! Memory and size of the website operator, ours or a peer's: a program that runs in a process of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http::Request;
use kube_client::Client;
use serde_json::json;
use tokio::time::{Instant, sleep};
use trimtab_test_support::bench::{quick, report_lower};

use crate::{Failure, client::client, option};

/// The time in which an operator reconciles its first website.
const RECONCILED: Duration = Duration::from_secs(30);

pub(crate) async fn run() -> Result<(), Failure> {
    let operator: PathBuf = option("operator")?;
    let folder = Folder::create()?;
    let kubeconfig = folder.0.join("kubeconfig");
    fs::write(&kubeconfig, kubeconfig_of(&option::<String>("url")?))?;
    let log = folder.0.join("log");
    let mut running = Running::start(&operator, &kubeconfig, &log)?;
    sleep(Duration::from_secs(if quick() { 10 } else { 30 })).await;
    running.check(&log)?;
    report_lower("controller/idle-rss", "MiB", resident_kib(running.0.id())? / 1024.0);
    report_lower("controller/binary", "MiB", fs::metadata(&operator)?.len() as f64 / 1_048_576.0);
    serves_a_website(&client()?).await
}

/// Returns the resident memory of a process in KiB.
fn resident_kib(process: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Ok(resident.ok_or("/proc shows no resident memory of the operator")?.parse()?)
}

/// Checks that the operator works: it creates the Deployment of a website.
async fn serves_a_website(client: &Client) -> Result<(), Failure> {
    let website = json!({
        "apiVersion": "example.com/v1", "kind": "Website", "metadata": {"name": "hello"},
        "spec": {"html": "<h1>Hello</h1>", "replicas": 2},
    });
    let create = Request::post("/apis/example.com/v1/namespaces/default/websites")
        .header("content-type", "application/json")
        .body(website.to_string().into_bytes())?;
    client.request_text(create).await?;
    let begun = Instant::now();
    loop {
        let get = Request::get("/apis/apps/v1/namespaces/default/deployments/hello").body(Vec::new())?;
        match client.request_text(get).await {
            Ok(_) => return Ok(()),
            Err(kube_client::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error.into()),
        }
        if begun.elapsed() > RECONCILED {
            return Err("the operator has created no Deployment for a website".into());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn kubeconfig_of(url: &str) -> String {
    format!(
        "apiVersion: v1\n\
         kind: Config\n\
         clusters: [{{name: bench, cluster: {{server: \"{url}\"}}}}]\n\
         users: [{{name: admin, user: {{}}}}]\n\
         contexts: [{{name: bench, context: {{cluster: bench, user: admin}}}}]\n\
         current-context: bench\n"
    )
}

/// A running operator; dropping it ends the process.
struct Running(Child);

impl Running {
    fn start(operator: &Path, kubeconfig: &Path, log: &Path) -> Result<Self, Failure> {
        let log = fs::File::create(log)?;
        let mut command = Command::new(operator);
        command.arg("--kubeconfig").arg(kubeconfig).args(["--admin", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        match command.spawn() {
            Ok(process) => Ok(Self(process)),
            Err(error) => Err(format!("{}: {error}", operator.display()).into()),
        }
    }

    fn check(&mut self, log: &Path) -> Result<(), Failure> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => {
                Err(format!("the operator has ended: {status}: {}", fs::read_to_string(log)?.trim_end())
                    .into())
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A new folder of temporary files; dropping it deletes them.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("trimtab-bench-controller-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}
