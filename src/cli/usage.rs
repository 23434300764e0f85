//! `postkey usage`: what users' provider calls came to, and whose key paid.

use clap::Args;

use super::CliError;
use super::open::open_store;
use super::owners::find_owners;
use super::table::Table;
use crate::config::Config;
use crate::store::{Payer, UsageTotal};

#[derive(Args)]
pub(super) struct Usage {
    /// Only this user's.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
}

pub(super) async fn run(command: &Usage, config: &Config) -> Result<String, CliError> {
    let store = open_store(config).await?;
    let mut table =
        Table::new(["USER", "KEY OF", "PROVIDER", "MODEL", "CALLS", "FAILED", "TOKENS IN", "TOKENS OUT"]);
    for owner in find_owners(&store, command.user.as_deref()).await? {
        for total in store.sum_usage(owner.id).await? {
            table.row(cells(owner.email.clone(), total));
        }
    }
    if table.is_empty() {
        return Ok("no provider has been called yet\n".to_owned());
    }
    Ok(table.render())
}

fn cells(email: String, total: UsageTotal) -> [String; 8] {
    let payer = match total.payer {
        Payer::Owner => "the user",
        Payer::Platform => "the platform",
    };
    let [calls, failed, input, output] =
        [total.calls, total.failed, total.input_tokens, total.output_tokens].map(|count| count.to_string());
    [email, payer.to_owned(), total.provider, total.model, calls, failed, input, output]
}
