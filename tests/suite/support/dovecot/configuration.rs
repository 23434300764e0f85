//! The files that a private Dovecot reads, and as whom its processes run.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PASSWORD, Ports};
use crate::support::certificate::Certificate;

/// As whom Dovecot's processes run.
pub struct Identity {
    /// The owner of the mail.
    pub uid: u32,
    pub gid: u32,
    /// Names for the processes without mail and for those that face the network.
    internal: String,
    login: String,
    group: String,
}

impl Identity {
    /// As root, the users that Debian's package made, and `nobody` for the mail; else the present user for all.
    pub fn find() -> Self {
        if id(&["-u"]) == "0" {
            let (uid, gid) = (id(&["-u", "nobody"]), id(&["-g", "nobody"]));
            return Self {
                uid: uid.parse().unwrap(),
                gid: gid.parse().unwrap(),
                internal: "dovecot".to_owned(),
                login: "dovenull".to_owned(),
                group: "dovecot".to_owned(),
            };
        }
        let name = id(&["-un"]);
        Self {
            uid: id(&["-u"]).parse().unwrap(),
            gid: id(&["-g"]).parse().unwrap(),
            internal: name.clone(),
            login: name,
            group: id(&["-gn"]),
        }
    }
}

fn id(arguments: &[&str]) -> String {
    let output = Command::new("id").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The user's home folder.
pub fn home(folder: &Path, user: &str) -> PathBuf {
    folder.join("mail").join(user)
}

/// The password file and an empty Maildir for each user.
pub fn write_users(folder: &Path, users: &[&str], identity: &Identity) {
    let mut lines = String::new();
    for user in users {
        let home = home(folder, user);
        for part in ["Maildir/tmp", "Maildir/new", "Maildir/cur"] {
            std::fs::create_dir_all(home.join(part)).unwrap();
        }
        for made in ["", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"] {
            chown(home.join(made), Some(identity.uid), Some(identity.gid)).unwrap();
        }
        lines +=
            &format!("{user}:{{PLAIN}}{PASSWORD}:{}:{}::{}::\n", identity.uid, identity.gid, home.display());
    }
    std::fs::write(folder.join("users"), lines).unwrap();
}

/// `dovecot.conf` for Dovecot 2.3 and what it names.
pub fn write(folder: &Path, ports: Ports, certificate: &Certificate, identity: &Identity) {
    std::fs::write(folder.join("certificate.pem"), certificate.certificate_pem()).unwrap();
    std::fs::write(folder.join("key.pem"), certificate.key_pem()).unwrap();
    let Identity { internal, login, group, .. } = identity;
    let (here, imap, imaps) = (folder.display(), ports.imap, ports.imaps);
    // An ordinary user can neither chroot nor raise limits, and no test needs either.
    let text = format!(
        "protocols = imap
listen = 127.0.0.1
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/dovecot.log
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 1M
auth_failure_delay = 0
mail_location = maildir:~/Maildir
mail_save_crlf = yes
mail_max_userip_connections = 1000
ssl = yes
ssl_cert = <{here}/certificate.pem
ssl_key = <{here}/key.pem
passdb {{
  driver = passwd-file
  args = username_format=%u {here}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {here}/users
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"
    );
    std::fs::write(folder.join("dovecot.conf"), text).unwrap();
}
