//! Health checks, metrics and a debug page of a process over HTTP, with Kubernetes' paths and texts.
//!
//! ```no_run
//! use trimtab_admin::{Admin, Check, metrics};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let metrics = metrics::install()?; // first: metric handles from before the recorder report nothing
//!     let admin = Admin::builder()
//!         .metrics(metrics)
//!         .ready(Check::new("database", || async { Ok::<(), std::io::Error>(()) }))
//!         .build();
//!     admin.listen("127.0.0.1:8080", async { _ = tokio::signal::ctrl_c().await }).await?;
//!     Ok(())
//! }
//! ```
//!
//! | path | response |
//! | --- | --- |
//! | `/healthz`, `/livez`, `/readyz` | `ok` with 200, or the failed checks with 500; `?verbose` lists all checks, `?exclude=name` skips one |
//! | `/healthz/NAME`, … | one check |
//! | `/metrics` | Prometheus text, if a recorder was given |
//! | `/debug`, `/debug.json` | the [sections](Section) as a page and as JSON, if [`debug`](AdminBuilder::debug) is set |
//!
//! # Guarantees
//!
//! 1. Every path is read-only: methods other than GET and HEAD are refused.
//! 2. The reason of a failed check is logged, not sent, except on the path of that check alone, as in Kubernetes.
//! 3. A check that exceeds its time limit or panics has failed, and delays no other request.
//! 4. The debug page is off by default.
//! 5. The content of a section is escaped on the page.
//!
//! # Not here
//!
//! Authentication. Listen on an address that is reachable only for authorized readers; `/debug` names objects.

mod admin;
mod builder;
mod debug;
mod health;
mod measured;
pub mod metrics;
mod section;

pub use self::{
    admin::{Admin, ListenError},
    builder::AdminBuilder,
    health::Check,
    measured::MeasuredPart,
    section::Section,
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
