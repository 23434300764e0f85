//! The running service (being built).

use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Why the service could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {}

/// Runs the service until `stop` is cancelled.
///
/// # Errors
/// Where it cannot start.
pub async fn serve(config: Config, stop: CancellationToken) -> Result<(), AppError> {
    let _ = (config, stop);
    Ok(())
}
