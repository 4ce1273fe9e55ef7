//! [`in_order`]: the claimed dependents in the order in which they were given.

use std::sync::Arc;

/// Puts each adopted dependent in its place among those that were kept.
pub(crate) fn in_order<T>(kept: Vec<Arc<T>>, adopted: Vec<(usize, Arc<T>)>) -> Vec<Arc<T>> {
    if adopted.is_empty() {
        return kept;
    }
    let mut ordered = Vec::with_capacity(kept.len() + adopted.len());
    let mut adopted = adopted.into_iter().peekable();
    for (place, object) in kept.into_iter().enumerate() {
        while let Some((_, object)) = adopted.next_if(|(before, _)| *before <= place) {
            ordered.push(object);
        }
        ordered.push(object);
    }
    ordered.extend(adopted.map(|(_, object)| object));
    ordered
}
