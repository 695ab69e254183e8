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

    /// Address that alerts and summaries of live calls are POSTed to, signed by HMAC-SHA256 (standardwebhooks.com).
    #[arg(long, env = "EMOTONE_WEBHOOK", value_name = "URL", requires = "webhook_secret",
          value_parser = units::web_address)]
    pub webhook: Option<String>,

    /// Secret of that signature, as whsec_ and base64, or any text. Better in the environment than on the command line.
    #[arg(long, env = "EMOTONE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true,
          value_parser = unshown::<WebhookSecret>())]
    pub webhook_secret: Option<WebhookSecret>,

    /// Address and port on which Asterisk's AudioSocket is heard (TCP, without keys) [default: none].
    #[arg(long, env = "EMOTONE_AUDIOSOCKET_LISTEN", value_name = "ADDRESS", value_parser = units::address)]
    pub audiosocket_listen: Option<SocketAddr>,
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
    fn the_secret_is_not_shown_and_never_empty() {
        let secret: WebhookSecret = "hush".parse().unwrap();
        assert_eq!((secret.key(), format!("{secret:?}").as_str()), (&b"hush"[..], "a secret"));
        assert_eq!("whsec_aHVzaA==".parse::<WebhookSecret>().unwrap().key(), b"hush");
        for refused in ["", " ", "whsec_", "whsec_IA==", "whsec_!!!", "whsec_aHVzaA"] {
            assert!(refused.parse::<WebhookSecret>().is_err(), "{refused}");
        }
    }
}
