//! The layers inside of a crate: a file uses files of its own layer and of those below it.

use super::circles::Crate;
use super::finding::Finding;

/// The crates with layers, and for each the modules at its root, the lowest first.
const LAYERED: [(&str, &[&str]); 1] = [(
    "trimtab-apiserver",
    &[
        "api",
        "wire",
        "store",
        "registry",
        "auth",
        "admission",
        "handlers",
        "http",
        "faults",
        "bootstrap",
        "controllers",
        "server",
    ],
)];

/// Returns the layers of a package; `None` if it has none.
pub(super) fn of(package: &str) -> Option<&'static [&'static str]> {
    LAYERED.iter().find(|(name, _)| *name == package).map(|(_, layers)| *layers)
}

/// Checks the crate whose sources are in `folder`, such as `crates/apiserver/src`.
pub(super) fn check(folder: &str, layered: &Crate, layers: &[&str]) -> Vec<Finding> {
    let position = |file: &str| {
        let root = file.split('/').next().unwrap_or_default();
        layers.iter().position(|layer| *layer == root)
    };
    let nowhere = layered.roots().filter(|root| position(root).is_none());
    let mut found: Vec<_> = nowhere
        .map(|root| {
            let problem = format!("the module {root} is in no layer; add it to xtask/src/tidy/layers.rs");
            Finding::new(&format!("{folder}/lib.rs"), 0, problem)
        })
        .collect();
    for (from, to, names) in layered.uses().uses() {
        if let (Some(own), Some(used)) = (position(from), position(to))
            && used > own
        {
            let (own, used, names) = (layers[own], layers[used], names.join(", "));
            let problem = format!("uses {names} of {to}: the layer {used} is above {own}");
            found.push(Finding::new(&format!("{folder}/{from}"), 0, problem));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let parsed = Crate::parse(files).expect("the files are valid Rust");
        check("src", &parsed, &["api", "store", "server"]).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_layer_uses_itself_and_what_is_below_it() {
        let files = [
            ("lib", "mod api; mod store; mod server; pub use server::Server;"),
            ("lib/api", "pub struct Key;"),
            ("lib/store", "mod state; pub use state::State; use crate::api::Key;"),
            ("lib/store/state", "pub struct State(crate::api::Key);"),
            ("lib/server", "use crate::{api::Key, store::State}; pub struct Server(State, Key);"),
        ];
        assert_eq!(problems(&files), [""; 0]);
    }

    #[test]
    fn a_use_of_a_layer_above_is_found_through_re_exports() {
        let files = [
            ("lib", "mod api; mod store; mod server; pub use server::Server;"),
            ("lib/api", "mod key; use crate::Server;"),
            ("lib/api/key", "fn f() { crate::store::open() }"),
            ("lib/store", "pub fn open() {}"),
            ("lib/server", "pub struct Server;"),
        ];
        assert_eq!(
            problems(&files),
            [
                "src/api: uses Server of server: the layer server is above api",
                "src/api/key: uses open of store: the layer store is above api",
            ]
        );
    }

    #[test]
    fn a_module_without_a_layer_is_found() {
        let files = [("lib", "mod api; mod helpers;"), ("lib/api", ""), ("lib/helpers", "")];
        let expected = "src/lib.rs: the module helpers is in no layer; add it to xtask/src/tidy/layers.rs";
        assert_eq!(problems(&files), [expected]);
    }
}
