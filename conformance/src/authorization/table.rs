//! [`Table`]: the decisions of a server, a line for each user and a character for each request.

use crate::servers::Failure;
use std::fmt;

/// Decisions: `-` is 403, `u` is 401, a digit is a list of so many objects (`+` of more than nine), `o` is
/// any other success and `e` any other refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The requests, in the order of the characters; unknown of a table that was recorded.
    pub(super) asks: Vec<String>,
    /// The users and what they were answered.
    pub(super) rows: Vec<(String, String)>,
}

impl Table {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let row = |line: &str| {
            let (user, answers) = line.split_once('\t').ok_or_else(|| format!("no tab in {line:?}"))?;
            Ok::<_, Failure>((user.to_owned(), answers.to_owned()))
        };
        Ok(Self { asks: Vec::new(), rows: text.lines().map(row).collect::<Result<_, _>>()? })
    }

    pub(super) fn cells(&self) -> usize {
        self.rows.iter().map(|(_, answers)| answers.len()).sum()
    }

    /// Where `found` decides otherwise, in words.
    pub(super) fn differences(&self, found: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let users = |table: &Self| table.rows.iter().map(|(user, _)| user.clone()).collect::<Vec<_>>();
        if users(self) != users(found) {
            differences.push(format!("the users are {:?}, recorded are {:?}", users(found), users(self)));
        }
        for ((user, recorded), (_, answers)) in self.rows.iter().zip(&found.rows) {
            if recorded.len() != answers.len() {
                let (asked, known) = (answers.len(), recorded.len());
                differences.push(format!("{user} was asked {asked} requests, recorded are {known}"));
            }
            let cells = recorded.chars().zip(answers.chars()).zip(&found.asks);
            let differing = cells.filter(|((recorded, answer), _)| recorded != answer);
            differences.extend(differing.map(|((recorded, answer), ask)| {
                format!("{user}: {ask}: {answer} (a kube-apiserver: {recorded})")
            }));
        }
        differences
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|(user, answers)| writeln!(f, "{user}\t{answers}"))
    }
}
