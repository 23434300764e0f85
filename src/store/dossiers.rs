//! Everything that a run starts from, read in one go, together with what other runs start from.

use std::collections::HashMap;

use sqlx::{FromRow, PgConnection, QueryBuilder, Row as _, SqliteConnection};

use super::agents::{self, Agent, agents_of_mailboxes};
use super::ai_configurations::{self, AiConfiguration, configurations_of_users};
use super::asked_rows::push_asked;
use super::completions::StoredCompletion;
use super::group::Ask;
use super::mailboxes::{self, Mailbox};
use super::messages::Message;
use super::outbox::{self, OutboxMail, OutboxState};
use super::own_addresses::{self, addresses_of_users};
use super::pool::{Database, Tx};
use super::suppressions::Reason;
use super::{AgentId, AiConfigurationId, MailboxId, MessageId, RunId, Store, StoreError, ThreadId, UserId};
use crate::clock::Timestamp;

/// What a run starts from.
pub struct Dossier {
    /// The mail that is to be answered.
    pub message: Message,
    /// Whether its thread holds earlier mail.
    pub has_history: bool,
    /// Whether a model has spent all of its tokens on it without a word ([`super::NO_WORDS`]).
    pub had_no_words: bool,
    /// The mailbox that it came to.
    pub mailbox: Mailbox,
    /// Why automation has stopped for the correspondent or the thread, if it has.
    pub suppressed: Option<Reason>,
    /// The name that replies are written on behalf of.
    pub owner_name: String,
    /// Every address that is the owner's own (EM-15).
    pub own_addresses: Vec<String>,
    /// The enabled agents of the mailbox, oldest first.
    pub agents: Vec<Agent>,
    /// The owner's AI configurations, their keys sealed.
    pub ai_configurations: Vec<AiConfiguration>,
    /// The reply that an earlier attempt has frozen.
    pub reply: Option<OutboxMail>,
    /// The answer that an earlier attempt has stored.
    pub completion: Option<StoredCompletion>,
}

/// The mail, its mailbox and what is known of them.
macro_rules! find {
    ($messages:literal) => {
        concat!(
            "SELECT asked.position, mailboxes.*, messages.id AS message_id, messages.thread_id,
                messages.uid_validity AS message_uid_validity, messages.uid AS message_uid,
                messages.raw, truncated, internal_date, received_at, authentication, users.name AS owner_name,
                EXISTS (SELECT 1 FROM messages AS earlier
                    WHERE earlier.thread_id = messages.thread_id AND earlier.id < messages.id) AS has_history,
                EXISTS (SELECT 1 FROM provider_calls
                    WHERE provider_calls.run_id = messages.id AND error_class = 'no_words') AS had_no_words,
                (SELECT reason FROM suppressions
                 WHERE suppressions.mailbox_id = messages.mailbox_id
                    AND COALESCE(suppressions.thread_id, messages.thread_id) = messages.thread_id
                    AND address IN (threads.correspondent, outbox.recipient)
                 ORDER BY suppressions.created_at LIMIT 1) AS suppressed,
                outbox.rfc_message_id AS reply_id, outbox.recipient AS reply_recipient, ",
            outbox::raw!(),
            " AS reply_raw, outbox.state AS reply_state, completions.model, completions.finish, completions.body,
                completions.edited
            FROM ",
            $messages,
            " JOIN mailboxes ON mailboxes.id = messages.mailbox_id
            JOIN users ON users.id = messages.user_id JOIN threads ON threads.id = messages.thread_id
            LEFT JOIN outbox ON outbox.run_id = messages.id
            LEFT JOIN completions ON completions.run_id = messages.id
            WHERE messages.user_id = asked.user_id AND messages.id = asked.message_id"
        )
    };
}

const SQLITE_FIND: &str = find!("asked CROSS JOIN messages");
// One row is looked up after the other, so that no guess of the planner's makes it read a table through.
const POSTGRES_FIND: &str = concat!(
    "SELECT found.* FROM UNNEST($1::UUID[], $2::UUID[]) WITH ORDINALITY AS asked (user_id, message_id, position)
     CROSS JOIN LATERAL (",
    find!("messages"),
    " LIMIT 1) AS found"
);

impl Store {
    /// What the run of this message starts from; `None` where there is no such message of this user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_dossier(
        &self,
        user: UserId,
        message: MessageId,
    ) -> Result<Option<Dossier>, StoreError> {
        self.pool.groups().dossiers.ask(Finding { user, message }).await
    }
}

/// A question for one dossier.
pub(super) struct Finding {
    user: UserId,
    message: MessageId,
}

