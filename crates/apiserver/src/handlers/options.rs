//! Which combinations of `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` a list or a
//! watch may have, and what they mean.

use crate::{
    api::{
        key::Key,
        query::{Match, Query, invalid_options},
        status::{Cause, Result, Status},
    },
    store::Continue,
};

/// The state that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListPlan {
    /// The version to wait for before anything is read.
    pub(super) not_before: u64,
    /// The version to show; `None` is the newest.
    pub(super) exactly: Option<u64>,
    /// The last key of the page before.
    pub(super) after: Option<Key>,
    /// The most items to show.
    pub(super) limit: usize,
}

impl ListPlan {
    pub(super) fn of(query: &Query) -> Result<Self> {
        let causes = list_causes(query);
        if !causes.is_empty() {
            return Err(invalid_options(&causes));
        }
        let any = query.resource_version == Some(0);
        // Upstream's cache knows no limit, and answers those who take any version.
        let limit = if query.limit == 0 || any { usize::MAX } else { query.limit };
        let newest = Self { not_before: 0, exactly: None, after: None, limit };
        if !query.continue_token.is_empty() {
            return newest.continued(query);
        }
        if let Some(refusal) = &query.no_version {
            return Err(refusal.clone());
        }
        Ok(match (query.resource_version, &query.version_match) {
            (None | Some(0), _) => newest,
            (Some(version), Some(Match::Exact)) => {
                Self { not_before: version, exactly: Some(version), ..newest }
            }
            (Some(version), None) if query.limit > 0 => {
                Self { not_before: version, exactly: Some(version), ..newest } // the rule from before `match`
            }
            (Some(version), _) => Self { not_before: version, ..newest },
        })
    }

    fn continued(self, query: &Query) -> Result<Self> {
        if query.resource_version.is_some_and(|version| version > 0) || query.no_version.is_some() {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let token = Continue::decode(&query.continue_token).map_err(|because| {
            Status::bad_request(format!("invalid continue token: continue key is not valid: {because}"))
        })?;
        Ok(Self { exactly: token.version, after: Some(token.after), ..self })
    }
}

/// Returns the errors of a list's parameters, in upstream's order.
fn list_causes(query: &Query) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(version_match) = &query.version_match {
        let mut forbidden = |because| causes.push(Cause::forbidden(MATCH, because));
        if query.resource_version.is_none() && query.no_version.is_none() {
            forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if !query.continue_token.is_empty() {
            forbidden(WITH_CONTINUE);
        }
        match version_match {
            Match::Exact if query.resource_version == Some(0) => {
                forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
            }
            Match::Unknown(_) => causes.push(version_match.not_supported(&["Exact", "NotOlderThan", ""])),
            _ => {}
        }
    }
    if query.send_initial_events.is_some() {
        let because = "sendInitialEvents is forbidden for list";
        causes.push(Cause::forbidden("sendInitialEvents", because));
    }
    causes
}

const MATCH: &str = "resourceVersionMatch";
const WITH_CONTINUE: &str = "resourceVersionMatch is forbidden when continue is provided";

/// Where a watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchStart {
    /// With the events after this version.
    After(u64),
    /// With the events from now on.
    Now,
    /// With an ADDED for every object there is.
    Initial {
        /// The version that the server has to have reached.
        not_before: u64,
        /// Whether a bookmark ends the initial events.
        is_ended: bool,
    },
}

impl WatchStart {
    pub(super) fn of(query: &Query) -> Result<Self> {
        let version = query.resource_version.unwrap_or(0);
        let is_any = version == 0 && query.no_version.is_none();
        // Who asks for any state and says no more is taken to ask for a streaming list.
        let is_streaming_by_default = query.send_initial_events.is_none()
            && query.version_match.is_none()
            && is_any
            && !query.is_before_streaming;
        let causes = watch_causes(query, is_streaming_by_default);
        if !causes.is_empty() {
            return Err(invalid_options(&causes));
        }
        if let Some(refusal) = &query.no_version {
            return Err(refusal.clone());
        }
        Ok(match (query.send_initial_events, version) {
            // Without bookmarks, no end is told.
            (Some(true), not_before) => Self::Initial { not_before, is_ended: query.bookmarks },
            (Some(false), 0) => Self::Now,
            (None, 0) => {
                Self::Initial { not_before: 0, is_ended: query.bookmarks && is_streaming_by_default }
            }
            (_, version) => Self::After(version),
        })
    }
}

/// Returns the errors of a watch's parameters, in upstream's order.
fn watch_causes(query: &Query, is_streaming_by_default: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut forbidden = |because| causes.push(Cause::forbidden(MATCH, because));
    let version_match = query.version_match.as_ref();
    let is_fit = version_match == Some(&Match::NotOlderThan);
    if query.send_initial_events.is_some() && !is_fit {
        forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if version_match.is_some() && query.send_initial_events.is_none() {
        forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if let Some(version_match) = version_match.filter(|_| !is_fit) {
        causes.push(version_match.not_supported(&["NotOlderThan"]));
    }
    if (version_match.is_some() || is_streaming_by_default) && !query.continue_token.is_empty() {
        causes.push(Cause::forbidden(MATCH, WITH_CONTINUE));
    }
    causes
}
