//! A risky path behind a gate: off at first, on by default later, and switched off by an operator.

use std::error::Error;

use trimtab_controller::featuregate::{FeatureGates, Version};

mod features {
    trimtab_controller::featuregate::gates! {
        /// The feature gates of the web controller.
        pub set Features;

        /// Replaces Pods in parallel during a rollout.
        pub PARALLEL_ROLLOUT = "ParallelRollout" {
            1.4 => Alpha, off;
            1.6 => Beta, on;
        }
    }
}

fn roll_out(when: &str) {
    let path = if features::PARALLEL_ROLLOUT.enabled() { "in parallel" } else { "one by one" };
    println!("{when}: {path}");
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let gates = FeatureGates::builder("web", Version::new(1, 6)).gates::<features::Features>().build()?;
    gates.install(); // before a gate is read
    roll_out("version 1.6");

    // The first step of an upgrade: the new program behaves as the old one, and can be replaced by it.
    gates.set_emulation_version(Version::new(1, 5))?;
    roll_out("version 1.6 that emulates 1.5");
    gates.set_emulation_version(Version::new(1, 6))?;

    gates.set_from_flag("ParallelRollout=false")?; // the value of --feature-gates
    roll_out("with --feature-gates=ParallelRollout=false");
    println!("{}", features::PARALLEL_ROLLOUT.explain());

    if let Err(error) = gates.set_from_flag("ParallelRollout=true,ParalelRollout=true") {
        println!("refused as a whole: {error}");
    }
    roll_out("after the refused flag");
    Ok(())
}
