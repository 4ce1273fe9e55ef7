//! CPU time and memory of this process, for benchmarks. Memory is read from Linux' `/proc`.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Returns the CPU time of this process, user and system: other processes do not lengthen it.
pub fn cpu() -> Duration {
    elapsed(ClockId::ProcessCPUTime)
}

/// Returns the CPU time of the calling thread.
pub fn thread_cpu() -> Duration {
    elapsed(ClockId::ThreadCPUTime)
}

/// Returns the bytes of resident memory.
pub fn resident_bytes() -> usize {
    status_bytes("VmRSS:")
}

/// Returns the peak of the resident memory in bytes since the start, or since [`reset_peak`].
pub fn peak_bytes() -> usize {
    status_bytes("VmHWM:")
}

/// Resets the peak to the present resident memory.
pub fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("Linux resets the peak of one's own memory");
}

fn elapsed(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn status_bytes(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux shows the memory of a process");
    let line =
        status.lines().find_map(|line| line.strip_prefix(name)).expect("a line for each kind of memory");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number of kilobytes");
    kilobytes * 1024
}
