//! Serves health checks, metrics and a debug page until Ctrl-C.
//!
//! ```sh
//! cargo run -p trimtab-admin --example probe
//! curl 'http://127.0.0.1:8080/readyz?verbose'
//! ```
//!
//! Output of curl:
//!
//! ```text
//! [+]ping ok
//! [+]warmed-up ok
//! readyz check passed
//! ```

use serde_json::json;
use tokio::time::{Duration, Instant};
use trimtab_admin::{Admin, Check, Section, metrics};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let metrics = metrics::install()?;
    let begin = Instant::now();
    let is_warm = move || begin.elapsed() > Duration::from_secs(3);
    let admin = Admin::builder()
        .metrics(metrics)
        .debug(true)
        .ready(Check::when("warmed-up", "started less than 3 s ago", is_warm))
        .section(Section::new("process", move || json!({"age": format!("{:?}", begin.elapsed())})))
        .build();
    admin.listen("127.0.0.1:8080", async { _ = tokio::signal::ctrl_c().await }).await?;
    Ok(())
}
