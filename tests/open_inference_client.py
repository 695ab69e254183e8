"""Asks a server by the Open Inference Protocol, with the client that Triton's authors wrote (package `tritonclient[http]`).

    python3 tests/open_inference_client.py HOST:PORT MODEL FEATURES.f32 FRAMES COLUMNS

Prints the probabilities of each window as JSON: once from tensors as bytes, once from tensors in JSON.
"""

import json
import sys

import numpy
import tritonclient.http as triton

address, model, file, frames, columns = sys.argv[1:]
client = triton.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
assert client.get_server_metadata()["name"] == "emotone"
metadata = client.get_model_metadata(model)
tensor, result = metadata["inputs"][0], metadata["outputs"][0]
features = numpy.fromfile(file, "<f4").reshape(-1, int(frames), int(columns))
answers = {}
for way in ("binary", "json"):
    given = triton.InferInput(tensor["name"], features.shape, tensor["datatype"])
    given.set_data_from_numpy(features, binary_data=way == "binary")
    wanted = triton.InferRequestedOutput(result["name"], binary_data=way == "binary")
    answers[way] = client.infer(model, [given], outputs=[wanted]).as_numpy(result["name"]).tolist()
print(json.dumps(answers))
