//! What this process has cost, and the lines that tell it.

use std::{fs, io};

/// What this process has cost so far.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// User and system time.
    pub(crate) cpu_ns: f64,
    /// Resident memory,
    pub(crate) rss_bytes: f64,
    /// and the most of it since the start, or since [`forget_peak`].
    pub(crate) peak_bytes: f64,
}

impl Cost {
    pub(crate) fn so_far() -> io::Result<Self> {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let status = fs::read_to_string("/proc/self/status")?;
        Ok(Self {
            cpu_ns: cpu.tv_sec as f64 * 1e9 + cpu.tv_nsec as f64,
            rss_bytes: bytes(&status, "VmRSS:")?,
            peak_bytes: bytes(&status, "VmHWM:")?,
        })
    }

    /// CPU since `earlier` for each of `count`, in µs.
    pub(crate) fn cpu_each(&self, earlier: &Self, count: usize) -> f64 {
        (self.cpu_ns - earlier.cpu_ns) / 1e3 / count as f64
    }

    /// Memory above that of `empty` for each of `count`, in KB.
    pub(crate) fn rss_each(&self, empty: &Self, count: usize) -> f64 {
        (self.rss_bytes - empty.rss_bytes) / 1e3 / count as f64
    }

    /// The most memory, as a multiple of what `steady` held; both above `empty`.
    pub(crate) fn peak_over(&self, steady: &Self, empty: &Self) -> f64 {
        (self.peak_bytes - empty.rss_bytes) / (steady.rss_bytes - empty.rss_bytes)
    }
}

/// Lets the peak begin anew, with the memory that is resident now.
pub(crate) fn forget_peak() -> io::Result<()> {
    fs::write("/proc/self/clear_refs", "5")
}

fn bytes(status: &str, name: &str) -> io::Result<f64> {
    let text = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kilobytes: f64 = text.and_then(|text| text.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(kilobytes * 1024.0)
}

/// Prints one measurement, of which less is better.
pub(crate) fn report(question: &str, unit: &str, value: f64) {
    report_that("lower", question, unit, value);
}

/// Prints one measurement, of which more is better.
pub(crate) fn report_more(question: &str, unit: &str, value: f64) {
    report_that("higher", question, unit, value);
}

fn report_that(better: &str, question: &str, unit: &str, value: f64) {
    let bench = format!("informer/{question}");
    println!("{}", serde_json::json!({"bench": bench, "unit": unit, "better": better, "value": value}));
}
