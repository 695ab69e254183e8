//! Who may ask: API keys, kept as hashes alone.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::error::ApiError;
use crate::config::Security;

const KEY_HEADER: &str = "x-api-key";
const BEARER: &str = "bearer ";

/// A key's SHA-256. Keys are long and random, so that a slow password hash would add nothing.
type Hash = [u8; 32];

/// The keys that are let in; without any, everybody is.
#[derive(Debug)]
pub struct Keys {
    listed: Vec<Hash>,
    file: Option<PathBuf>,
    hashes: RwLock<Vec<Hash>>,
}

/// Who asks, as far as rates are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The holder of a key.
    Key(Hash),
    /// Somebody at an address, where no keys are set.
    Address(IpAddr),
    /// Somebody without one, as in tests without a socket.
    Unknown,
}

impl Keys {
    /// Hashes the keys of the settings and of their file.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no key.
    pub fn load(security: &Security) -> io::Result<Self> {
        let listed: Vec<Hash> =
            security.api_keys.iter().flat_map(|list| list.keys()).map(|key| hash(key.as_bytes())).collect();
        let keys = Self { listed, file: security.api_keys_file.clone(), hashes: RwLock::default() };
        keys.reload()?;
        Ok(keys)
    }

    /// Reads the file of keys again; the old keys stay if that fails.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no key.
    pub fn reload(&self) -> io::Result<()> {
        let mut hashes = self.listed.clone();
        if let Some(file) = &self.file {
            hashes.extend(read_file(file)?);
        }
        *self.hashes.write().unwrap_or_else(PoisonError::into_inner) = hashes;
        Ok(())
    }

    /// Whether a key is needed at all.
    pub fn are_set(&self) -> bool {
        !self.hashes.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Lets a request pass if it needs no key, or holds one of ours.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`].
    pub fn check(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Result<Caller, ApiError> {
        let hashes = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        if hashes.is_empty() {
            return Ok(address.map_or(Caller::Unknown, Caller::Address));
        }
        let given = hash(given_key(headers).ok_or(ApiError::Unauthorized)?);
        // Every key is compared to its last byte, so that the time tells nothing.
        let known = hashes.iter().fold(Choice::from(0), |known, hash| known | hash.ct_eq(&given));
        if bool::from(known) { Ok(Caller::Key(given)) } else { Err(ApiError::Unauthorized) }
    }
}

fn hash(key: &[u8]) -> Hash {
    Sha256::digest(key).into()
}

fn read_file(file: &Path) -> io::Result<Vec<Hash>> {
    let text = std::fs::read_to_string(file)?;
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let hashes: Vec<Hash> = lines.map(|line| hash(line.as_bytes())).collect();
    if hashes.is_empty() {
        // Without a key the service would be open to everybody, which nobody wants who names a file of keys.
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no key"));
    }
    Ok(hashes)
}

fn given_key(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get(KEY_HEADER).filter(|key| !key.is_empty()) {
        return Some(key.as_bytes());
    }
    let authorization = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, key) = authorization.split_at_checked(BEARER.len())?;
    scheme.eq_ignore_ascii_case(BEARER.as_bytes()).then_some(key.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Serve;

    fn keys(options: &[&str]) -> Keys {
        Keys::load(&Serve::with_options(options).unwrap().security).unwrap()
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn without_keys_everybody_may_ask() {
        assert_eq!(keys(&[]).check(&HeaderMap::new(), None).unwrap(), Caller::Unknown);
    }

    #[test]
    fn each_of_several_keys_opens_in_either_header() {
        let keys = keys(&["--api-keys", "first-key,second-key"]);
        for headers in [with("authorization", "Bearer first-key"), with("x-api-key", "second-key")] {
            assert!(keys.check(&headers, None).is_ok());
        }
        let mut both = with("authorization", "Bearer  first-key");
        both.extend(with("x-api-key", ""));
        assert!(keys.check(&both, None).is_ok(), "a header that says nothing, and two spaces");
        for headers in [
            HeaderMap::new(),
            with("authorization", "Bearer wrong"),
            with("authorization", "Basic first-key"),
            with("x-api-key", ""),
            with("x-api-key", "first-key,second-key"),
            with("x-api-key", "first-ke"),
        ] {
            assert!(keys.check(&headers, None).is_err(), "{headers:?}");
        }
        assert!(!format!("{keys:?}").contains("first-key"));
    }

    #[test]
    fn a_file_of_keys_can_change_and_a_broken_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        std::fs::write(&file, "# old\nold-key\n\n").unwrap();
        let keys = keys(&["--api-keys-file", file.to_str().unwrap()]);
        assert!(keys.check(&with("x-api-key", "old-key"), None).is_ok());
        assert!(keys.check(&with("x-api-key", "# old"), None).is_err());
        std::fs::write(&file, "\n").unwrap();
        assert!(keys.reload().is_err());
        assert!(keys.check(&with("x-api-key", "old-key"), None).is_ok());
        std::fs::write(&file, "new-key\n").unwrap();
        keys.reload().unwrap();
        assert!(keys.check(&with("x-api-key", "old-key"), None).is_err());
        assert!(keys.check(&with("x-api-key", "new-key"), None).is_ok());
    }
}
