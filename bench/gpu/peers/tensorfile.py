"""Reads a .safetensors file with numpy alone: 8 bytes of header length, a JSON header, raw little-endian data."""
import json
import struct

import numpy as np
import torch

DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "BOOL": np.bool_}


def load(path):
    """The tensors of the file, by name."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 8:
        raise ValueError(f"{path}: {len(data)} bytes is too short for a safetensors file")
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8:
        raise ValueError(f"{path}: the header says {length} bytes, the file has {len(data) - 8} after its length")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "BF16":  # the upper half of a float32
            values = (np.frombuffer(data[begin:end], np.uint16).astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] in DTYPES:
            values = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).copy()
        else:
            raise ValueError(f"{path}: tensor {name} has dtype {entry['dtype']}, expected BF16 or one of {sorted(DTYPES)}")
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors
