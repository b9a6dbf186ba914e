"""What stands beside a cached engine: what it was built from and for, as one strict JSON document."""

import hashlib

import msgspec
from msgspec.structs import asdict

from osscl.backends.tensorrt.layers import Layer
from osscl.backends.tensorrt.options import BuildOptions
from osscl.config import Settings
from osscl.model_file.decisions import Sha256
from osscl.model_file.manifest import Precision
from osscl.support.strict_json import decode_strictly

SCHEMA_VERSION = 1
_RECORDED_ONLY = {"driver_version"}  # an engine outlives the driver it was built under


class EngineFacts(Settings, frozen=True, kw_only=True):
    """What decides whether an engine serves.

    Attributes
    ----------
    graph_sha256 : str
        Hash of the graph it computes.
    precision : str
        The graph's precision.
    tensorrt_version : str
        TensorRT that built it; another one does not load it.
    compute_capability : str
        Architecture of the card it was built on, such as "9.0".
    device_name : str
        Model of that card; another one of the same architecture would run it, by kernels not chosen for it.
    driver_version : str
        Driver it was built under; only recorded.
    options : BuildOptions
        What it was built for.
    """

    graph_sha256: Sha256
    precision: Precision
    tensorrt_version: str
    compute_capability: str
    device_name: str
    driver_version: str
    options: BuildOptions

    @property
    def key(self) -> str:
        """Name of the engine in a cache, 32 hexadecimal digits."""
        deciding = {name: value for name, value in asdict(self).items() if name not in _RECORDED_ONLY}
        document = msgspec.json.encode([SCHEMA_VERSION, deciding], order="sorted")
        return hashlib.sha256(document).hexdigest()[:32]


class Sidecar(Settings, frozen=True, kw_only=True):
    """Everything known of a cached engine.

    Attributes
    ----------
    schema_version : int
        Of this document.
    facts : EngineFacts
        What it was built from and for.
    plan_sha256 : str
        Hash of the engine.
    built_at : str
        When, ISO 8601 in UTC.
    layers : tuple of Layer
        Layers that compute the graph's heavy nodes, with their types.
    """

    schema_version: int
    facts: EngineFacts
    plan_sha256: Sha256
    built_at: str
    layers: tuple[Layer, ...]


def encode_sidecar(sidecar: Sidecar) -> bytes:
    """Write the document, indented for people."""
    return msgspec.json.format(msgspec.json.encode(sidecar)) + b"\n"


def decode_sidecar(document: bytes) -> Sidecar:
    """Read the document.

    Parameters
    ----------
    document : bytes
        JSON, UTF-8.

    Returns
    -------
    Sidecar
        What it says.

    Raises
    ------
    ValueError
        It is not JSON, is of another schema, or has a missing, unknown or repeated field or a wrong type.
    """
    sidecar = decode_strictly(document, Sidecar)
    if sidecar.schema_version != SCHEMA_VERSION:
        raise ValueError(f"schema {sidecar.schema_version}, this osscl writes {SCHEMA_VERSION}")
    return sidecar
