//! [`Crate`]: the modules of a crate and the paths in them, resolved to files.

use super::graph::Graph;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};

/// All modules of a crate, by their paths; the root's path is empty.
#[derive(Debug, Default)]
pub(in crate::tidy) struct Crate(BTreeMap<Vec<String>, Module>);

#[derive(Debug, Default)]
struct Module {
    /// The file's module path, joined by slashes; modules inside of a file have the file's.
    file: String,
    /// The full path of each imported name.
    imports: BTreeMap<String, Vec<String>>,
    /// The paths in the code and in private imports.
    paths: Vec<Vec<String>>,
}

/// Imports can lead to other imports; more steps than this are a loop.
const MAX_IMPORTS: u8 = 8;

type Result<T> = std::result::Result<T, String>;

impl Crate {
    /// Reads the crate whose root is this file.
    pub(in crate::tidy) fn read(root: &Path) -> Result<Self> {
        let folder = root.parent().unwrap_or(Path::new(""));
        let mut all = Self::default();
        all.add_file(&[], &mut |path| {
            let file = match path {
                [] => root.to_owned(),
                _ => {
                    let file = folder.join(path.iter().collect::<PathBuf>());
                    let flat = file.with_extension("rs");
                    if flat.exists() { flat } else { file.join("mod.rs") }
                }
            };
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
        })?;
        Ok(all)
    }

    /// Builds a crate from texts; `lib/a` is the file of module `a`.
    #[cfg(test)]
    pub(in crate::tidy) fn parse(files: &[(&str, &str)]) -> Result<Self> {
        let mut all = Self::default();
        all.add_file(&[], &mut |path| {
            let name =
                std::iter::once("lib").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("/");
            let found = files.iter().find(|(file, _)| *file == name);
            found.map(|(_, text)| (*text).to_owned()).ok_or(name)
        })?;
        Ok(all)
    }

    /// Lists the modules at the root of the crate that are files.
    pub(in crate::tidy) fn roots(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|(path, module)| path.len() == 1 && !module.file.is_empty())
            .map(|(path, _)| &*path[0])
    }

    pub(super) fn files(&self) -> usize {
        let mut files: Vec<_> = self.0.values().map(|module| &module.file).collect();
        files.sort();
        files.dedup();
        files.len()
    }

    /// Resolves every path to the file of its item.
    pub(in crate::tidy) fn uses(&self) -> Graph {
        let mut graph = Graph::default();
        for (position, module) in &self.0 {
            for path in &module.paths {
                if let Some((file, item)) = self.resolve(position, path, MAX_IMPORTS) {
                    graph.add(name(&module.file), name(&file), &item);
                }
            }
        }
        graph
    }

    fn add_file(
        &mut self,
        path: &[String],
        read: &mut impl FnMut(&[String]) -> Result<String>,
    ) -> Result<()> {
        let text = read(path)?;
        let file = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.join("::")))?;
        self.add_module(path, &path.join("/"), &file.items, read)
    }

    fn add_module(
        &mut self,
        path: &[String],
        file: &str,
        items: &[syn::Item],
        read: &mut impl FnMut(&[String]) -> Result<String>,
    ) -> Result<()> {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items {
            match item {
                syn::Item::Mod(inner) => {
                    if is_test(&inner.attrs) {
                        continue;
                    }
                    let mut child = path.to_vec();
                    child.push(inner.ident.to_string());
                    match &inner.content {
                        Some((_, items)) => self.add_module(&child, file, items, read)?,
                        None => self.add_file(&child, read)?,
                    }
                }
                syn::Item::Use(import) if !is_test(&import.attrs) => {
                    let is_private = matches!(import.vis, syn::Visibility::Inherited);
                    module.import(&import.tree, &mut Vec::new(), is_private);
                }
                other => Paths(&mut module).visit_item(other),
            }
        }
        self.0.insert(path.to_vec(), module);
        Ok(())
    }

    /// Follows a path from a module; returns the file of its item and the item's name. `None` if it leads out of the
    /// crate or stays in the module.
    fn resolve(&self, from: &[String], path: &[String], imports: u8) -> Option<(String, String)> {
        let (first, mut rest) = path.split_first()?;
        let mut position = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.to_vec(),
            "super" => {
                let mut parent = from[..from.len().checked_sub(1)?].to_vec();
                while let Some(("super", more)) = rest.split_first().map(|(next, more)| (next.as_str(), more))
                {
                    parent.pop()?;
                    rest = more;
                }
                parent
            }
            name => {
                let mut child = from.to_vec();
                child.push(name.to_owned());
                if !self.0.contains_key(&child) {
                    let import = self.0.get(from)?.imports.get(name).filter(|_| imports > 0)?;
                    let whole: Vec<_> = import.iter().chain(rest).cloned().collect();
                    return self.resolve(from, &whole, imports - 1);
                }
                child
            }
        };
        for (index, name) in rest.iter().enumerate() {
            position.push(name.clone());
            if self.0.contains_key(&position) {
                continue;
            }
            position.pop();
            let module = self.0.get(&position)?;
            let followed = module.imports.get(name).filter(|_| imports > 0).and_then(|import| {
                let whole: Vec<_> = import.iter().chain(&rest[index + 1..]).cloned().collect();
                self.resolve(&position, &whole, imports - 1)
            });
            return Some(followed.unwrap_or_else(|| (module.file.clone(), name.clone())));
        }
        // The path ends at a module, such as an imported one: its later uses count.
        None
    }
}

impl Module {
    /// Adds the names that a `use` imports. The leaves of a private one are uses, too.
    fn import(&mut self, tree: &syn::UseTree, prefix: &mut Vec<String>, is_private: bool) {
        let mut leaf = |name: String, path: Vec<String>| {
            if is_private {
                self.paths.push(path.clone());
            }
            if path.len() > 1 || path[0] != name {
                self.imports.insert(name, path);
            }
        };
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.import(&path.tree, prefix, is_private);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, is_private);
                }
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = prefix.last() {
                    leaf(last.clone(), prefix.clone());
                }
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                leaf(name.clone(), [&prefix[..], &[name]].concat());
            }
            syn::UseTree::Rename(rename) => {
                leaf(rename.rename.to_string(), [&prefix[..], &[rename.ident.to_string()]].concat());
            }
            syn::UseTree::Glob(_) if is_private => self.paths.push([&prefix[..], &["*".to_owned()]].concat()),
            syn::UseTree::Glob(_) => {}
        }
    }
}

/// Collects the paths of code that is not a test.
struct Paths<'a>(&'a mut Module);

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.0.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        self.0.import(&import.tree, &mut Vec::new(), true);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }
}

/// Returns whether the attributes say `cfg(test)`, alone or with others, as in `cfg(all(test, trimtab_loom))`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let mut test = false;
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let text = list.tokens.to_string();
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            test |= word == "test";
        }
        test && !text.contains("not (test)") && !text.contains("not(test)")
    })
}

/// Returns the name of a file in the listing: the root has no path of its own.
fn name(file: &str) -> &str {
    if file.is_empty() { "lib" } else { file }
}
