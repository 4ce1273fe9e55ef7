//! CPU time and memory of this process at one moment, and comparisons between moments.

use trimtab_test_support::process::{cpu, peak_bytes, resident_bytes};

/// CPU time and memory of this process.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// User and system time.
    pub(crate) cpu_ns: f64,
    /// Resident memory.
    pub(crate) rss_bytes: f64,
    /// Peak of the resident memory since the start, or since the peak was reset.
    pub(crate) peak_bytes: f64,
}

impl Cost {
    pub(crate) fn now() -> Self {
        Self {
            cpu_ns: cpu().as_secs_f64() * 1e9,
            rss_bytes: resident_bytes() as f64,
            peak_bytes: peak_bytes() as f64,
        }
    }

    /// Returns the CPU time since `earlier` per item, in µs.
    pub(crate) fn cpu_each(&self, earlier: &Self, count: usize) -> f64 {
        (self.cpu_ns - earlier.cpu_ns) / 1e3 / count as f64
    }

    /// Returns the memory above that of `empty` per item, in KB.
    pub(crate) fn rss_each(&self, empty: &Self, count: usize) -> f64 {
        (self.rss_bytes - empty.rss_bytes) / 1e3 / count as f64
    }

    /// Returns the peak memory as a multiple of the memory at `steady`; both above `empty`.
    pub(crate) fn peak_over(&self, steady: &Self, empty: &Self) -> f64 {
        (self.peak_bytes - empty.rss_bytes) / (steady.rss_bytes - empty.rss_bytes)
    }
}
