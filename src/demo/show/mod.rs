//! The service at work, told as it happens.
//!
//! The service is the real one ([`App::open`] and [`App::serve`]); the show supplies the servers around it, two
//! owners and their correspondents, and then only watches: the post office's events and the rows of the database.

mod cast;
mod error;
mod folder;
mod letters;
mod live;
mod narrate;
mod screen;
mod stage;
mod totals;
mod watch;

use std::io::Write;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use self::letters::Script;
use self::screen::Screen;
use self::stage::Stage;
use self::totals::Totals;
use self::watch::Watch;
use super::post_office::Event;
use crate::app::{App, AppError};
use crate::clock::Clock;

pub use self::error::DemoError;
pub use self::live::{Live, USUAL_MODEL};

/// How often the rows are looked at.
const LOOK: Duration = Duration::from_millis(25);

/// How long a show that ends by itself may take.
const LONGEST_SHOW: Duration = Duration::from_secs(60);

/// How to show it.
pub struct Options {
    /// End by itself once every sample mail has its outcome.
    pub once: bool,
    /// Ask a real provider instead of the stand-in; costs money.
    pub live: Option<Live>,
    /// Whether `output` shows colours.
    pub colours: bool,
}

/// Shows the service at work until `stop`, or with `once` until every sample mail has its outcome.
///
/// # Errors
/// Where the stage cannot be set, the service ends by itself, nobody takes the output, or with `once` a mail is
/// without its outcome after 60 s.
pub async fn show(options: Options, output: impl Write, stop: CancellationToken) -> Result<(), DemoError> {
    let mut screen = Screen::new(output, options.colours);
    let (stage, app) = Stage::set(options.live, Clock::system()).await?;
    narrate::open(&mut screen, &stage)?;
    let totals = Show::begin(stage, app, options.once, screen).play(stop).await?;
    if options.once { totals.verdict() } else { Ok(()) }
}

/// A show under way.
struct Show<W> {
    stage: Stage,
    script: Script,
    watch: Watch,
    events: UnboundedReceiver<Event>,
    screen: Screen<W>,
    service: JoinHandle<Result<(), AppError>>,
    curtain: CancellationToken,
    once: bool,
    is_invited: bool,
}

impl<W: Write> Show<W> {
    fn begin(stage: Stage, app: App, once: bool, screen: Screen<W>) -> Self {
        let curtain = CancellationToken::new();
        Self {
            script: Script::new(stage.clock.clone()),
            watch: Watch::new(stage.store.clone(), stage.owners.clone()),
            events: stage.post_office.subscribe(),
            service: tokio::spawn(app.serve(curtain.clone())),
            stage,
            screen,
            curtain,
            once,
            is_invited: false,
        }
    }

    /// Plays until the end, lets the service drain, and prints what it came to.
    async fn play(mut self, stop: CancellationToken) -> Result<Totals, DemoError> {
        let played = self.go_on_until(stop).await;
        self.curtain.cancel();
        let drained = (&mut self.service).await.map_err(|_| DemoError::ServiceEnded)?;
        played?;
        drained?;
        self.go_on().await?;
        let totals = Totals::read(&self.stage, &self.script, &self.watch).await?;
        totals.print(&mut self.screen)?;
        Ok(totals)
    }

    async fn go_on_until(&mut self, stop: CancellationToken) -> Result<(), DemoError> {
        let last_call = Instant::now() + LONGEST_SHOW;
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.service.is_finished() {
            if stop.run_until_cancelled(ticks.tick()).await.is_none() {
                return Ok(());
            }
            self.deliver_letters().await?;
            self.go_on().await?;
            let is_over = self.watch.is_settled() && !self.script.can_go_on();
            if self.once && (is_over || Instant::now() > last_call) {
                return Ok(());
            }
            if is_over && !self.is_invited {
                self.is_invited = true;
                narrate::invite(&mut self.screen, &self.stage)?;
            }
        }
        // Its own error, where it has one, is told by who waits for it.
        Ok(())
    }

    /// Hears what the post office tells, looks at the rows, and tells what is new.
    async fn go_on(&mut self) -> Result<(), DemoError> {
        while let Ok(event) = self.events.try_recv() {
            if let Event::MailAccepted { bytes, .. } = &event {
                self.script.hear(bytes);
            }
            if let Some(news) = self.watch.notice(&event, &self.script) {
                narrate::tell(&mut self.screen, self.stage.now(), &news)?;
            }
        }
        for news in self.watch.look().await? {
            narrate::tell(&mut self.screen, self.stage.now(), &news)?;
        }
        Ok(())
    }

    /// The correspondents wait until somebody is there to read.
    async fn deliver_letters(&mut self) -> Result<(), DemoError> {
        if !self.watch.are_mailboxes_open().await? {
            return Ok(());
        }
        if let Some((to, bytes)) = self.script.next() {
            self.stage.post_office.deliver(to, bytes);
        }
        Ok(())
    }
}
