//! Restarts of members whose configuration is out of date: one at a time, and never below a quorum.

use k8s_openapi::api::core::v1::Pod;
use kube_client::{Error, ResourceExt, api::ListParams};
use trimtab_controller::cache::ObjectKey;

use super::{
    Database, Defect, Operator, config_hash,
    operator::{HASH, Member, index, is_ready},
};

impl Operator {
    /// Restarts the first outdated member, if all members are up. Returns whether no member is outdated.
    pub(super) async fn roll_out(
        &self,
        key: &ObjectKey,
        database: &Database,
        members: &[Member],
    ) -> Result<bool, Error> {
        let hash = config_hash(&database.spec.config);
        let wanted = || members.iter().filter(|member| member.index < database.spec.replicas);
        let mut outdated = wanted().filter(|member| member.pod.labels().get(HASH) != Some(&hash));
        let Some(Member { pod, .. }) = outdated.next() else {
            return Ok(true);
        };
        let up = if self.has(Defect::QuorumByCache) {
            wanted().filter(|member| is_up(&member.pod)).count()
        } else {
            self.count_up(key, database).await?
        };
        if up == database.spec.replicas as usize && pod.metadata.deletion_timestamp.is_none() {
            self.delete_pod(key, pod).await?;
        }
        Ok(false)
    }

    /// Reads the number of members that are up from the server.
    async fn count_up(&self, key: &ObjectKey, database: &Database) -> Result<usize, Error> {
        let pods = self.api::<Pod>(key).list(&ListParams::default()).await?;
        let prefix = format!("{}-", key.name());
        let is_member = |pod: &&Pod| {
            let name = pod.name_any();
            name.starts_with(&prefix) && index(&name).is_some_and(|index| index < database.spec.replicas)
        };
        Ok(pods.items.iter().filter(is_member).filter(|pod| is_up(pod)).count())
    }
}

fn is_up(pod: &Pod) -> bool {
    is_ready(pod) && pod.metadata.deletion_timestamp.is_none()
}
