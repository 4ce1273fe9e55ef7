//! The corpus: requests with the recorded answers of a kube-apiserver,
//! which our server has to give without one.

use super::compare::difference;
use super::probe::Probe;
use super::reply::{Reply, reply};
use super::{AT_ONCE, Pair, families, folder_exists, known, mask};
use crate::servers::Failure;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use kube_client::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use tokio::time::Instant;

/// The answers of a kube-apiserver 1.36.3, a line each.
const RECORDED: &[u8] = include_bytes!("corpus.jsonl.gz");
/// The requests whose answers differ here, by the name of their
/// objects, each with the kind of its difference.
const DIFFERING: &str = include_str!("differing.txt");
/// The seeds and the requests of each that are recorded: others than those of the usual run.
const SEEDS: std::ops::RangeInclusive<u64> = 31..=33;
const REQUESTS: usize = 1_000;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    probe: Probe,
    reply: Reply,
}

/// Asks a kube-apiserver, and writes its answers to a file. Answers that are not the same twice are left out.
/// Beside it, `differing.txt` lists the requests that our server answers otherwise.
pub(super) async fn record(pair: &Pair, path: &Path) -> Result<bool, Failure> {
    let real = &pair.real;
    if !folder_exists(path) {
        return Err(format!("{}: there is no such folder", path.display()).into());
    }
    let probes = SEEDS.flat_map(|seed| families::stream(seed, REQUESTS));
    let answers = stream::iter(probes).map(|probe| async move {
        let first = reply(real, &probe).await?;
        let same = first == reply(real, &probe.again(1)).await?;
        Ok::<_, Failure>(same.then_some(Line { probe, reply: first }))
    });
    let answers: Vec<_> = answers.buffered(AT_ONCE).collect().await;
    let mut file = GzEncoder::new(Vec::new(), Compression::best());
    let lines: Vec<Line> = answers.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
    for line in &lines {
        writeln!(file, "{}", serde_json::to_string(line)?)?;
    }
    let count = lines.len();
    let bytes = file.finish()?;
    std::fs::write(path, &bytes)?;
    println!("{count} answers are recorded in {}, {} bytes", path.display(), bytes.len());
    let mut answers = stream::iter(&lines).map(|line| compared(&pair.ours, line)).buffered(AT_ONCE);
    let mut list = String::new();
    while let Some(answer) = answers.next().await {
        let (line, _, kind) = answer?;
        if let Some(kind) = kind {
            list += &format!("{} {}\n", line.probe.name, kind.replace('\n', " "));
        }
    }
    std::fs::write(path.with_file_name("differing.txt"), &list)?;
    println!("{} of them differ here", list.lines().count());
    Ok(true)
}

/// Sends a request to our server: the kind of the difference to the recorded answer.
async fn compared<'l>(ours: &Client, line: &'l Line) -> Result<(&'l Line, Reply, Option<String>), Failure> {
    let reply = reply(ours, &line.probe).await?;
    let kind = difference(&line.reply, &reply);
    Ok((line, reply, kind))
}

/// Sends the requests to our server and compares its answers with the recorded ones;
/// true if only those differ that are listed.
pub(crate) async fn replay(ours: &Client) -> Result<bool, Failure> {
    let begin = Instant::now();
    let lines = lines()?;
    let listed: BTreeMap<&str, &str> = DIFFERING.lines().filter_map(|line| line.split_once(' ')).collect();
    let (mut same, mut known, mut mended, mut shown) = (0, 0, Vec::new(), BTreeSet::new());
    let mut answers = stream::iter(&lines).map(|line| compared(ours, line)).buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        let (line, reply, kind) = answer?;
        let name = line.probe.name.as_str();
        let expected = listed.get(name);
        match kind.map(|kind| kind.replace('\n', " ")) {
            None => {
                same += 1;
                mended.extend(expected.map(|_| name));
            }
            Some(kind) if expected == Some(&&*kind) => known += 1,
            Some(kind) => match expected {
                Some(listed) => println!("FAILED {name} {kind}\n    listed in differing.txt as {listed}"),
                None if shown.insert(kind.clone()) => {
                    let (ask, reason) = (&line.probe.ask, known::reason(&kind).unwrap_or("none"));
                    let answers = format!("recorded {}\n    found {}", line.reply.body, reply.body);
                    println!(
                        "FAILED {name} {kind}\n    {ask}\n    {answers}\n    reason of the group: {reason}"
                    );
                }
                None => {}
            },
        }
    }
    let (all, seconds) = (lines.len(), begin.elapsed().as_secs_f32());
    let failed = all - same - known;
    if !mended.is_empty() {
        println!("listed in differing.txt, but as recorded: {}", mended.join(" "));
    }
    let mended = mended.len();
    println!(
        "corpus: {all} requests in {seconds:.1} s: {same} as recorded ({mended} of them listed \
         as differences), {known} known differences, {failed} failed"
    );
    Ok(failed == 0)
}

fn lines() -> Result<Vec<Line>, Failure> {
    let mut text = String::new();
    GzDecoder::new(RECORDED).read_to_string(&mut text)?;
    let line = |text: &str| -> Result<Line, Failure> {
        let mut line: Line = serde_json::from_str(text)?;
        if let Value::String(text) = line.reply.body {
            line.reply.body = mask::structured(text);
        }
        Ok(line)
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_has_some_thousand_lines() {
        assert!(super::lines().expect("it can be read").len() > 2_000);
    }
}
