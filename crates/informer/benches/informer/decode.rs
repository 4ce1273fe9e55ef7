//! The decoding of a view, without an informer: for counts of instructions.

use std::{hint::black_box, path::Path};

use serde_json::Value;
use trimtab_cache::{Json, ManagedFields, Metadata, Object};

use crate::{Failure, PodView};

/// Decodes the view of one Pod that many times, and measures nothing.
pub(crate) fn run(times: usize) -> Result<(), Failure> {
    // The template of the load: its gaps are in strings.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/peers/load/pod.json");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    // Without spaces, as a server sends it.
    let text = serde_json::from_str::<Value>(&text)?.to_string().replace("$VERSION", "12345");
    for _ in 0..times {
        let pod = PodView::decode(&mut Json::new(black_box(&text)), ManagedFields::Dropped)?;
        assert!(!black_box(pod).metadata().name().is_empty(), "the template has a name");
    }
    Ok(())
}
