//! [`lease_client_config`]: the settings of a client for an election.

use std::time::Duration;

use http::{HeaderValue, header::USER_AGENT};
use kube_client::Config;

/// The time limit of one read or write on a connection. client-go has half the renew deadline.
const TIMEOUT: Duration = Duration::from_secs(5);

/// `config` for the client of an elector: with short timeouts, without kube-client's own retries.
///
/// kube-client repeats a request up to 15 times after 429, 503 and 504, and waits as long as a `Retry-After`
/// asks it to. An elector ends each request after half a renew deadline, and tries again by itself. So those
/// retries only add requests to a server that is overloaded. client-go does the same with its
/// `NewFromKubeconfig`: a client of its own, with a suffix to the user agent.
pub fn lease_client_config(mut config: Config) -> Config {
    config.default_retry = false;
    config.connect_timeout = Some(config.connect_timeout.map_or(TIMEOUT, |timeout| timeout.min(TIMEOUT)));
    config.read_timeout = Some(config.read_timeout.map_or(TIMEOUT, |timeout| timeout.min(TIMEOUT)));
    config.write_timeout = Some(config.write_timeout.map_or(TIMEOUT, |timeout| timeout.min(TIMEOUT)));
    let agent = config.headers.iter().find(|(name, _)| name == USER_AGENT);
    let agent = agent.and_then(|(_, value)| value.to_str().ok()).unwrap_or("trimtab");
    let agent = HeaderValue::try_from(format!("{agent}/leader-election"));
    if let Ok(agent) = agent {
        config.headers.retain(|(name, _)| name != USER_AGENT);
        config.headers.push((USER_AGENT, agent));
    }
    config
}
