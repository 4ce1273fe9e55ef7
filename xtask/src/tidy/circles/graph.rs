//! [`Graph`]: the uses between files, and the circles in it.

use std::collections::{BTreeMap, BTreeSet};

/// For each file the files that it uses, with the names of the used items.
#[derive(Debug, Default)]
pub(in crate::tidy) struct Graph(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Graph {
    pub(super) fn add(&mut self, from: &str, to: &str, name: &str) {
        if from != to {
            let uses = self.0.entry(from.to_owned()).or_default();
            uses.entry(to.to_owned()).or_default().insert(name.to_owned());
        }
    }

    /// Lists the groups of files in which each file reaches every other.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<_, _> = self.0.keys().map(|file| (file.as_str(), self.reached(file))).collect();
        let mut circles: Vec<Vec<String>> = Vec::new();
        for (file, forward) in &reached {
            let is_mutual = |other: &&str| reached.get(*other).is_some_and(|back| back.contains(file));
            let circle: Vec<_> = forward.iter().copied().filter(is_mutual).map(str::to_owned).collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    /// Lists the uses between files.
    pub(in crate::tidy) fn uses(&self) -> impl Iterator<Item = (&str, &str, Vec<&str>)> {
        self.0.iter().flat_map(|(from, uses)| {
            uses.iter().map(move |(to, names)| (&**from, &**to, names.iter().map(String::as_str).collect()))
        })
    }

    /// Lists the uses between the files of a circle.
    pub(super) fn within<'a>(
        &'a self,
        circle: &'a [String],
    ) -> impl Iterator<Item = (&'a str, &'a str, Vec<&'a str>)> {
        circle.iter().flat_map(move |from| {
            let uses = self.0.get(from).into_iter().flatten().filter(|(to, _)| circle.contains(to));
            uses.map(move |(to, names)| (&**from, &**to, names.iter().map(String::as_str).collect()))
        })
    }

    /// Returns the files that a file uses, directly or through others. It contains the file itself if there is a way
    /// back.
    fn reached<'a>(&'a self, file: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut pending = vec![file];
        while let Some(next) = pending.pop() {
            let used = self.0.get(next).into_iter().flat_map(BTreeMap::keys);
            pending.extend(used.map(String::as_str).filter(|used| reached.insert(*used)));
        }
        reached
    }
}
