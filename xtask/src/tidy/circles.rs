//! `cargo xtask tidy --circles`: lists groups of files in a crate that use each other in a circle.
//!
//! A file uses another if its code outside of tests names an item of it, by a `use` or by a path. A `pub use` is no
//! use: it only gives an item a second path, which is followed to the file of the item. Paths inside of macros are
//! not seen.

mod graph;
mod module;

use crate::failure::{Failure, While};
use crate::workspace::Workspace;
pub(super) use module::Crate;
use std::process::ExitCode;

pub(super) fn run(workspace: &Workspace) -> Result<ExitCode, Failure> {
    for package in &workspace.packages {
        let root = ["src/lib.rs", "src/main.rs"].map(|file| package.folder.join(file));
        let Some(root) = root.into_iter().find(|file| file.exists()) else {
            continue;
        };
        let package_crate = Crate::read(&root).doing(root.display())?;
        let graph = package_crate.uses();
        let circles = graph.circles();
        println!("{}: {} circles in {} files", package.part(), circles.len(), package_crate.files());
        for circle in circles {
            println!("  {} files: {}", circle.len(), circle.join(", "));
            for (from, to, names) in graph.within(&circle) {
                println!("    {from} uses {to}: {}", names.join(", "));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the circles of a crate that is made of these files.
    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let parsed = Crate::parse(files).expect("the files are valid Rust");
        parsed.uses().circles()
    }

    #[test]
    fn files_that_use_each_other_are_a_circle() {
        let files = [
            ("lib", "mod a; mod b; mod c;"),
            ("lib/a", "use crate::b::B; pub struct A;"),
            ("lib/b", "pub struct B; fn f(a: super::a::A) {}"),
            ("lib/c", "use crate::{a::A, b::B};"),
        ];
        assert_eq!(circles(&files), [["a", "b"]]);
    }

    #[test]
    fn a_re_export_is_followed_to_the_file_of_the_item() {
        let one_way =
            [("lib", "mod a; mod b; pub use b::B;"), ("lib/a", "use crate::B;"), ("lib/b", "pub struct B;")];
        assert_eq!(circles(&one_way), [[""; 0]; 0]);
        let both = [
            ("lib", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("lib/a", "use crate::B; pub struct A;"),
            ("lib/b", "use crate::A; pub struct B;"),
        ];
        assert_eq!(circles(&both), [["a", "b"]]);
    }

    #[test]
    fn a_parent_that_calls_a_child_which_uses_the_parent_is_a_circle() {
        let files = [
            ("lib", "mod a;"),
            ("lib/a", "mod child; pub struct A; fn f() { child::run() }"),
            ("lib/a/child", "use super::A; pub fn run() {}"),
        ];
        assert_eq!(circles(&files), [["a", "a/child"]]);
    }

    #[test]
    fn tests_and_modules_inside_a_file_are_no_circle() {
        let files = [
            ("lib", "mod a; mod b;"),
            (
                "lib/a",
                "pub struct A; mod inner { use super::A; } #[cfg(test)] mod tests { use crate::b::B; }",
            ),
            ("lib/b", "use crate::a::A; pub struct B; #[cfg(test)] mod tests;"),
        ];
        assert_eq!(circles(&files), [[""; 0]; 0]);
    }
}
