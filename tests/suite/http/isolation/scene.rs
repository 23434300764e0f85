//! The people of the matrix, and what they have.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use postkey::store::{NewNotice, UserId};
use reqwest::Method;
use serde_json::{Value, json};

use super::credentials::Credentials;
use super::rows::{Row, Thing, carrying_a_key};
use crate::support::api::{Answered, PASSWORD, Service, Visitor, account};
use crate::support::database::TestDatabase;
use crate::support::openrouter::OpenRouter;
use crate::support::raw::execute;
use crate::support::wait::some;
use crate::support::world::letter;

const LONG: Duration = Duration::from_secs(60);

/// Somebody with an account.
pub struct Person {
    pub visitor: Visitor,
    pub email: String,
    pub refresh_token: String,
    pub user: String,
}

/// Who there is. The owner and the other one are both administrators, so that nothing but whose a thing is tells
/// them apart.
pub struct Scene<'d> {
    pub service: Service,
    /// Where the owner consents.
    openrouter: OpenRouter,
    pub owner: Person,
    pub other: Person,
    pub plain: Person,
    /// A token of a session of the owner's that was ended.
    pub revoked: String,
    /// A token of an account that was deleted.
    pub deleted: String,
    /// Keys and security tokens.
    pub credentials: Credentials,
    /// What whoever has no good token gets.
    pub unauthorized: Value,
    database: &'d TestDatabase,
    people: AtomicU32,
}

/// The owner's call of a row.
pub struct Call {
    /// The id of what it names, or of what its answer may tell of.
    pub thing: Option<String>,
    body: Option<Value>,
}

impl<'d> Scene<'d> {
    pub async fn open(database: &'d TestDatabase) -> Self {
        let openrouter = OpenRouter::start().await;
        let service = Service::start_with(database, |config| openrouter.stand_in(config)).await;
        let people = AtomicU32::new(0);
        let owner = settle(&service, &next_name(&people)).await;
        let other = settle(&service, &next_name(&people)).await;
        let plain = settle(&service, &next_name(&people)).await;
        let gone = settle(&service, &next_name(&people)).await;
        gone.visitor.post("/api/account/delete", json!({ "password": PASSWORD })).await.expect(204);
        let unauthorized = service.stranger().get("/api/auth/me").await.expect(401);
        let deleted = gone.visitor.token;
        let (revoked, credentials) = (String::new(), Credentials::default());
        let mut scene = Self {
            service,
            openrouter,
            owner,
            other,
            plain,
            revoked,
            deleted,
            credentials,
            unauthorized,
            database,
            people,
        };
        scene.promote().await;
        scene
    }

    /// Others in the places of the owner and the other one.
    pub async fn renew(&mut self) {
        self.owner = settle(&self.service, &self.fresh_name()).await;
        self.other = settle(&self.service, &self.fresh_name()).await;
        self.promote().await;
    }

    async fn promote(&mut self) {
        let (owner, other) = (&self.owner.email, &self.other.email);
        let statement = format!("UPDATE users SET role = 'admin' WHERE email IN ('{owner}', '{other}')");
        execute(self.database, &statement).await;
        execute(
            self.database,
            &format!("UPDATE users SET role = 'user' WHERE email = '{}'", self.plain.email),
        )
        .await;
        let second = self.sign_in(&self.owner).await;
        second.call(Method::POST, "/api/auth/logout", None).await.expect(204);
        self.revoked = second.token;
        self.credentials = Credentials::make(self).await;
    }

    async fn sign_in(&self, person: &Person) -> Visitor {
        let body = json!({ "email": person.email, "password": PASSWORD });
        let signed_in = self.service.stranger().post("/api/auth/login", body).await.expect(200);
        self.service.visitor(signed_in["token"].as_str().unwrap())
    }

    /// Of somebody who is not there yet.
    pub fn fresh_name(&self) -> String {
        next_name(&self.people)
    }

    /// An AI configuration that can be saved.
    pub fn ai_configuration(&self) -> Value {
        self.service.ai_configuration("a-key-of-the-matrix")
    }

    /// A platform API key that can be made.
    pub fn api_key(&self, scopes: &[&str]) -> Value {
        json!({ "name": self.fresh_name(), "scopes": scopes, "expiresAt": "never" })
    }

    /// The database behind the API.
    pub fn database(&self) -> &TestDatabase {
        self.database
    }

    /// Makes what the owner's call of a row needs.
    pub async fn prepare(&self, row: &Row) -> Call {
        let thing = self.make(row.thing).await;
        let body = (row.body)(self, &self.owner, thing.as_deref().unwrap_or_default());
        Call { thing, body }
    }

