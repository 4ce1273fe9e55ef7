//! What the peer's programs share: their options, the cost of this process, and the lines that they print.

use std::fmt;
use std::str::FromStr;

/// The value after `--name` on the command line.
///
/// # Errors
///
/// When it is missing or does not parse.
pub fn option<T: FromStr<Err: fmt::Display>>(name: &str) -> Result<T, String> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    let value = arguments.next().ok_or_else(|| format!("{flag} is missing"))?;
    value.parse().map_err(|error| format!("{flag} {value}: {error}"))
}

/// What this process has cost so far.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User and system time.
    pub cpu_ns: f64,
    /// Resident memory.
    pub rss_bytes: f64,
}

impl Cost {
    /// # Errors
    ///
    /// Where there is no `/proc`.
    pub fn so_far() -> std::io::Result<Self> {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let status = std::fs::read_to_string("/proc/self/status")?;
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let kilobytes: f64 =
            resident.and_then(|text| text.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(Self { cpu_ns: cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64, rss_bytes: kilobytes * 1024.0 })
    }
}

/// Prints one measurement, of which less is better.
pub fn report(bench: &str, unit: &str, value: f64) {
    println!("{}", serde_json::json!({ "bench": bench, "unit": unit, "better": "lower", "value": value }));
}
