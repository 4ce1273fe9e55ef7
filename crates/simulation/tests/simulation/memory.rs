use trimtab_simulation::Simulation;

use crate::small::busy;

/// The resident size of this process in MiB, as Linux tells it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is told");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

/// What a history has held is given back when it is over.
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "nothing else tells the resident size in this way")
)]
#[cfg_attr(target_os = "linux", test)]
fn memory_is_flat_over_many_histories() {
    Simulation::new(busy()).seeds(0..20).run().assert_clean();
    let before = resident();
    Simulation::new(busy()).seeds(20..120).run().assert_clean();
    let grown = resident().saturating_sub(before);
    assert!(grown < 8, "{grown} MiB more after 100 histories");
}
