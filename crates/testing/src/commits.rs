//! [`CommitLog`]: the server's commits, and how far informers have come in them.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;
use trimtab_apiserver::{Commit, Commits};
use trimtab_controller::{
    cache::{FieldSelector, ResourceVersion},
    informer::{InformerSummary, Selection},
};

/// The commits of a server, by resource.
#[derive(Debug)]
pub(crate) struct CommitLog {
    commits: Commits,
    by_resource: HashMap<String, Vec<Commit>>,
    /// The last commit of each informer's selection, by the informer's description and selection.
    positions: HashMap<String, Position>,
}

/// The position of an informer's selection in the commits of its resource.
#[derive(Debug, Default)]
struct Position {
    /// The number of commits that were looked at.
    seen: usize,
    /// The version of the last selected commit in each namespace; `None` for a cluster-scoped object.
    last: BTreeMap<Option<String>, u64>,
}

impl CommitLog {
    pub(crate) fn new(commits: Commits) -> Self {
        Self { commits, by_resource: HashMap::new(), positions: HashMap::new() }
    }

    /// Takes the commits that were made since the last call.
    pub(crate) fn update(&mut self) {
        while let Some(commit) = self.commits.try_next() {
            self.by_resource.entry(commit.resource.clone()).or_default().push(commit);
        }
    }

    /// Returns the number of commits of a resource.
    pub(crate) fn of(&self, resource: &str) -> &[Commit] {
        self.by_resource.get(resource).map_or(&[], Vec::as_slice)
    }

    /// Returns the version that an informer lacks: the last commit of its selection, if it has not reached it.
    pub(crate) fn missing(&mut self, informer: &InformerSummary) -> Option<u64> {
        let commits = self.by_resource.get(&informer.resource)?;
        let identity = format!("{} {:?}", informer.description, informer.selection);
        let position = self.positions.entry(identity).or_default();
        for commit in &commits[position.seen..] {
            if is_selected(&informer.selection, commit) {
                position.last.insert(commit.namespace.clone(), commit.version);
            }
        }
        position.seen = commits.len();
        let sources = &informer.status.sources;
        let lacks = |(namespace, version): (&Option<String>, &u64)| {
            let of_namespace = |source: &&_| {
                let trimtab_controller::informer::SourceStatus { namespace: followed, .. } = source;
                followed.is_none() || followed == namespace
            };
            let reached = sources.iter().find(of_namespace)?.resource_version.as_ref();
            let wanted: ResourceVersion = version.to_string().parse().ok()?;
            (reached.is_none_or(|reached| *reached < wanted)).then_some(*version)
        };
        position.last.iter().filter_map(lacks).max()
    }
}

/// Returns whether the commit is an event of the selection: its object is selected, or was before.
fn is_selected(selection: &Selection, commit: &Commit) -> bool {
    let states = std::iter::once(&*commit.object).chain(commit.previous.as_deref());
    let fields: Option<FieldSelector> = selection.field_selector().and_then(|text| text.parse().ok());
    let is_selected = |object: &Value| {
        let Ok(metadata) = ObjectMeta::deserialize(&object["metadata"]) else { return false };
        let has_fields = || fields.as_ref().is_none_or(|fields| fields.matches(|path| field(object, path)));
        selection.may_contain(&metadata) && has_fields()
    };
    states.into_iter().any(is_selected)
}

/// Returns the value of a field such as `spec.nodeName`, as field selectors compare it.
fn field(object: &Value, path: &str) -> String {
    let value = path.split('.').fold(object, |value, name| &value[name]);
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
