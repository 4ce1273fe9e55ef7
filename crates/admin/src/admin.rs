//! [`Admin`]: the routes, and the server that serves them.

use std::{io, net::SocketAddr, sync::Arc};

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

use crate::{
    Check, Section, debug, health,
    measured::Measured,
    metrics::{Recorder, UPKEEP},
};

/// Health, metrics and debug page of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admin {
    settings: Arc<Settings>,
}

/// The content of an [`Admin`]; its builder fills it.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) live: Vec<Check>,
    pub(crate) ready: Vec<Check>,
    pub(crate) sections: Vec<Section>,
    pub(crate) debug: bool,
    pub(crate) metrics: Option<Recorder>,
    pub(crate) measured: Measured,
}

/// The address could not be bound, or the server failed.
#[derive(Debug, thiserror::Error)]
#[error("serving health and metrics on {address}")]
pub struct ListenError {
    address: String,
    #[source]
    cause: io::Error,
}

impl Admin {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// Returns the routes, to be merged into a server of your own.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        for kind in ["healthz", "livez", "readyz"] {
            let checks = move |settings: &Settings| match kind {
                "readyz" => settings.ready.clone(),
                _ => settings.live.clone(),
            };
            let all = move |State(settings): State<Arc<Settings>>,
                            Query(pairs): Query<Vec<(String, String)>>| async move {
                text(health::all(kind, &checks(&settings), health::Parameters::of(pairs)).await)
            };
            let one = move |State(settings): State<Arc<Settings>>, Path(name): Path<String>| async move {
                text(health::one(&checks(&settings), &name).await)
            };
            router =
                router.route(&format!("/{kind}"), get(all)).route(&format!("/{kind}/{{*name}}"), get(one));
        }
        if self.settings.metrics.is_some() {
            router = router.route("/metrics", get(metrics));
        }
        if self.settings.debug {
            router = router.route("/debug", get(page)).route("/debug.json", get(json));
        }
        router.with_state(self.settings.clone())
    }

    /// Serves on `address` until `shutdown` completes and the open requests have their responses.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound: the message names the address, and its source has the cause.
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

    /// Serves on a bound listener, as [`listen`](Self::listen) does.
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
        tracing::info!(?address, debug = self.settings.debug, "serving health and metrics");
        let server = axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).into_future();
        tokio::select! {
            served = server => served,
            () = self.upkeep() => Ok(()),
        }
    }

    /// Clears old samples while it is polled. Never completes.
    async fn upkeep(&self) {
        let Some(Recorder(handle)) = &self.settings.metrics else {
            return std::future::pending().await;
        };
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

async fn metrics(State(settings): State<Arc<Settings>>) -> Response {
    let Some(Recorder(handle)) = &settings.metrics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let rendered = handle.render();
    settings.measured.warn_of_missing(&rendered);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], rendered).into_response()
}

async fn json(State(settings): State<Arc<Settings>>) -> Json<Value> {
    Json(debug::json(&settings.sections))
}

async fn page(State(settings): State<Arc<Settings>>) -> Html<String> {
    Html(debug::page(&settings.sections))
}
