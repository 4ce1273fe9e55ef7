//! The Deployment controller with the ReplicaSet controller and a Kubelet.

mod cluster;
mod histories;
mod rollouts;
