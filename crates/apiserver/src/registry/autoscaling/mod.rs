//! The group `autoscaling`.

mod horizontal_pod_autoscaler;

pub(in crate::registry) use self::horizontal_pod_autoscaler::kinds;