impl Ask for Finding {
    type Answer = Option<Dossier>;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<Option<Dossier>>, StoreError> {
        let rows = match tx.database() {
            Database::File(db) => find_on_file(db, asks).await?,
            Database::Server(db) => find_on_server(db, asks).await?,
        };
        let mut found = HashMap::with_capacity(rows.len());
        for Row { position, mailbox, mail } in rows {
            found.insert(position, (Mailbox::try_from(mailbox)?, mail));
        }
        let owners = found.values().map(|(mailbox, _)| (mailbox.id, mailbox.user_id));
        let households = list_households(tx, owners.collect()).await?;
        let dossier = |(position, _)| {
            let Some((mailbox, mail)) = found.remove(&position) else { return Ok(None) };
            let missing =
                || StoreError::Impossible { table: "mailboxes", column: "id", id: mailbox.id.to_string() };
            let household = households.get(&mailbox.id).cloned().ok_or_else(missing)?;
            Ok(Some(mail.into_dossier(mailbox, household)))
        };
        places(asks).map(dossier).collect()
    }
}

/// Each with its place in the group, by which its row is known: the same mail may be asked for twice. A server counts
/// from one.
fn places(asks: &[Finding]) -> impl Iterator<Item = (i64, &Finding)> {
    (1..).zip(asks)
}

async fn find_on_file(db: &mut SqliteConnection, asks: &[Finding]) -> Result<Vec<Row>, StoreError> {
    let mut query = QueryBuilder::default();
    push_asked(
        &mut query,
        "user_id, message_id, position",
        places(asks),
        |mut row, (position, Finding { user, message })| {
            row.push_bind(user).push_bind(message).push_bind(position);
        },
    );
    Ok(query.push(SQLITE_FIND).build_query_as().fetch_all(db).await?)
}

async fn find_on_server(db: &mut PgConnection, asks: &[Finding]) -> Result<Vec<Row>, StoreError> {
    let users: Vec<UserId> = asks.iter().map(|ask| ask.user).collect();
    let messages: Vec<MessageId> = asks.iter().map(|ask| ask.message).collect();
    Ok(sqlx::query_as(POSTGRES_FIND).bind(users).bind(messages).fetch_all(db).await?)
}

/// What all mails of a mailbox share.
#[derive(Clone)]
struct Household {
    own_addresses: Vec<String>,
    agents: Vec<Agent>,
    ai_configurations: Vec<AiConfiguration>,
}

/// What there is of all of these mailboxes and their owners.
#[derive(Default)]
struct Belongings {
    /// By their owners, with the aliases as JSON.
    addresses: Vec<(UserId, String, String)>,
    agents: Vec<Agent>,
    ai_configurations: Vec<AiConfiguration>,
}

async fn list_households(
    tx: &mut Tx,
    mailboxes: HashMap<MailboxId, UserId>,
) -> Result<HashMap<MailboxId, Household>, StoreError> {
    if mailboxes.is_empty() {
        return Ok(HashMap::new());
    }
    let all = match tx.database() {
        Database::File(db) => list_on_file(db, &mailboxes).await?,
        Database::Server(db) => list_on_server(db, &mailboxes).await?,
    };
    let household = |(mailbox, user): (MailboxId, UserId)| {
        let addresses = all.addresses.iter().filter(|(owner, ..)| *owner == user);
        let addresses = addresses.map(|(_, address, aliases)| (address.clone(), aliases.clone()));
        let agents = all.agents.iter().filter(|agent| agent.mailbox_id == Some(mailbox));
        let ai_configurations = all.ai_configurations.iter().filter(|found| found.user_id == user);
        let household = Household {
            own_addresses: own_addresses::flatten(user, addresses.collect())?,
            agents: agents.cloned().collect(),
            ai_configurations: ai_configurations.cloned().collect(),
        };
        Ok((mailbox, household))
    };
    mailboxes.into_iter().map(household).collect()
}

async fn list_on_file(
    db: &mut SqliteConnection,
    mailboxes: &HashMap<MailboxId, UserId>,
) -> Result<Belongings, StoreError> {
    let of_owners = |statement| {
        let mut query = QueryBuilder::default();
        push_asked(&mut query, "owner", owners(mailboxes), |mut row, owner| {
            row.push_bind(owner);
        });
        query.push(statement);
        query
    };
    let mut agents = QueryBuilder::default();
    push_asked(&mut agents, "owner, mailbox", mailboxes, |mut row, (mailbox, owner)| {
        row.push_bind(owner).push_bind(mailbox);
    });
    agents.push(agents::SQLITE_LIST_OF_MAILBOXES);
    Ok(Belongings {
        addresses: of_owners(own_addresses::SQLITE_LIST_OF_ALL).build_query_as().fetch_all(&mut *db).await?,
        agents: agents.build_query_as().fetch_all(&mut *db).await?,
        ai_configurations: of_owners(ai_configurations::SQLITE_LIST_OF_ALL)
            .build_query_as()
            .fetch_all(&mut *db)
            .await?,
    })
}

