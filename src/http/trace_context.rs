//! The trace that a request belongs to, as its caller says by W3C Trace Context: its log lines carry the same id.

use axum::http::HeaderMap;

const HEADER: &str = "traceparent";
/// `version-trace-parent-flags` in hexadecimal digits.
const LENGTHS: [usize; 4] = [2, 32, 16, 2];

/// The id of the caller's trace, if the header is sound.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut parts = text.split('-');
    let fields = LENGTHS.map(|length| parts.next().filter(|part| part.len() == length && is_hex(part)));
    let [Some(version), Some(trace), Some(parent), Some(_flags)] = fields else { return None };
    let is_nothing = |id: &str| id.bytes().all(|byte| byte == b'0');
    // Version ff is forbidden; later versions may append fields.
    let sound =
        version != "ff" && !is_nothing(trace) && !is_nothing(parent) && (version != "00" || parts.next().is_none());
    sound.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_headers_name_a_trace() {
        let trace = |value: &str| {
            let headers = HeaderMap::from_iter([(HEADER.parse().unwrap(), value.parse().unwrap())]);
            trace_id(&headers).map(str::to_string)
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(trace(&format!("cc-{id}-00f067aa0ba902b7-01-more")).as_deref(), Some(id));
        for odd in [
            "",
            "00",
            &format!("ff-{id}-00f067aa0ba902b7-01"),
            &format!("00-{id}-00f067aa0ba902b7-01-more"),
            &format!("00-{id}-0000000000000000-01"),
            &format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        ] {
            assert_eq!(trace(odd), None, "{odd}");
        }
    }
}
