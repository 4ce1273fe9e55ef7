//! Which combinations of `resourceVersion`, `resourceVersionMatch`, `limit` and `continue` a list or a
//! watch may have, and what they mean.

use serde_json::json;

use crate::{
    http::{
        query::{Match, Query, invalid_options},
        status::{Cause, Result, Status},
    },
    storage::{Continue, Key},
};

/// What a list shows.
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
        let limit = if query.limit == 0 { usize::MAX } else { query.limit };
        let newest = Self { not_before: 0, exactly: None, after: None, limit };
        if !query.continue_token.is_empty() {
            return newest.continued(query);
        }
        Ok(match (query.resource_version, query.version_match) {
            (None, _) => newest,
            (Some(0), _) => Self { limit: usize::MAX, ..newest }, // upstream's cache ignores the limit, too
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
        if query.resource_version.is_some_and(|version| version > 0) {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let token = Continue::decode(&query.continue_token)
            .ok_or_else(|| Status::bad_request("invalid continue token: continue key is not valid"))?;
        Ok(Self { exactly: token.version, after: Some(token.after), ..self })
    }
}

fn list_causes(query: &Query) -> Vec<Cause> {
    let mut causes = Vec::new();
    let forbidden = |field, because| Cause::forbidden(field, because);
    if query.version_match.is_some() {
        match (query.resource_version, query.version_match) {
            _ if !query.continue_token.is_empty() => causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden when continue is provided",
            )),
            (None, _) => causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            )),
            (Some(0), Some(Match::Exact)) => causes.push(forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            )),
            _ => {}
        }
    }
    if query.send_initial_events.is_some() {
        causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    causes
}

/// Where a watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchStart {
    /// With the events after this version.
    After(u64),
    /// With the events from now on.
    Now,
    /// With an ADDED for every object there is.
    Initial {
        /// The initial events end with a bookmark, once the server has reached this version.
        end_at: Option<u64>,
    },
}

impl WatchStart {
    pub(super) fn of(query: &Query) -> Result<Self> {
        let forbidden = |because| Err(invalid_options(&[Cause::forbidden("resourceVersionMatch", because)]));
        match (query.send_initial_events, query.version_match) {
            (None, Some(_)) => {
                return forbidden(
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                );
            }
            (Some(_), Some(Match::NotOlderThan)) | (None, None) => {}
            (Some(_), None) => {
                return forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
            }
            (Some(_), Some(Match::Exact)) => {
                let field = "resourceVersionMatch";
                let because = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                let supported = ["NotOlderThan"];
                return Err(invalid_options(&[
                    Cause::forbidden(field, because),
                    Cause::not_supported(field, &json!("Exact"), &supported),
                ]));
            }
        }
        Ok(match (query.send_initial_events, query.resource_version.unwrap_or(0)) {
            // Without bookmarks, upstream takes no request for a streaming list: no end is told.
            (Some(true), version) => Self::Initial { end_at: query.bookmarks.then_some(version) },
            (Some(false), 0) => Self::Now,
            (None, 0) => Self::Initial { end_at: None },
            (_, version) => Self::After(version),
        })
    }
}
