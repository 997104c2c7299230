#!/usr/bin/env python3
"""Writes what torch.save makes, for the tests of reading it, and the same values in safetensors (Debian's python3-torch 1.13).

    /usr/bin/python3 tests/Fixtures/pytorch/make.py
"""
import collections, importlib.util, json, os, pickle, struct, zipfile
import numpy as np, torch

here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("bert", os.path.join(here, "..", "onnx", "make.py"))
bert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bert)
TYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.uint8: "U8", torch.bool: "BOOL"}


def safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        value = value.detach().contiguous()
        raw = (value.view(torch.int16) if value.dtype == torch.bfloat16 else value).numpy().tobytes()
        header[name] = {"dtype": TYPES[value.dtype], "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


class Call:
    def __reduce__(self):
        return (os.system, ("echo called",))


torch.manual_seed(3)
base = torch.randn(6, 4)
cube = torch.randn(2, 3, 4)
views = collections.OrderedDict(
    plain=base, turned=base.t(), rows=base[1:4], columns=base[:, 1:3], step=base[::2, 3], permuted=cube.permute(2, 0, 1), scalar=torch.tensor(2.5), empty=torch.zeros(0, 3),
    half=torch.randn(3, 2).half(), brain=torch.randn(5).bfloat16(), double=torch.randn(2, 2).double(), count=torch.arange(10).expand(1, -1), flags=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.randn(2, 3)))
views._metadata = {"version": 1}
torch.save(views, os.path.join(here, "views.bin"))
safetensors(os.path.join(here, "views.safetensors"), views)
torch.save(views, os.path.join(here, "legacy.bin"), _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "state_dict": {"w": base}, "note": "text"}, os.path.join(here, "checkpoint.bin"))
torch.save({"w": base, "call": Call()}, os.path.join(here, "call.bin"))
torch.save([1, 2.5, None], os.path.join(here, "list.bin"))
with zipfile.ZipFile(os.path.join(here, "views.bin")) as source, zipfile.ZipFile(os.path.join(here, "compressed.bin"), "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        target.writestr(name, source.read(name))

os.makedirs(os.path.join(here, "bert"), exist_ok=True)
model = bert.prepared(bert.Bert())
torch.save(model.state_dict(), os.path.join(here, "bert", "pytorch_model.bin"))
config = {"model_type": "bert", "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, "hidden_act": "gelu", "max_position_embeddings": 10, "type_vocab_size": 2}
json.dump(config, open(os.path.join(here, "bert", "config.json"), "w"))

# As PEFT before 0.8 saved an adapter; the .safetensors beside it is what it saves since.
os.makedirs(os.path.join(here, "adapter"), exist_ok=True)
adapter = {}
for layer in range(2):
    place = f"base_model.model.bert.encoder.layer.{layer}.attention.self.query"
    adapter[f"{place}.lora_A.weight"], adapter[f"{place}.lora_B.weight"] = torch.randn(2, 8), torch.randn(8, 2)
adapter["base_model.model.classifier.weight"], adapter["base_model.model.classifier.bias"] = torch.randn(2, 8), torch.randn(2)
torch.save(adapter, os.path.join(here, "adapter", "adapter_model.bin"))
safetensors(os.path.join(here, "adapter", "expected.safetensors"), adapter)
config = {"base_model_name_or_path": "bert", "bias": "none", "fan_in_fan_out": False, "inference_mode": True, "init_lora_weights": True, "lora_alpha": 4, "lora_dropout": 0.0,
          "modules_to_save": ["classifier"], "peft_type": "LORA", "r": 2, "target_modules": ["query"], "task_type": "SEQ_CLS"}
json.dump(config, open(os.path.join(here, "adapter", "adapter_config.json"), "w"))
