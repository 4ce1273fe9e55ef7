//! Functions that map an event to the keys of primary objects: [`keys_by_index`], [`keys_by_selector`].

use std::hash::Hash;

use trimtab_cache::{Index, Metadata, Object, ObjectKey, Selector, Store};
use trimtab_informer::Event;

/// Returns a function for [`Controller::watches`](crate::Controller::watches) that finds the keys of primary objects by an
/// index of theirs.
///
/// `values` returns the values of the index that an event concerns. For primary objects that name another object, index
/// them by its key:
///
/// ```
/// # use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
/// # use trimtab_controller::{Controller, cache::ObjectKey, informer::Informer, keys_by_index};
/// # fn config_of(_: &Deployment) -> Option<ObjectKey> { None }
/// # fn wire(deployments: Informer<Deployment>, maps: Informer<ConfigMap>) -> Controller<()> {
/// let by_config = deployments.add_index("config", |deployment| config_of(deployment));
/// Controller::new("deployment", &deployments)
///     .watches(&maps, keys_by_index(&by_config, |event| [event.key()]))
/// # }
/// ```
pub fn keys_by_index<T, P, V, F, I>(
    index: &Index<P, V>,
    values: F,
) -> impl Fn(&Event<T>) -> Vec<ObjectKey> + Send + Sync + use<T, P, V, F, I>
where
    T: Object,
    P: Object,
    V: Hash + Eq + Clone + Send + Sync + 'static,
    F: Fn(&Event<T>) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = V>,
{
    let index = index.clone();
    move |event| values(event).into_iter().flat_map(|value| index.keys(&value)).collect()
}

/// Returns a function for [`Controller::watches`](crate::Controller::watches) that finds the primary objects that may want
/// to adopt the event's object: it has no controller, and they select it.
///
/// `selector` returns the selector of a primary object, or nothing. A selector of everything selects nothing here, as in
/// upstream's `GetPodReplicaSets` and `GetDeploymentsForReplicaSet`.
///
/// ```
/// # use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
/// # use trimtab_controller::{Controller, cache::Selector, informer::Informer, keys_by_selector};
/// # fn wire(sets: Informer<ReplicaSet>, pods: Informer<Pod>) -> Controller<()> {
/// Controller::new("replicaset", &sets)
///     .owns(&pods)
///     .watches(&pods, keys_by_selector(sets.store(), |set| Selector::try_from(&set.spec.selector)))
/// # }
/// ```
pub fn keys_by_selector<T, P, F, I>(
    primaries: &Store<P>,
    selector: F,
) -> impl Fn(&Event<T>) -> Vec<ObjectKey> + Send + Sync + use<T, P, F, I>
where
    T: Object,
    P: Object,
    F: Fn(&P) -> I + Send + Sync + 'static,
    I: IntoIterator<Item = Selector>,
{
    let primaries = primaries.clone();
    move |event| {
        let Some(orphan) = event.object().filter(|object| object.metadata().controller().is_none()) else {
            return Vec::new();
        };
        let orphan = orphan.metadata();
        let selects = |primary: &P| {
            let mut selectors = selector(primary).into_iter();
            selectors.any(|selector| !selector.is_everything() && orphan.matches(&selector))
        };
        let nearby = primaries.in_namespace(orphan.namespace().unwrap_or_default());
        nearby.iter().filter(|primary| selects(primary)).map(|primary| primary.key()).collect()
    }
}
