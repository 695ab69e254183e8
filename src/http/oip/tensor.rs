//! Tensors as they come: in JSON, flat or nested, or as bytes after it.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::bounded::{few, few_or_none, short, short_or_none};
use super::numbers::Numbers;
use super::{FLOAT, INPUT, OUTPUT};
use crate::http::error::ApiError;

/// Bytes of an FP32.
const FLOAT_BYTES: usize = 4;

/// What is to be judged.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InferenceRequest {
    /// Comes back in the answer.
    #[serde(default, deserialize_with = "short_or_none")]
    pub id: Option<String>,
    /// The only input.
    #[serde(deserialize_with = "few")]
    pub inputs: Vec<InputTensor>,
    /// What is wanted: `probabilities`, by default all there is.
    #[serde(default, deserialize_with = "few_or_none")]
    pub outputs: Vec<WantedOutput>,
    /// About the whole request.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: RequestParameters,
}

/// About the whole request.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct RequestParameters {
    /// Outputs are to come as bytes.
    #[serde(default, deserialize_with = "or_default")]
    pub binary_data_output: bool,
}

/// An output that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WantedOutput {
    /// `probabilities`.
    #[serde(deserialize_with = "short")]
    #[schema(example = "probabilities")]
    pub name: String,
    /// How it is wanted.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: OutputParameters,
}

/// How an output is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct OutputParameters {
    /// As bytes; by default as the whole request says.
    pub binary_data: Option<bool>,
}

/// Windows of features.
#[derive(Debug, Deserialize, ToSchema)]
pub struct InputTensor {
    /// `features`.
    #[serde(deserialize_with = "short")]
    #[schema(example = "features")]
    pub name: String,
    /// Windows, frames, columns.
    #[serde(deserialize_with = "few")]
    pub shape: Vec<usize>,
    /// `FP32`.
    #[serde(deserialize_with = "short")]
    #[schema(example = "FP32")]
    pub datatype: String,
    /// Numbers, row-major, flat or nested; unless they come as bytes.
    #[schema(value_type = Option<Vec<serde_json::Value>>)]
    pub data: Option<Numbers>,
    /// About this tensor.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: TensorParameters,
}

/// About a tensor.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct TensorParameters {
    /// Its length as bytes, which follow the JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary_data_size: Option<usize>,
}

/// `null` says nothing, as a missing member does.
fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl InferenceRequest {
    /// The numbers of the windows to be judged, one window of `frames` x `width` after the other; `binary` is what follows the
    /// JSON.
    pub(super) fn numbers(self, binary: &Bytes, frames: usize, width: usize) -> Result<Vec<f32>, ApiError> {
        let bad = |reason: String| ApiError::BadRequest(reason);
        let [input] = <[InputTensor; 1]>::try_from(self.inputs)
            .map_err(|inputs| bad(format!("there are {} inputs, `{INPUT}` alone is needed", inputs.len())))?;
        if input.name != INPUT || input.datatype != FLOAT {
            let (name, kind) = (&input.name, &input.datatype);
            return Err(bad(format!("the input is `{name}` of {kind}, `{INPUT}` of {FLOAT} is needed")));
        }
        if let Some(other) = self.outputs.iter().find(|output| output.name != OUTPUT) {
            return Err(bad(format!("there is no output `{}`, only `{OUTPUT}`", other.name)));
        }
        let shape = input.shape.clone();
        let wrong_shape = || bad(format!("shape {shape:?} does not fit: [windows, {frames}, {width}] is needed"));
        let [count, given_frames, given_width] = shape[..] else { return Err(wrong_shape()) };
        if count == 0 || (given_frames, given_width) != (frames, width) {
            return Err(wrong_shape());
        }
        let numbers = input.numbers(binary)?;
        let expected = count.checked_mul(frames * width);
        if expected != Some(numbers.len()) {
            return Err(bad(format!("shape {shape:?} does not fit {} numbers", numbers.len())));
        }
        if let Some(position) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(bad(format!("number {position} is not finite")));
        }
        Ok(numbers)
    }

    /// Whether the output is to come as bytes.
    pub(super) fn wants_bytes(&self) -> bool {
        let said = self.outputs.iter().find_map(|output| output.parameters.binary_data);
        said.unwrap_or(self.parameters.binary_data_output)
    }
}

impl InputTensor {
    fn numbers(self, binary: &Bytes) -> Result<Vec<f32>, ApiError> {
        let bad = |reason: &str| ApiError::BadRequest(reason.into());
        match (self.data, self.parameters.binary_data_size) {
            (Some(_), Some(_)) => Err(bad("the input has both data and binary_data_size")),
            (None, None) => Err(bad("the input has no data")),
            (None, Some(size)) if size != binary.len() || !size.is_multiple_of(FLOAT_BYTES) => {
                Err(bad("binary_data_size does not fit what follows the JSON"))
            }
            (None, Some(_)) => {
                Ok(binary.as_chunks::<FLOAT_BYTES>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
            }
            (Some(data), None) => Ok(data.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(request: serde_json::Value, binary: &'static [u8]) -> Result<Vec<f32>, ApiError> {
        let request: InferenceRequest =
            serde_json::from_value(request).map_err(|error| ApiError::BadRequest(error.to_string()))?;
        request.numbers(&Bytes::from_static(binary), 2, 1)
    }

    #[test]
    fn what_is_said_beside_the_numbers_is_short() {
        let request = |id: &str, shape: &str| {
            let input = format!(r#"{{"name": "features", "datatype": "FP32", "shape": [{shape}1], "data": []}}"#);
            serde_json::from_str::<InferenceRequest>(&format!(r#"{{"id": "{id}", "inputs": [{input}]}}"#))
        };
        assert_eq!(request("", "1,1,").unwrap().id.as_deref(), Some(""));
        for (id, shape) in [("x".repeat(2000), "1,".into()), ("x".into(), "1,".repeat(20))] {
            assert!(request(&id, &shape).unwrap_err().to_string().contains("at most"), "{id} {shape}");
        }
    }

    #[test]
    fn flat_nested_and_binary_tensors_are_the_same() {
        let input = |more: serde_json::Value| {
            let mut input = serde_json::json!({"name": "features", "datatype": "FP32", "shape": [1, 2, 1]});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::json!({"inputs": [input]})
        };
        let expected = [0.5, -2.0];
        assert_eq!(numbers(input(serde_json::json!({"data": [0.5, -2.0]})), b"").unwrap(), expected);
        assert_eq!(numbers(input(serde_json::json!({"data": [[[0.5], [-2.0]]]})), b"").unwrap(), expected);
        let bytes = b"\0\0\0\x3f\0\0\0\xc0";
        assert_eq!(
            numbers(input(serde_json::json!({"parameters": {"binary_data_size": 8}})), bytes).unwrap(),
            expected
        );
        for wrong in [
            serde_json::json!({"data": [0.5]}),
            serde_json::json!({"data": [0.5, "x"]}),
            serde_json::json!({"data": [0.5, 1e300]}),
            serde_json::json!({"data": [1, 2], "shape": [2, 1]}),
            serde_json::json!({"data": [1, 2], "shape": [usize::MAX, 2, 1]}),
            serde_json::json!({"data": [1, 2], "datatype": "INT8"}),
            serde_json::json!({"parameters": {"binary_data_size": 4}}),
            serde_json::json!({}),
        ] {
            assert!(numbers(input(wrong.clone()), bytes).is_err(), "{wrong}");
        }
    }
}
