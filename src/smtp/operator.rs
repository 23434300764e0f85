//! The operator's own way to send mail: one letter, one connection.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::connection::Connection;
use super::error::SmtpError;
use super::timeouts::Timeouts;
use crate::config::OperatorMail;
use crate::mail::Address;
use crate::net::{Dialler, Endpoint, Login, Security};

/// Sends the service's own letters.
pub struct OperatorPost {
    dialler: Arc<Dialler>,
    mail: OperatorMail,
    from: Address,
    timeouts: Timeouts,
}

impl OperatorPost {
    /// None where `from` is no address that mail can come from.
    pub fn new(dialler: Arc<Dialler>, mail: OperatorMail, timeouts: Timeouts) -> Option<Self> {
        let from = Address::parse(&mail.from)?;
        Some(Self { dialler, mail, from, timeouts })
    }

    /// The address that letters come from.
    pub fn from(&self) -> &Address {
        &self.from
    }

    /// Hands a letter over.
    ///
    /// # Errors
    /// Any [`SmtpError`]; after an ambiguous one the letter may have gone out.
    pub async fn send(&self, to: &Address, letter: &[u8]) -> Result<(), SmtpError> {
        let hello = self.from.domain();
        let opened =
            Connection::open(&self.dialler, &self.endpoint(), self.login(), &self.timeouts, hello).await?;
        let (connection, _) = opened.offer(&self.from, to).await?.deliver(letter).await?;
        connection.quit().await;
        Ok(())
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: self.mail.host.clone(),
            port: u16::try_from(self.mail.port).unwrap_or_default(),
            security: Security::from(self.mail.security),
            ca_pem: None,
        }
    }

    fn login(&self) -> Option<Login> {
        let (username, password) = self.mail.username.as_ref().zip(self.mail.password.as_ref())?;
        Some(Login::Password { username: username.clone(), password: password.expose_secret().into() })
    }
}
