//! A server in a process of its own, for the questions about what goes over a socket and about what the server alone
//! computes: this program again, with `--serve=plain` or `--serve=tls`, and `--pods=NUMBER`.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    measure::{argument, one_thread},
    pods::{name, template},
};
use http::Request;
use trimtab_apiserver::ApiServer;

/// Serves Pods until standard input ends, and prints its address when it is ready.
pub(crate) fn run(form: &str) {
    let pods: usize = argument("pods").and_then(|pods| pods.parse().ok()).expect("--pods=NUMBER");
    let template = template().to_string();
    one_thread().block_on(async {
        let server = ApiServer::start();
        let client = server.client();
        for number in 0..pods {
            let pod = template.replacen(r#""name":"""#, &format!(r#""name":"{}""#, name(number)), 1);
            let request =
                Request::post("/api/v1/namespaces/default/pods").header("content-type", "application/json");
            client.request_text(request.body(pod.into_bytes()).expect("a request")).await.expect("created");
        }
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = if form == "tls" { server.listen_tls(any).await } else { server.listen(any).await };
        println!("{}", address.expect("a free port"));
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        ended.await.expect("no panic").expect("standard input");
    });
}

/// A server in a process of its own; it ends with this value.
pub(crate) struct Serving {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Serving {
    pub(crate) fn start(form: &str, pods: usize) -> Self {
        let program = std::env::current_exe().expect("this program's path");
        let mut command = Command::new(program);
        command.args([format!("--serve={form}"), format!("--pods={pods}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program again");
        let mut address = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut address).expect("its first line");
        Self { process, address: address.trim().parse().expect("an address") }
    }

    /// The CPU time of the process so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.process.id())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // it ends by itself
        self.process.wait().ok();
    }
}

/// The CPU time of a process so far, to a hundredth of a second.
pub(crate) fn cpu_of(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a running process");
    // The fields after the program's name, which stands in parentheses: user and system time are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
