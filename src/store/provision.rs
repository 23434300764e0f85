//! Making and changing a user's things in one transaction: all of it or nothing.

use std::collections::BTreeSet;

use super::{
    NewAgent, NewAiConfiguration, NewMailbox, NewUser, Store, StoreError, UserId, agents, ai_configurations,
    mailboxes, notices, runs, users, wake,
};

/// What is to be made or changed; what is not named stays as it is.
#[derive(Default)]
pub struct Provision {
    /// Users, before what belongs to them.
    pub users: Vec<NewUser>,
    /// Their AI configurations.
    pub ai_configurations: Vec<NewAiConfiguration>,
    /// Their mailboxes.
    pub mailboxes: Vec<NewMailbox>,
    /// Their agents.
    pub agents: Vec<NewAgent>,
}

impl Store {
    /// Writes everything in one transaction, ends the notices that it mends, and makes the runs due that waited
    /// for it.
    ///
    /// # Errors
    /// Where one row cannot be written; then none is.
    pub async fn provision(&self, provision: Provision) -> Result<(), StoreError> {
        let (now, due) = (self.clock.now(), self.lease_clock().await?);
        self.write_much(move |tx| {
            Box::pin(async move {
                for user in provision.users {
                    users::upsert(tx, user, now).await?;
                }
                let mut changed: BTreeSet<UserId> = BTreeSet::new();
                for configuration in provision.ai_configurations {
                    let user = configuration.user_id;
                    notices::end(tx, user, &format!("ai_configuration:{}", configuration.id), now).await?;
                    ai_configurations::upsert(tx, configuration, now).await?;
                    changed.insert(user);
                }
                for mailbox in provision.mailboxes {
                    let user = mailbox.user_id;
                    notices::end(tx, user, &format!("mailbox:{}", mailbox.id), now).await?;
                    mailboxes::upsert(tx, mailbox, now).await?;
                    changed.insert(user);
                }
                for agent in provision.agents {
                    changed.insert(agent.user_id);
                    agents::upsert(tx, agent, now).await?;
                }
                runs::hold_runs(tx, &changed.iter().copied().collect::<Vec<_>>()).await?;
                for user in changed {
                    runs::unpark(tx, user, due).await?;
                }
                wake::tell_others(tx).await
            })
        })
        .await?;
        self.wake_queue();
        Ok(())
    }
}
