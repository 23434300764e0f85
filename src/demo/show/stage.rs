//! Sets the stage: servers on loopback, an empty database, a fresh vault key, two owners.

use std::time::Duration;

use secrecy::SecretString;

use super::DemoError;
use super::cast::{KETTLES, LAMPS, Owner, Surroundings};
use super::folder::TemporaryFolder;
use super::live::Live;
use crate::app::App;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Database, Http, Network, VaultSource, Worker};
use crate::demo::model::Model;
use crate::demo::post_office::PostOffice;
use crate::provider::Provider;
use crate::store::Store;
use crate::vault::generate_kek;

/// How long the stand-in thinks: long enough that an eye can follow.
const THINKING: Duration = Duration::from_millis(400);

/// How long runs in progress may take at the end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// Everything around the service; dropping it leaves nothing behind.
pub(super) struct Stage {
    pub(super) clock: Clock,
    pub(super) began: Timestamp,
    pub(super) post_office: PostOffice,
    pub(super) asked: Asked,
    pub(super) store: Store,
    pub(super) owners: Vec<Owner>,
    _folder: TemporaryFolder,
}

/// Whom the agents ask.
pub(super) enum Asked {
    StandIn(Model),
    Live(Live),
}

impl Stage {
    /// The stage, and the service that is to play on it.
    pub(super) async fn set(live: Option<Live>, clock: Clock) -> Result<(Self, App), DemoError> {
        let folder = TemporaryFolder::new().map_err(DemoError::Stage)?;
        let post_office = PostOffice::start(clock.clone(), None).await.map_err(DemoError::Stage)?;
        let asked = match live {
            Some(live) => Asked::Live(live),
            None => Asked::StandIn(Model::start(clock.clone(), THINKING).await.map_err(DemoError::Stage)?),
        };
        let app = App::open(configure(&folder, &post_office, &asked)?, clock.clone()).await?;
        let owners = provision(&app, &post_office, &asked).await?;
        let (began, store) = (clock.now(), app.store().clone());
        Ok((Self { clock, began, post_office, asked, store, owners, _folder: folder }, app))
    }

    /// Time since the beginning.
    pub(super) fn now(&self) -> Duration {
        self.clock.now().since(self.began)
    }
}

/// The documented defaults, but for what makes it this stage.
fn configure(folder: &TemporaryFolder, office: &PostOffice, asked: &Asked) -> Result<Config, DemoError> {
    let provider = match asked {
        Asked::StandIn(model) => Some(model.address().to_string()),
        Asked::Live(live) => live.private_endpoint(),
    };
    let mut private_endpoints = vec![office.imap.to_string(), office.smtp.to_string()];
    private_endpoints.extend(provider);
    let database = folder.path().join("demo.db");
    Ok(Config {
        database: Database { url: format!("sqlite://{}", database.display()), ..Database::default() },
        vault: VaultSource { keks: Some(SecretString::from(generate_kek()?)), ..VaultSource::default() },
        worker: Worker { shutdown_grace: SHUTDOWN, ..Worker::default() },
        network: Network { private_endpoints, ..Network::default() },
        // Nobody calls it, and the port may be another program's.
        http: Http { enabled: false, ..Http::default() },
        ..Config::default()
    })
}

async fn provision(app: &App, office: &PostOffice, asked: &Asked) -> Result<Vec<Owner>, DemoError> {
    let around = surround(office, asked);
    let mut owners = Vec::new();
    for part in [KETTLES, LAMPS] {
        let password = SecretString::from(format!("{:032x}", rand::random::<u128>()));
        office.add_account(part.address, password.clone());
        let clock = app.store().clock();
        let (owner, rows) = part.provision(clock, app.vault(), &around, &password)?;
        app.store().provision(rows).await?;
        owners.push(owner);
    }
    Ok(owners)
}

fn surround(office: &PostOffice, asked: &Asked) -> Surroundings {
    let (imap, smtp) = (office.imap, office.smtp);
    match asked {
        Asked::StandIn(model) => Surroundings {
            imap,
            smtp,
            provider: Provider::OpenAiCompatible.as_str(),
            base_url: Some(model.base_url()),
            model: "demo-model".to_owned(),
            key: None,
        },
        Asked::Live(live) => Surroundings {
            imap,
            smtp,
            provider: live.provider().as_str(),
            base_url: live.base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
            model: live.model.clone(),
            key: Some(live.key.clone()),
        },
    }
}
