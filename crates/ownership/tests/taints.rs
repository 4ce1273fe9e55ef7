//! Taints of Nodes, by upstream's tables: which requests are sent, and which taints are left.

use k8s_openapi::api::core::v1::{Node, Taint};
use kube_client::{Api, Client, api::PostParams};
use serde_json::json;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_ownership::{add_or_update_taints, remove_taints};

fn taint(key: &str, value: &str, effect: &str) -> Taint {
    serde_json::from_value(json!({"key": key, "value": value, "effect": effect})).expect("a taint")
}

fn node(taints: &[Taint]) -> Node {
    serde_json::from_value(json!({"metadata": {"name": "n"}, "spec": {"taints": taints}})).expect("a Node")
}

struct World {
    server: ApiServer,
    client: Client,
    cached: Node,
}

impl World {
    async fn with(taints: &[Taint]) -> Self {
        let server = ApiServer::builder().request_log(true).start();
        let nodes: Api<Node> = Api::all(server.client());
        let cached = nodes.create(&PostParams::default(), &node(taints)).await.expect("created");
        let client = server.client_as("controller");
        Self { server, client, cached }
    }

    async fn taints(&self) -> Vec<(String, String, String)> {
        let node = Api::<Node>::all(self.server.client()).get("n").await.expect("found");
        let taints = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
        let is_ours = |one: &Taint| !one.key.starts_with("node.kubernetes.io/"); // the server's own: it is not ready
        let taints = taints.into_iter().filter(is_ours);
        taints.map(|one| (one.key, one.value.unwrap_or_default(), one.effect)).collect()
    }

    /// The number of reads and of patches so far.
    fn requests(&self) -> (usize, usize) {
        let count = |verb| {
            let filter = Filter::any().verb(verb).resource("nodes").user_agent("controller");
            self.server.request_log().matching(&filter).len()
        };
        (count(Verb::Get), count(Verb::Patch))
    }
}

fn owned(taints: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let text = |(key, value, effect): &(&str, &str, &str)| ((*key).into(), (*value).into(), (*effect).into());
    taints.iter().map(text).collect()
}

/// EX-T10: upstream's `TestAddOrUpdateTaintOnNode`.
#[tokio::test(start_paused = true)]
async fn taints_are_added_or_updated_and_nothing_is_written_when_nothing_changes() {
    let before = [taint("key1", "value1", "NoSchedule")];
    for (added, after, requests) in [
        (vec![], owned(&[("key1", "value1", "NoSchedule")]), (0, 0)),
        (vec![taint("key1", "value1", "NoSchedule")], owned(&[("key1", "value1", "NoSchedule")]), (1, 0)),
        (
            vec![taint("key2", "value2", "NoExecute")],
            owned(&[("key1", "value1", "NoSchedule"), ("key2", "value2", "NoExecute")]),
            (1, 1),
        ),
        (vec![taint("key1", "value2", "NoSchedule")], owned(&[("key1", "value2", "NoSchedule")]), (1, 1)),
        (
            vec![taint("key1", "value1", "NoSchedule"), taint("key2", "value2", "NoExecute")],
            owned(&[("key1", "value1", "NoSchedule"), ("key2", "value2", "NoExecute")]),
            (1, 1),
        ),
    ] {
        let world = World::with(&before).await;
        add_or_update_taints(&world.client, "n", &added).await.expect("a willing server");
        assert_eq!((world.requests(), world.taints().await), (requests, after), "{added:?}");
    }
}

/// EX-T10: upstream's `TestRemoveTaintOffNode`.
#[tokio::test(start_paused = true)]
async fn taints_are_removed_by_key_and_effect_and_a_cached_node_saves_the_requests() {
    let before = [taint("key1", "value1", "NoSchedule"), taint("key2", "value2", "NoExecute")];
    let (first, second) = (("key1", "value1", "NoSchedule"), ("key2", "value2", "NoExecute"));
    for (removed, is_cached, after, requests) in [
        (vec![taint("key1", "", "NoSchedule")], true, owned(&[second]), (1, 1)),
        (vec![taint("key1", "", "NoExecute")], true, owned(&[first, second]), (0, 0)),
        (vec![taint("key1", "", "NoExecute")], false, owned(&[first, second]), (1, 0)),
        (vec![taint("key1", "", "NoSchedule"), taint("key2", "", "NoExecute")], true, vec![], (1, 1)),
        (vec![], true, owned(&[first, second]), (0, 0)),
    ] {
        let world = World::with(&before).await;
        let cached = is_cached.then_some(&world.cached);
        remove_taints(&world.client, "n", cached, &removed).await.expect("a willing server");
        assert_eq!((world.requests(), world.taints().await), (requests, after), "{removed:?}");
    }
}

/// EX-T10: a conflict is read again and patched again, five times at most.
#[tokio::test(start_paused = true)]
async fn a_conflict_of_taints_is_retried_up_to_five_times() {
    for (conflicts, succeeds, requests) in [(1, true, (2, 2)), (4, true, (5, 5)), (9, false, (5, 5))] {
        let world = World::with(&[]).await;
        let patches = Filter::any().verb(Verb::Patch).resource("nodes");
        let _refused = world.server.faults().refuse(patches, Refusal::conflict(), conflicts);
        let added = [taint("key1", "value1", "NoSchedule")];
        let added = add_or_update_taints(&world.client, "n", &added).await;
        assert_eq!((added.is_ok(), world.requests()), (succeeds, requests), "{conflicts} conflicts");
    }
}
