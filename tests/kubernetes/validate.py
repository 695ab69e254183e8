"""Checks rendered manifests on stdin: the cluster's own kinds against its published schemas (package `kubernetes-validate`),
others against the shapes below, and all of them against what makes a pod of ours a good one.

    kubectl kustomize deploy/kubernetes/base | python3 tests/kubernetes/validate.py
"""

import sys

import jsonschema
import kubernetes_validate
import yaml

VERSION = "1.33"
GOODBYES_SECONDS = 3


def shape(required, **properties):
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


TEXT, COUNT, FLAG, ANYTHING = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}, {}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
FORMAT = shape(["name"], name=TEXT, version=TEXT, autoSelect=FLAG)

# The parts that are used here of kinds that come from elsewhere, as their API references describe them.
CUSTOM = {
    "monitoring.coreos.com/v1/ServiceMonitor": shape(
        ["selector", "endpoints"],
        selector=shape(["matchLabels"], matchLabels={"type": "object"}),
        endpoints={"type": "array", "minItems": 1, "items": shape(["port"], port=TEXT, interval={"pattern": r"^\d+s$"}, path=TEXT)},
    ),
    "serving.kserve.io/v1alpha1/ServingRuntime": shape(
        ["supportedModelFormats", "containers"],
        supportedModelFormats={"type": "array", "items": FORMAT, "minItems": 1},
        protocolVersions={"type": "array", "items": {"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]}},
        multiModel=FLAG,
        containers={"type": "array", "minItems": 1, "items": ANYTHING},
    ),
    "serving.kserve.io/v1beta1/InferenceService": shape(
        ["predictor"],
        predictor=shape(
            ["model"],
            minReplicas=COUNT,
            maxReplicas=COUNT,
            scaleMetric={"enum": ["concurrency", "rps", "cpu", "memory"]},
            scaleTarget=COUNT,
            timeout=COUNT,
            model=shape(
                ["modelFormat", "storageUri"],
                runtime=TEXT,
                modelFormat=shape(["name"], name=TEXT, version=TEXT),
                protocolVersion={"enum": ["v1", "v2"]},
                storageUri={"pattern": "^(pvc|s3|gs|https?|hf)://"},
            ),
        ),
    ),
}


def validate(document):
    kind = f"{document['apiVersion']}/{document['kind']}"
    if kind in CUSTOM:
        whole = shape(["apiVersion", "kind", "metadata", "spec"], apiVersion=TEXT, kind=TEXT, metadata=ANYTHING, spec=CUSTOM[kind])
        jsonschema.validate(document, whole)
        # Their containers are pods' containers.
        if containers := document["spec"].get("containers"):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": containers}}
            kubernetes_validate.validate(pod, VERSION, strict=True)
    else:
        kubernetes_validate.validate(document, VERSION, strict=True)


def pod_of(document):
    """The pod template, if any; a runtime of KServe is one but for its name."""
    if document["kind"] == "ServingRuntime":
        return document["spec"]
    return document["spec"].get("template", {}).get("spec") if document["kind"] in ("Deployment", "Job") else None


def check_pod(name, pod):
    """The pod security standard `restricted`, and what it does not ask for."""
    for container in pod["containers"]:
        context = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsNonRoot"] and context["runAsUser"] > 0, f"{name} runs as root"
        assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}, name
        assert context["seccompProfile"]["type"] == "RuntimeDefault", name
        assert context["readOnlyRootFilesystem"] is True, f"{name} has a root that can be written to"
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]) and "memory" in resources["limits"], name
        assert not any(volume.get("hostPath") for volume in pod.get("volumes", [])), name


def check_deployment(document, settings):
    pod = document["spec"]["template"]["spec"]
    container = pod["containers"][0]
    drain = float(settings.get("EMOTONE_DRAIN_SECONDS", 30))
    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + drain + GOODBYES_SECONDS
    assert pod["terminationGracePeriodSeconds"] >= needed, f"killed before the {needed} s that ending may take"
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in ports, probe


def main():
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    assert documents, "nothing was rendered"
    settings = {}
    for document in documents:
        if document["kind"] == "ConfigMap":
            settings |= document["data"]
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        try:
            validate(document)
        except Exception as problem:  # Each library has its own; all of them mean the same here.
            sys.exit(f"{name}: {getattr(problem, 'message', problem)}")
        if pod := pod_of(document):
            check_pod(name, pod)
        if document["kind"] == "Deployment":
            check_deployment(document, settings)
        print(f"{name} is valid")
    kinds = {document["kind"] for document in documents}
    if "Deployment" in kinds:
        wanted = {"Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}
        assert wanted <= kinds, f"there is no {wanted - kinds}"


main()
