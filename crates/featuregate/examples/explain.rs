//! A program that sets its gates from a flag and emulates an older version. No cluster is needed.
//!
//! Run with `cargo run -p trimtab-featuregate --example explain`. Output:
//!
//! ```text
//! StreamingLists is on: the default
//!   stage: BETA since 1.35, default on
//!   Reads long lists as a stream.
//!
//! web 1.36, emulating 1.34, compatible with 1.33 and later
//! GATE            VALUE  STAGE       DEFAULT  LOCKED  SOURCE
//! AllAlpha        on     ALPHA       off              flag
//! AllBeta         off    BETA        off              default
//! StreamingLists  on     ALPHA       off              flag (AllAlpha)
//!
//! refused: unrecognized feature gate: StreamingList (did you mean StreamingLists?)
//! ```

use std::error::Error;

use trimtab_featuregate::{FeatureGates, Version};

mod features {
    trimtab_featuregate::gates! {
        /// The feature gates of the web controller.
        pub set Features;

        /// Reads long lists as a stream.
        pub STREAMING_LISTS = "StreamingLists" {
            1.33 => Alpha, off;
            1.35 => Beta, on;
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let gates = FeatureGates::builder("web", Version::new(1, 36)).gates::<features::Features>().build()?;
    gates.install(); // before any gate is read
    println!("{}\n", features::STREAMING_LISTS.explain());

    gates.set_emulation_version(Version::new(1, 34))?;
    gates.set_from_flag("AllAlpha=true")?;
    println!("{}", gates.snapshot());

    if let Err(error) = gates.set_from_flag("StreamingList=false") {
        println!("refused: {error}");
    }
    Ok(())
}
