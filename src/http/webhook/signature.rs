//! The signature of an event: HMAC-SHA256 over its id, its time and its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::WebhookSecret;

/// The header `webhook-signature`: `v1,` and the base64 of HMAC-SHA256(secret, `{id}.{timestamp}.{body}`).
pub fn signature(secret: &WebhookSecret, id: &str, timestamp: u64, body: &[u8]) -> String {
    // HMAC takes keys of any length, so that there is no other case.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.key()) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks libraries' tests.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_may_be_any_text() {
        let signatures = ["one", "other"].map(|text| signature(&text.parse().unwrap(), "id", 1, b"{}"));
        assert_ne!(signatures[0], signatures[1]);
        assert!(signatures.iter().all(|signature| signature.len() == 47));
    }
}
