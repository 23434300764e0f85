//! URLs that users enter, told at once what the guard would refuse at every call (SR-58).

use url::Url;

use super::guard::{Guard, Use};
use super::host::Host;
use super::mail_server::not_public;

impl Guard {
    /// A URL that may be asked: https on the usual port, or what the operator listed.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that begins with its name.
    pub fn parse_web_url(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text)
            .map_err(|_| "must be a URL, such as \"https://llm.example.com/v1\"".to_owned())?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let Some((host, port)) = host.zip(url.port_or_known_default()) else {
            return Err("must begin with https://".to_owned());
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user or a password".to_owned());
        }
        if self.is_private_endpoint(host, port) {
            return Ok(url);
        }
        match Host::of_url(&url) {
            Err(_) => return Err("must have a host name, as in \"https://llm.example.com/v1\"".to_owned()),
            Ok(named) if named.is_private_address() => return Err(not_public(host, port)),
            Ok(_) => {}
        }
        if url.scheme() != "https" {
            return Err(format!(
                "must begin with https:// (http:// is only for hosts that the operator listed; {host}:{port} is \
                 not in network.private_endpoints)"
            ));
        }
        if !Use::Provider.allows(port) {
            return Err(format!("must use port 443 ({host}:{port} is not in network.private_endpoints)"));
        }
        Ok(url)
    }

    /// The base URL of a model's interface, in its one form: without a slash at its end.
    ///
    /// # Errors
    /// As [`Guard::parse_web_url`]; a base URL also ends with its path.
    pub fn parse_base_url(&self, text: &str) -> Result<String, String> {
        let url = self.parse_web_url(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must end with its path, without ? and #".to_owned());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}
