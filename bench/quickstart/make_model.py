#!/usr/bin/env python3
"""Writes the quick-start model: deberta-v3-tiny-wiki in float16, without its masked-language-model head.

    python3 bench/quickstart/make_model.py <folder of deberta-v3-tiny-wiki> [output folder]

Python's own library only. Tensors keep the names and the order by name; float32 is rounded to nearest, ties to even.
"""
import json
import os
import shutil
import struct
import sys

COPIED = ["spm.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"]


def read(path):
    """The tensors of a safetensors file: name -> (dtype, shape, bytes)."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in header.items()}


def to_half(data):
    count = len(data) // 4
    return struct.pack("<%de" % count, *struct.unpack("<%df" % count, data))


def write(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in sorted(tensors.items()):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, (_, _, data) in sorted(tensors.items()):
            file.write(data)


def main():
    source = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    target = sys.argv[2] if len(sys.argv) > 2 else os.path.join(
        here, "..", "..", "src", "LoRA2.Native.Cli", "QuickStart", "deberta-v3-tiny-wiki")
    os.makedirs(target, exist_ok=True)
    tensors = {}
    for name, (dtype, shape, data) in read(os.path.join(source, "model.safetensors")).items():
        if not name.startswith("cls.predictions."):
            if dtype != "F32":
                sys.exit("%s has dtype %s, expected F32" % (name, dtype))
            tensors[name] = ("F16", shape, to_half(data))
    write(os.path.join(target, "model.safetensors"), tensors)
    with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["torch_dtype"] = "float16"
    with open(os.path.join(target, "config.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(config, indent=2) + "\n")
    for name in COPIED:
        shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


if __name__ == "__main__":
    main()
