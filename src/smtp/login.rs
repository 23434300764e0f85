//! `AUTH` (RFC 4954); the caller has made sure that TLS is up, or that the operator allowed to go without.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::authentication::Mechanism;
use secrecy::ExposeSecret;

use super::connection::Connection;
use super::error::{Phase, SmtpError, SmtpErrorKind};
use crate::net::Login;

impl Connection {
    /// Logs in by the best way that the server offers.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<(), SmtpError> {
        let server = self.dialogue.server_info();
        let offers = |mechanism| server.supports_auth_mechanism(mechanism);
        match login {
            Login::Password { username, password } if offers(Mechanism::Plain) => {
                self.auth_plain(username, password.expose_secret()).await
            }
            Login::Password { username, password } if offers(Mechanism::Login) => {
                self.auth_login(username, password.expose_secret()).await
            }
            Login::Xoauth2 { username, access_token } if offers(Mechanism::Xoauth2) => {
                self.auth_xoauth2(username, access_token.expose_secret()).await
            }
            _ => Err(self.failed(Phase::Login, SmtpErrorKind::NotOffered)),
        }
    }

    /// RFC 4616.
    async fn auth_plain(&mut self, username: &str, password: &str) -> Result<(), SmtpError> {
        let proof = STANDARD.encode(format!("\0{username}\0{password}"));
        self.command(Phase::Login, 2, format!("AUTH PLAIN {proof}\r\n")).await.map(drop)
    }

    async fn auth_login(&mut self, username: &str, password: &str) -> Result<(), SmtpError> {
        // The prompts are `Username:` and `Password:` in all languages and spellings; only their order is sure.
        self.command(Phase::Login, 3, "AUTH LOGIN\r\n").await?;
        self.command(Phase::Login, 3, format!("{}\r\n", STANDARD.encode(username))).await?;
        self.command(Phase::Login, 2, format!("{}\r\n", STANDARD.encode(password))).await.map(drop)
    }

    /// EM-102: a refused token comes back as a challenge, whose empty answer brings the real reply.
    async fn auth_xoauth2(&mut self, username: &str, token: &str) -> Result<(), SmtpError> {
        let proof = STANDARD.encode(format!("user={username}\x01auth=Bearer {token}\x01\x01"));
        match self.command(Phase::Login, 2, format!("AUTH XOAUTH2 {proof}\r\n")).await {
            Err(error) if self.seen.marks().reply.is_some_and(|(code, _)| code == 334) => {
                self.command(Phase::Login, 2, "\r\n").await.map(drop).map_err(|refused| match refused.kind {
                    SmtpErrorKind::Protocol => error,
                    _ => refused,
                })
            }
            other => other.map(drop),
        }
    }
}