    async fn make(&self, thing: Thing) -> Option<String> {
        let owner = &self.owner.visitor;
        let made = match thing {
            Thing::None => return None,
            Thing::NoAiConfiguration => {
                self.clear_ai_configurations().await;
                return None;
            }
            Thing::AiConfiguration => {
                self.clear_ai_configurations().await;
                owner.post("/api/ai-config", self.ai_configuration()).await.expect(201)
            }
            Thing::Agent => {
                let mailbox = self.add_mailbox().await;
                self.add_agent(json!({ "mailboxId": mailbox["id"] })).await
            }
            Thing::Mailbox => self.add_mailbox().await,
            Thing::HeldRun => self.hold_a_run().await,
            Thing::DiscardedRun => {
                let run = self.hold_a_run().await;
                let discard = format!("/api/runs/{}/discard", run["id"].as_str().unwrap());
                owner.act(&discard).await.expect(200)
            }
            Thing::Consent => {
                self.clear_ai_configurations().await;
                let asked =
                    owner.post("/api/openrouter/connect", json!({ "headless": true })).await.expect(200);
                return Some(self.openrouter.consent(asked["authorize_url"].as_str().unwrap()));
            }
            Thing::Invite => owner.post("/api/invites", json!({})).await.expect(201),
            Thing::Notice => self.give_notice().await,
            Thing::ApiKey => owner.post("/api/v1/api-keys", self.api_key(&["usage:read"])).await.expect(201),
            Thing::SecurityToken => owner.post("/api/v1/security-tokens", carrying_a_key()).await.expect(201),
            Thing::Session => {
                self.sign_in(&self.owner).await;
                owner.get("/api/auth/sessions").await.expect(200)["items"][0].clone()
            }
        };
        Some(made["id"].as_str().unwrap().to_owned())
    }

    async fn add_agent(&self, settings: Value) -> Value {
        let mut agent = json!({ "name": self.fresh_name(), "type": "email_inbound" });
        agent.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self.owner.visitor.post("/api/automation/agents", agent).await.expect(201)
    }

    async fn add_mailbox(&self) -> Value {
        let mailbox = self.service.mailbox(&format!("{}@shop.test", self.fresh_name()));
        self.owner.visitor.post("/api/mailboxes", mailbox).await.expect(201)
    }

    /// A draft of the owner's that waits for approval: one that is there, or of a mail that has just come in.
    async fn hold_a_run(&self) -> Value {
        let owner = &self.owner.visitor;
        let held = async || {
            let held = owner.get("/api/runs?state=held").await.expect(200);
            held["items"].as_array().unwrap().first().cloned()
        };
        if let Some(run) = held().await {
            return run;
        }
        self.clear_ai_configurations().await;
        owner.post("/api/ai-config", self.ai_configuration()).await.expect(201);
        let mailbox = self.add_mailbox().await;
        self.add_agent(json!({ "mailboxId": mailbox["id"], "mode": "draft" })).await;
        let address = mailbox["address"].as_str().unwrap();
        self.service.imap.deliver(address, &letter(1, address));
        some("the run is held", LONG, held).await
    }

    async fn clear_ai_configurations(&self) {
        let owner = &self.owner.visitor;
        let listed = owner.get("/api/ai-config").await.expect(200);
        for item in listed["items"].as_array().unwrap() {
            owner.delete(&format!("/api/ai-config/{}", item["id"].as_str().unwrap())).await.expect(204);
        }
    }

    async fn give_notice(&self) -> Value {
        let user: UserId = self.owner.user.parse().unwrap();
        let cause = format!("test:{}", self.fresh_name());
        let notice = NewNotice { user, cause, kind: "mailbox_away", sentence: "Look at it.".into() };
        self.service.store.give_notice(notice).await.unwrap();
        self.owner.visitor.get("/api/notices").await.expect(200)["items"][0].clone()
    }
}

async fn settle(service: &Service, name: &str) -> Person {
    let account = account(name);
    let email = account["email"].as_str().unwrap().to_owned();
    let signed_up = service.stranger().post("/api/auth/signup", account).await.expect(201);
    let visitor = service.visitor(signed_up["token"].as_str().unwrap());
    let me = visitor.get("/api/auth/me").await.expect(200);
    let user = me["id"].as_str().unwrap().to_owned();
    Person { visitor, email, refresh_token: signed_up["refresh_token"].as_str().unwrap().to_owned(), user }
}

fn next_name(people: &AtomicU32) -> String {
    format!("person-{}-of-the-matrix", people.fetch_add(1, Ordering::Relaxed))
}

impl Call {
    /// The same about what is nobody's.
    pub fn with_unknown_id(&self) -> Self {
        let unknown = uuid::Uuid::from_bytes(rand::random()).to_string();
        Self { thing: Some(unknown), body: self.body.clone() }
    }

    /// Makes it as somebody.
    pub async fn send(&self, row: &Row, visitor: &Visitor) -> Answered {
        let path = row.path.replace("{id}", self.thing.as_deref().unwrap_or_default());
        visitor.call(row.method.parse().unwrap(), &path, self.body.clone()).await
    }
}