fn owners(mailboxes: &HashMap<MailboxId, UserId>) -> Vec<UserId> {
    let mut owners: Vec<UserId> = mailboxes.values().copied().collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

// Rows of three kinds in one answer, since a way to a server and back costs more than what any of them does there.
const POSTGRES_BELONGINGS: &str = concat!(
    "SELECT *, COALESCE(agent_id, configuration_id) AS id, COALESCE(agent_owner, configuration_owner) AS user_id FROM (",
    agents_of_mailboxes!(),
    ") AS agent FULL JOIN (",
    configurations_of_users!(),
    ") AS configuration ON FALSE FULL JOIN (",
    addresses_of_users!(),
    ") AS own (address_owner, own_address, own_aliases) ON FALSE ORDER BY id"
);

async fn list_on_server(
    db: &mut PgConnection,
    mailboxes: &HashMap<MailboxId, UserId>,
) -> Result<Belongings, StoreError> {
    let (ids, of_ids): (Vec<MailboxId>, Vec<UserId>) = mailboxes.iter().unzip();
    let rows =
        sqlx::query(POSTGRES_BELONGINGS).bind(of_ids).bind(ids).bind(owners(mailboxes)).fetch_all(db).await?;
    let mut all = Belongings::default();
    for row in rows {
        if row.try_get::<Option<AgentId>, _>("agent_id")?.is_some() {
            all.agents.push(Agent::from_row(&row)?);
        } else if row.try_get::<Option<AiConfigurationId>, _>("configuration_id")?.is_some() {
            all.ai_configurations.push(AiConfiguration::from_row(&row)?);
        } else {
            let owner = row.try_get("address_owner")?;
            all.addresses.push((owner, row.try_get("own_address")?, row.try_get("own_aliases")?));
        }
    }
    Ok(all)
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    #[sqlx(flatten)]
    mailbox: mailboxes::Row,
    #[sqlx(flatten)]
    mail: Mail,
}

#[derive(sqlx::FromRow)]
struct Mail {
    message_id: MessageId,
    thread_id: ThreadId,
    message_uid_validity: Option<i64>,
    message_uid: Option<i64>,
    raw: Option<Vec<u8>>,
    truncated: bool,
    internal_date: Option<Timestamp>,
    received_at: Timestamp,
    authentication: Option<String>,
    suppressed: Option<Reason>,
    owner_name: String,
    has_history: bool,
    had_no_words: bool,
    reply_id: Option<String>,
    reply_recipient: Option<String>,
    reply_raw: Option<Vec<u8>>,
    reply_state: Option<OutboxState>,
    model: Option<String>,
    finish: Option<String>,
    body: Option<String>,
    edited: Option<bool>,
}

impl Mail {
    fn into_dossier(self, mailbox: Mailbox, household: Household) -> Dossier {
        let Household { own_addresses, agents, ai_configurations } = household;
        let reply = match (self.reply_id, self.reply_recipient, self.reply_state) {
            (Some(rfc_message_id), Some(recipient), Some(state)) => {
                let run_id = RunId::of(self.message_id);
                Some(OutboxMail { run_id, rfc_message_id, recipient, raw: self.reply_raw, state })
            }
            _ => None,
        };
        let completion = match (self.model, self.finish, self.edited) {
            (Some(model), Some(finish), Some(edited)) => {
                Some(StoredCompletion { model, finish, body: self.body, edited })
            }
            _ => None,
        };
        let message = Message {
            id: self.message_id,
            user_id: mailbox.user_id,
            mailbox_id: mailbox.id,
            thread_id: self.thread_id,
            uid_validity: self.message_uid_validity,
            uid: self.message_uid,
            raw: self.raw,
            truncated: self.truncated,
            internal_date: self.internal_date,
            received_at: self.received_at,
            authentication: self.authentication,
        };
        Dossier {
            message,
            has_history: self.has_history,
            had_no_words: self.had_no_words,
            mailbox,
            suppressed: self.suppressed,
            owner_name: self.owner_name,
            own_addresses,
            agents,
            ai_configurations,
            reply,
            completion,
        }
    }
}
