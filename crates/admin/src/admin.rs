//! [`Admin`]: the routes, and the server that answers them.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    time::interval,
};

use crate::{AdminBuilder, Check, Section, builder::Metrics, debug, health, metrics::UPKEEP};

/// Health, metrics and debug page of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admin {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    live: Vec<Check>,
    ready: Vec<Check>,
    sections: Vec<Section>,
    is_debug_on: bool,
    metrics: Option<Metrics>,
    has_warned: AtomicBool,
}

/// The address could not be listened on, or the server failed.
#[derive(Debug, thiserror::Error)]
#[error("serving health and metrics on {address}")]
pub struct ListenError {
    address: String,
    #[source]
    cause: io::Error,
}

impl Admin {
    /// Begins to set up a server, which has the check `ping`.
    pub fn builder() -> AdminBuilder {
        AdminBuilder::new()
    }

    pub(crate) fn of(builder: AdminBuilder) -> Self {
        let AdminBuilder { live, ready, sections, debug, metrics } = builder;
        let has_warned = AtomicBool::new(false);
        Self { shared: Arc::new(Shared { live, ready, sections, is_debug_on: debug, metrics, has_warned }) }
    }

    /// The routes, to be merged into a server of one's own.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for kind in ["healthz", "livez", "readyz"] {
            let checks = move |shared: &Shared| match kind {
                "readyz" => shared.ready.clone(),
                _ => shared.live.clone(),
            };
            let all = move |State(shared): State<Arc<Shared>>, Query(pairs): Query<Vec<(String, String)>>| async move {
                text(health::all(kind, &checks(&shared), health::Parameters::of(pairs)).await)
            };
            let one = move |State(shared): State<Arc<Shared>>, Path(name): Path<String>| async move {
                text(health::one(&checks(&shared), &name).await)
            };
            router =
                router.route(&format!("/{kind}"), get(all)).route(&format!("/{kind}/{{*name}}"), get(one));
        }
        if self.shared.metrics.is_some() {
            router = router.route("/metrics", get(metrics));
        }
        if self.shared.is_debug_on {
            router = router.route("/debug", get(page)).route("/debug.json", get(json));
        }
        router.with_state(self.shared.clone())
    }

    /// Listens on `address` until `shutdown` completes, and then until the open requests are answered.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on; the message names it, and its source says why.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the listener at once, and the open requests with it.
    pub async fn listen(
        &self,
        address: impl ToSocketAddrs + ToString,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ListenError> {
        let name = address.to_string();
        let failed = |cause| ListenError { address: name.clone(), cause };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        self.serve(listener, shutdown).await.map_err(failed)
    }

    /// Serves on a listener that is bound already, as [`listen`](Self::listen) does.
    ///
    /// # Errors
    ///
    /// If accepting connections fails for good.
    ///
    /// # Cancel safety
    ///
    /// Dropping it closes the listener at once, and the open requests with it.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let address: Option<SocketAddr> = listener.local_addr().ok();
        tracing::info!(?address, debug = self.shared.is_debug_on, "serving health and metrics");
        let server = axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).into_future();
        tokio::select! {
            served = server => served,
            () = self.upkeep() => Ok(()),
        }
    }

    /// Clears old samples for as long as it is polled. Never completes.
    async fn upkeep(&self) {
        let Some(Metrics(handle)) = &self.shared.metrics else { return std::future::pending().await };
        let mut ticks = interval(UPKEEP);
        loop {
            ticks.tick().await;
            handle.run_upkeep();
        }
    }
}

fn text((code, text): (StatusCode, String)) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (code, headers, text).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let Some(Metrics(handle)) = &shared.metrics else { return StatusCode::NOT_FOUND.into_response() };
    let rendered = handle.render();
    if !shared.has_warned.swap(true, Ordering::Relaxed) {
        for section in shared.sections.iter().filter(|section| section.is_missing_from(&rendered)) {
            tracing::warn!(
                part = section.name(),
                "has no metrics: it was built before the metrics recorder was installed, or has no name"
            );
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], rendered).into_response()
}

async fn json(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(debug::json(&shared.sections))
}

async fn page(State(shared): State<Arc<Shared>>) -> Html<String> {
    Html(debug::page(&shared.sections))
}
