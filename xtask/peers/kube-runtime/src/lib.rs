//! Shared code of the peer's programs: options, the cost of the process, and the output.

use std::fmt;
use std::str::FromStr;

/// The value after `--name` on the command line.
///
/// # Errors
///
/// If it is missing or does not parse.
pub fn option<T: FromStr<Err: fmt::Display>>(name: &str) -> Result<T, String> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    let value = arguments.next().ok_or_else(|| format!("{flag} is missing"))?;
    value.parse().map_err(|error| format!("{flag} {value}: {error}"))
}

/// The cost of this process so far.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User and system time in nanoseconds.
    pub cpu_ns: f64,
    /// Resident memory.
    pub rss_bytes: f64,
    /// The highest resident memory since the start, or since [`forget_peak`].
    pub peak_bytes: f64,
}

impl Cost {
    /// # Errors
    ///
    /// If there is no `/proc`.
    pub fn so_far() -> std::io::Result<Self> {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let status = std::fs::read_to_string("/proc/self/status")?;
        Ok(Self {
            cpu_ns: cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64,
            rss_bytes: bytes(&status, "VmRSS:")?,
            peak_bytes: bytes(&status, "VmHWM:")?,
        })
    }

    /// CPU time since `earlier` for each of `count`, in µs.
    pub fn cpu_each(&self, earlier: &Self, count: usize) -> f64 {
        (self.cpu_ns - earlier.cpu_ns) / 1e3 / count as f64
    }

    /// Memory beyond `empty` for each of `count`, in KB.
    pub fn rss_each(&self, empty: &Self, count: usize) -> f64 {
        (self.rss_bytes - empty.rss_bytes) / 1e3 / count as f64
    }

    /// The peak as a multiple of `steady`, both beyond `empty`.
    pub fn peak_over(&self, steady: &Self, empty: &Self) -> f64 {
        (self.peak_bytes - empty.rss_bytes) / (steady.rss_bytes - empty.rss_bytes)
    }
}

/// Resets the peak to the memory that is resident now.
///
/// # Errors
///
/// If there is no `/proc`.
pub fn forget_peak() -> std::io::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
}

fn bytes(status: &str, name: &str) -> std::io::Result<f64> {
    let text = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kilobytes: f64 = text.and_then(|text| text.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    Ok(kilobytes * 1024.0)
}

/// Nanoseconds since 1970, the load's clock on the same machine.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// Prints a measurement of which lower is better.
pub fn report(bench: &str, unit: &str, value: f64) {
    report_that("lower", bench, unit, value);
}

/// Prints a measurement of which higher is better.
pub fn report_more(bench: &str, unit: &str, value: f64) {
    report_that("higher", bench, unit, value);
}

fn report_that(better: &str, bench: &str, unit: &str, value: f64) {
    println!("{}", serde_json::json!({ "bench": bench, "unit": unit, "better": better, "value": value }));
}
