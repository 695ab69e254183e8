//! Live calls.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::units;
use crate::call::AlertRule;

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
    #[arg(long, env = "EMOTONE_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub webhook_secret: Option<WebhookSecret>,

    /// Address and port on which Asterisk's AudioSocket is heard (TCP, without keys) [default: none].
    #[arg(long, env = "EMOTONE_AUDIOSOCKET_LISTEN", value_name = "ADDRESS", value_parser = units::address)]
    pub audiosocket_listen: Option<SocketAddr>,
}

/// A secret as it was typed; never shown.
#[derive(Clone)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// The secret in plain text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebhookSecret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An empty variable would sign with a key that everybody knows.
        if text.trim().is_empty() {
            return Err("is empty".into());
        }
        Ok(Self(text.to_string()))
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
        assert_eq!((secret.as_str(), format!("{secret:?}").as_str()), ("hush", "a secret"));
        assert!(" ".parse::<WebhookSecret>().is_err());
    }
}
