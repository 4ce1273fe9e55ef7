//! The claim table, as a plain value: from the state of an owner and a dependent to a decision.
//!
//! - I1: a dependent of another controller is never touched.
//! - I2: an owner that is being deleted writes nothing: it neither adopts nor releases.
//! - I3: an object that is being deleted is never adopted, but stays claimed by its controller.
//! - I4: a namespaced owner adopts in its own namespace only.

/// The controller of a dependent, seen from the owner that wants to claim it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controller {
    Nobody,
    Us,
    Another,
}

/// The inputs of a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) controller: Controller,
    /// The dependent meets the selector and the filter.
    pub(crate) matches: bool,
    pub(crate) owner_being_deleted: bool,
    pub(crate) dependent_being_deleted: bool,
    /// The owner may own objects in the dependent's namespace.
    pub(crate) in_reach: bool,
}

/// The decision about a dependent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Not ours, and nothing to do.
    Leave,
    /// Ours already.
    Keep,
    /// Ours, once the server has taken our reference.
    Adopt,
    /// Ours no longer, once the server has dropped our reference.
    Release,
}

/// A write that a decision asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Adopt,
    Release,
}

impl Facts {
    /// Decides by the table of `ClaimObject`, of Kubernetes' `BaseControllerRefManager`.
    pub(crate) fn decide(self) -> Decision {
        match self.controller {
            Controller::Another => Decision::Leave,           // I1
            Controller::Us if self.matches => Decision::Keep, // I3
            _ if self.owner_being_deleted => Decision::Leave, // I2
            Controller::Us => Decision::Release,
            Controller::Nobody if self.matches && self.in_reach && !self.dependent_being_deleted => {
                Decision::Adopt // I3, I4
            }
            Controller::Nobody => Decision::Leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ClaimObject`, every row: `-` stands for either value.
    #[test]
    fn the_claim_table_is_upstreams() {
        const TABLE: &str = "
            controller  matches  owner-deleted  dependent-deleted  in-reach  decision
            Another     -        -              -                  -         Leave
            Us          yes      -              -                  -         Keep
            Us          no       yes            -                  -         Leave
            Us          no       no             -                  -         Release
            Nobody      -        yes            -                  -         Leave
            Nobody      no       no             -                  -         Leave
            Nobody      yes      no             yes                -         Leave
            Nobody      yes      no             no                 no        Leave
            Nobody      yes      no             no                 yes       Adopt";
        let rows: Vec<Vec<&str>> =
            TABLE.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();

        for controller in [Controller::Nobody, Controller::Us, Controller::Another] {
            for bits in 0..16 {
                let bit = |index: u8| bits & (1 << index) != 0;
                let facts = Facts {
                    controller,
                    matches: bit(0),
                    owner_being_deleted: bit(1),
                    dependent_being_deleted: bit(2),
                    in_reach: bit(3),
                };
                let applies = |row: &&Vec<&str>| {
                    let cell = |index: usize, value: bool| {
                        ["-", if value { "yes" } else { "no" }].contains(&row[index])
                    };
                    row[0] == format!("{controller:?}")
                        && (0..4).all(|index| cell(index + 1, bit(index as u8)))
                };
                let [row] = rows.iter().filter(applies).collect::<Vec<_>>()[..] else {
                    panic!("exactly one row applies to {facts:?}");
                };
                assert_eq!(format!("{:?}", facts.decide()), row[5], "{facts:?}");
            }
        }
    }
}
