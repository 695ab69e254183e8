//! Numbers with units, as people type them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

const LONGEST_SECONDS: f64 = 7.0 * 24.0 * 3600.0;

/// Seconds above 0, with or without a fraction.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    match seconds_or_none(text)? {
        Duration::ZERO => Err("must be above 0 seconds".into()),
        duration => Ok(duration),
    }
}

/// Seconds, 0 included.
pub(super) fn seconds_or_none(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "is not a number of seconds".to_string())?;
    if !(0.0..=LONGEST_SECONDS).contains(&number) {
        return Err(format!("must be between 0 and {LONGEST_SECONDS:.0} seconds"));
    }
    Ok(Duration::from_secs_f64(number))
}

/// Whole milliseconds, 0 included.
pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "is not a whole number of milliseconds".into())
}

/// Seconds of sound above 0.
pub(super) fn audio_seconds(text: &str) -> Result<f64, String> {
    seconds(text).map(|duration| duration.as_secs_f64())
}

/// `IP:PORT`, `localhost:PORT`, or `:PORT` for every IPv4 address of the machine.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let named = text.strip_prefix("localhost:").map(|port| (Ipv4Addr::LOCALHOST, port));
    let any = text.strip_prefix(':').map(|port| (Ipv4Addr::UNSPECIFIED, port));
    let parsed = match named.or(any) {
        Some((ip, port)) => port.parse().ok().map(|port: u16| SocketAddr::from((ip, port))),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| "is not an address like 127.0.0.1:8080".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_positive_finite_and_bounded() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        for nonsense in ["0", "-1", "NaN", "inf", "1e99", "ten", ""] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
        assert_eq!(seconds_or_none("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn addresses_are_given_by_number_or_as_localhost() {
        assert_eq!(address("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(address(":8080").unwrap().to_string(), "0.0.0.0:8080");
        assert_eq!(address("[::1]:9").unwrap().to_string(), "[::1]:9");
        assert!(address("nowhere").is_err());
    }
}
