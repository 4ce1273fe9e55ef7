//! Two controllers under one leader election, against an API server in the same process.

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube_client::{Api, api::PostParams};
use trimtab_apiserver::ApiServer;
use trimtab_controller::{Action, Controller};
use trimtab_manager::{Manager, Runnable};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::start();
    let map = serde_json::from_str(r#"{"metadata": {"name": "settings"}}"#)?;
    Api::<ConfigMap>::default_namespaced(server.client()).create(&PostParams::default(), &map).await?;
    let secret = serde_json::from_str(r#"{"metadata": {"name": "password"}}"#)?;
    Api::<Secret>::default_namespaced(server.client()).create(&PostParams::default(), &secret).await?;

    let mut manager = Manager::with_client_that_may_retry("example", server.client())
        .leader_election("default", "example")
        .build()?;
    let maps = manager.informers().informer::<ConfigMap>();
    let secrets = manager.informers().informer::<Secret>();
    manager
        .controller(Controller::new("maps", &maps).reconciler(|request| async move {
            println!("ConfigMap {}", request.key);
            Ok(Action::done())
        }))
        .controller(Controller::new("secrets", &secrets).reconciler(|request| async move {
            println!("Secret {}", request.key);
            Ok(Action::done())
        }))
        .runnable(
            Runnable::new("greeter", |shutdown| async move {
                println!("leading");
                shutdown.await;
                println!("no longer leading");
                Ok::<(), std::convert::Infallible>(())
            })
            .led(),
        );
    manager.run_until(tokio::time::sleep(Duration::from_secs(1))).await?;
    println!("stopped");
    Ok(())
}
