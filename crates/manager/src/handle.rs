//! [`ManagerHandle`]: a view of a process.

use std::{fmt, sync::Arc};

use trimtab_controller::{ControllerHandle, informer::InformerFactory, leaderelection::Observer};

/// A view of a process, which can be cloned and used from any task.
#[derive(Clone)]
pub struct ManagerHandle {
    pub(crate) name: Arc<str>,
    pub(crate) informers: InformerFactory,
    /// Each with whether it is led.
    pub(crate) controllers: Arc<[(ControllerHandle, bool)]>,
    pub(crate) observer: Option<Observer>,
    /// The descriptions of informers that nothing waits for.
    pub(crate) optional: Arc<[String]>,
}

impl ManagerHandle {
    /// Returns the name of the program.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the factory of the process.
    pub fn informers(&self) -> &InformerFactory {
        &self.informers
    }

    /// Returns a view of the leader election, if there is one.
    pub fn observer(&self) -> Option<Observer> {
        self.observer.clone()
    }

    /// Returns the controllers.
    pub fn controllers(&self) -> Vec<ControllerHandle> {
        self.controllers.iter().map(|(controller, _)| controller.clone()).collect()
    }

    /// Returns the controllers that reconcile at this moment: all of a leader, and those on every replica of a candidate.
    pub fn active_controllers(&self) -> Vec<ControllerHandle> {
        let leads = self.observer.as_ref().is_none_or(Observer::is_leader);
        let active = self.controllers.iter().filter(|(_, is_led)| leads || !is_led);
        active.map(|(controller, _)| controller.clone()).collect()
    }

    /// Returns whether parts wait for the informer with this description: unless it is
    /// [optional](crate::Manager::optional), or only an optional source of controllers.
    pub fn is_needed(&self, description: &str) -> bool {
        if self.optional.iter().any(|optional| optional == description) {
            return false;
        }
        let sources = self.controllers.iter().flat_map(|(controller, _)| controller.sources());
        let mut uses = sources.filter(|source| source.name == description).peekable();
        uses.peek().is_none() || uses.any(|source| !source.optional)
    }
}

impl fmt::Debug for ManagerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagerHandle")
            .field("name", &self.name)
            .field("controllers", &self.controllers().iter().map(ControllerHandle::name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
