//! The Deployment controller with the ReplicaSet controller and a Kubelet.

mod bad_input;
mod cluster;
mod histories;
mod rollouts;
