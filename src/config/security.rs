//! Who may ask, and how often.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::secret::unshown;

/// Keys, rates, certificates, origins.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Security")]
pub struct Security {
    /// API keys, separated by commas; without any, everybody may ask. Better in the environment than on the command line.
    #[arg(long, env = "EMOTONE_API_KEYS", value_name = "KEYS", hide_env_values = true,
          value_parser = unshown::<ApiKeyList>())]
    pub api_keys: Option<ApiKeyList>,

    /// File of API keys, one a line; empty lines and lines that begin with # do not count. Read again on SIGHUP.
    #[arg(long, env = "EMOTONE_API_KEYS_FILE", value_name = "FILE")]
    pub api_keys_file: Option<PathBuf>,

    /// Requests a minute for each key, or for each address where there are no keys; 0 sets no limit, more get 429.
    #[arg(long, env = "EMOTONE_RATE_LIMIT_PER_MINUTE", value_name = "REQUESTS", default_value_t = 0)]
    pub rate_limit_per_minute: u32,

    /// Certificate chain in PEM; with it, the server speaks TLS. Read again when the file changes.
    #[arg(long, env = "EMOTONE_TLS_CERT_FILE", value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,

    /// Private key of the certificate in PEM.
    #[arg(long, env = "EMOTONE_TLS_KEY_FILE", value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,

    /// Origins whose pages may call this service from a browser, separated by commas, or * for all [default: none].
    #[arg(long, env = "EMOTONE_CORS_ALLOW_ORIGIN", value_name = "ORIGINS", value_delimiter = ',',
          value_parser = origin)]
    pub cors_allow_origin: Vec<String>,
}

fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_origin =
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '?', '#', '*']) && host.is_ascii());
    if text == "*" || is_origin {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("is no origin like https://example.org".into())
    }
}

/// API keys as they were typed; never shown.
#[derive(Clone)]
pub struct ApiKeyList(Vec<String>);

impl ApiKeyList {
    /// The keys in plain text.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for ApiKeyList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let keys: Vec<String> = text.split(',').map(|key| key.trim().to_string()).collect();
        // An empty variable would open the service to everybody, most likely because a secret is missing.
        if keys.iter().any(String::is_empty) {
            return Err("holds an empty key".into());
        }
        Ok(Self(keys))
    }
}

impl fmt::Debug for ApiKeyList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} keys", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown_and_never_empty() {
        let list: ApiKeyList = "one-key, another".parse().unwrap();
        assert_eq!(list.keys().collect::<Vec<_>>(), ["one-key", "another"]);
        assert_eq!(format!("{list:?}"), "2 keys");
        assert!("".parse::<ApiKeyList>().is_err());
        assert!("key,".parse::<ApiKeyList>().is_err());
    }
}
