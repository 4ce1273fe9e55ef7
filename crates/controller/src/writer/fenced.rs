//! [`fenced`]: a client behind a fence, made of a client that exists already.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response};
use kube_client::{
    Client,
    client::{Body, ClientBuilder},
};
use tower::Service;
use trimtab_leaderelection::FenceLayer;

/// Returns a client that sends through `client`, unless `fence` refuses the request.
pub(super) fn fenced(client: Client, fence: &FenceLayer) -> Client {
    let namespace = client.default_namespace().to_owned();
    ClientBuilder::new(Sender(client), namespace).with_layer(fence).build()
}

/// A client as a service, which can have layers.
struct Sender(Client);

impl Service<Request<Body>> for Sender {
    type Response = Response<Body>;
    type Error = kube_client::Error;
    type Future = Pin<Box<dyn Future<Output = kube_client::Result<Response<Body>>> + Send>>;

    /// The client waits for a free connection within [`call`](Self::call).
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<kube_client::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move { client.send(request).await })
    }
}
