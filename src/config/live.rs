//! Live calls.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::secret::unshown;
use super::units;
use crate::call::AlertRule;

/// What a base64 secret begins with.
const BASE64_PREFIX: &str = "whsec_";

/// Live calls and their alerts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Live calls")]
pub struct Live {
    /// Longest time without a frame, and longest time that a caller may leave ours unread, in seconds; then the call is
    /// ended.
    #[arg(long, env = "EMOTONE_STREAM_IDLE_SECONDS", value_name = "SECONDS", default_value = "30",
          value_parser = units::seconds)]
    pub stream_idle_seconds: Duration,

    /// Longest live call, in seconds.
    #[arg(long, env = "EMOTONE_MAX_CALL_SECONDS", value_name = "SECONDS", default_value = "14400",
          value_parser = units::seconds)]
    pub max_call_seconds: Duration,

    /// Alert rule for every live call, as EMOTION:THRESHOLD:SECONDS[:CHANNEL], such as angry:0.6:3:inbound; several are
    /// separated by commas.
    #[arg(long, env = "EMOTONE_ALERT", value_name = "RULE", value_delimiter = ',')]
    pub alert: Vec<AlertRule>,

    /// Address that alerts and summaries of live calls are POSTed to, signed by HMAC-SHA256 (standardwebhooks.com). What it
    /// says before an @ (USER:PASSWORD, percent-encoded) is sent as HTTP Basic; better in the environment then.
    #[arg(long, env = "EMOTONE_WEBHOOK", value_name = "URL", hide_env_values = true, requires = "webhook_secret",
          value_parser = unshown::<WebhookAddress>())]
    pub webhook: Option<WebhookAddress>,

    /// Secret of that signature, as whsec_ and base64, or any text. Better in the environment than on the command line.
    #[arg(long, env = "EMOTONE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true,
          value_parser = unshown::<WebhookSecret>())]
    pub webhook_secret: Option<WebhookSecret>,

    /// Address and port on which Asterisk's AudioSocket is heard (TCP, without keys) [default: none].
    #[arg(long, env = "EMOTONE_AUDIOSOCKET_LISTEN", value_name = "ADDRESS", value_parser = units::address)]
    pub audiosocket_listen: Option<SocketAddr>,
}

/// Where the webhook is, with what it takes to be let in there; shown without that.
#[derive(Clone)]
pub struct WebhookAddress(Arc<str>);

impl WebhookAddress {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookAddress {
    type Err = String;

    /// What begins as an address on the web.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_address = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(' '));
        if is_address { Ok(Self(text.into())) } else { Err("is no address like https://example.org/hook".into()) }
    }
}

impl fmt::Display for WebhookAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To the last @, for a password that is not encoded may hold anything.
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => write!(formatter, "{scheme}://***@{rest}"),
            _ => formatter.write_str(&self.0),
        }
    }
}

impl fmt::Debug for WebhookAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The key that the webhook shares with its receiver; never shown.
#[derive(Clone)]
pub struct WebhookSecret(Arc<[u8]>);

impl WebhookSecret {
    /// The key itself.
    pub fn key(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = String;

    /// `whsec_` and base64, or any other text as it is.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let key = match text.strip_prefix(BASE64_PREFIX) {
            // Taken as text, it would sign with a key that no receiver expects.
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| "is not base64 after whsec_".to_string())?,
            None => text.as_bytes().to_vec(),
        };
        // An empty variable would sign with a key that everybody knows.
        if key.trim_ascii().is_empty() { Err("is empty".into()) } else { Ok(Self(key.into())) }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_in_at_the_webhook_is_not_shown() {
        let shown = |text: &str| text.parse::<WebhookAddress>().map(|address| format!("{address} {address:?}"));
        let hidden = "https://***@example.org/hook";
        assert_eq!(shown("https://me:hu@sh@example.org/hook").unwrap(), format!("{hidden} {hidden}"));
        assert_eq!(shown("http://localhost:1/").unwrap(), "http://localhost:1/ http://localhost:1/");
        for refused in
            ["", "me:hush@example.org", "ftp://me:hush@example.org", "https:///hook", "http://", "/hook", "http://a b"]
        {
            assert!(!shown(refused).unwrap_err().contains("hush"), "{refused}");
        }
    }

    #[test]
    fn the_secret_is_not_shown_and_never_empty() {
        let secret: WebhookSecret = "hush".parse().unwrap();
        assert_eq!((secret.key(), format!("{secret:?}").as_str()), (&b"hush"[..], "a secret"));
        assert_eq!("whsec_aHVzaA==".parse::<WebhookSecret>().unwrap().key(), b"hush");
        for refused in ["", " ", "whsec_", "whsec_IA==", "whsec_!!!", "whsec_aHVzaA"] {
            assert!(refused.parse::<WebhookSecret>().is_err(), "{refused}");
        }
    }
}
