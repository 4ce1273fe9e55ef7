//! CPU time and memory of another process, from Linux' `/proc`.

use crate::servers::Failure;
use std::fs;

/// The ticks of `/proc/PID/stat` in a second; Linux shows this number to every program.
const TICKS: f64 = 100.0;

/// Returns the seconds of CPU that a process has used, user and system.
pub(super) fn cpu(id: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?;
    // After the name come the state, and from the twelfth field on the user and the system time.
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|text| text.parse().ok()).collect();
    match ticks[..] {
        [user, system] => Ok((user + system) as f64 / TICKS),
        _ => Err("no times in /proc/PID/stat".into()),
    }
}

/// Returns the resident memory of a process in MiB.
pub(super) fn resident(id: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the process has ended")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let id = std::process::id();
        let before = cpu(id).expect("a time");
        let mut sum = 0_u64;
        while cpu(id).expect("a time") < before + 0.02 {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        assert!(resident(id).expect("a size") > 1.0, "{sum}");
    }
}
