//! Runs cases side by side, each in a namespace of its own, and tells what became of them.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome};
use crate::differences;
use crate::servers::{Failure, Server};
use crate::site::Site;
use futures_util::{StreamExt as _, stream};
use kube_client::Client;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How many cases run at once.
const AT_ONCE: usize = 12;
/// How long one case may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A chosen case under its group.
pub(crate) type Chosen = (&'static str, Case);

/// What became of one case on one server.
enum Verdict {
    Kept,
    /// Not kept, for a reason that the list of differences gives.
    Intended(&'static str),
    /// Not kept yet, as the list of defects says.
    Defect,
    /// Kept, though it is listed as a difference.
    NoDifference,
    Broken(Mismatch),
}

/// Runs the cases; true if every rule was kept or its difference is listed.
pub(crate) async fn run(server: &Server, cases: Vec<Chosen>, title: &str) -> Result<bool, Failure> {
    let begin = Instant::now();
    let client = server.client()?;
    let run: u32 = rand::random();
    let verdicts = stream::iter(cases.into_iter().enumerate().map(|(number, (group, case))| {
        let namespace = format!("conf-{run:08x}-{number}");
        let client = client.clone();
        async move {
            let name = format!("{group}/{}", case.name);
            let intended = server.is_ours().then(|| differences::reason(&name)).flatten();
            let verdict = match (in_time(&case, client, namespace, server.stays()).await, intended) {
                (Ok(()), None) => Verdict::Kept,
                (Ok(()), Some(_)) => Verdict::NoDifference,
                (Err(_), Some(reason)) => Verdict::Intended(reason),
                (Err(_), None) if server.is_ours() && differences::is_defect(&name) => Verdict::Defect,
                (Err(mismatch), None) => Verdict::Broken(mismatch),
            };
            (name, case, verdict)
        }
    }));
    let verdicts: Vec<_> = verdicts.buffer_unordered(AT_ONCE).inspect(tell).collect().await;
    let count =
        |wanted: fn(&Verdict) -> bool| verdicts.iter().filter(|(.., verdict)| wanted(verdict)).count();
    let kept = count(|verdict| matches!(verdict, Verdict::Kept));
    let intended = count(|verdict| matches!(verdict, Verdict::Intended(_)));
    let (all, seconds) = (verdicts.len(), begin.elapsed().as_secs_f32());
    let defects = count(|verdict| matches!(verdict, Verdict::Defect));
    let broken = all - kept - intended - defects;
    println!(
        "{title}: {all} cases in {seconds:.1} s: {kept} kept, {intended} intended differences, \
         {defects} known defects, {broken} failed"
    );
    Ok(broken == 0)
}

/// One case from its namespace to its end. A server that `stays` after the run is tidied up.
async fn in_time(case: &Case, client: Client, namespace: String, stays: bool) -> Outcome {
    let whole = async {
        let site = Site::open(client, namespace).await?;
        let outcome = case.run(site.clone()).await;
        if stays {
            site.close().await?;
        }
        outcome
    };
    let late = |_| Mismatch::new("the case", "an end", format!("none within {PATIENCE:?}"));
    timeout(PATIENCE, whole).await.map_err(late)?
}

/// A line for each case that was not kept.
fn tell((name, case, verdict): &(String, Case, Verdict)) {
    match verdict {
        Verdict::Kept => {}
        Verdict::Defect => println!("defect {name}: {} [{}]", case.rule, case.source),
        Verdict::Intended(reason) => println!("differs {name}: {reason}"),
        Verdict::NoDifference => {
            println!("FAILED {name}: is kept, and yet is in the list of differences")
        }
        Verdict::Broken(mismatch) => {
            println!("FAILED {name}: {mismatch}\n    rule: {} [{}]", case.rule, case.source);
        }
    }
}
