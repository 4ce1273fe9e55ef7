//! The Deployment controller with the ReplicaSet controller and a Kubelet.

mod bad_input;
pub(crate) mod cluster;
mod histories;
mod rollouts;
mod wakes;
