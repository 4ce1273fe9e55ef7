use trimtab_simulation::Simulation;

use crate::small::busy;

/// The resident size of this process in MiB, as Linux reports it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux reports it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}

/// The memory of a history is freed when the history ends.
#[test]
fn memory_is_flat_over_many_histories() {
    Simulation::new(busy()).seeds(0..20).run().assert_clean();
    let before = resident();
    Simulation::new(busy()).seeds(20..120).run().assert_clean();
    let grown = resident().saturating_sub(before);
    assert!(grown < 8, "{grown} MiB more after 100 histories");
}
