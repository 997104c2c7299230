"""LoRA in plain PyTorch, op for op as PEFT 0.6 runs it."""
import math

import torch
from torch import nn


class LoraLinear(nn.Linear):
    """W x + b + scale * B A dropout(x). A starts Kaiming-uniform, B zero."""

    def __init__(self, base, rank, alpha, dropout):
        super().__init__(base.in_features, base.out_features)
        self.weight, self.bias = base.weight, base.bias
        self.lora_dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.lora_A = nn.Linear(base.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, base.out_features, bias=False)
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x):
        previous = x.dtype
        result = nn.functional.linear(x, self.weight, self.bias)
        x = x.to(self.lora_A.weight.dtype)
        result += self.lora_B(self.lora_A(self.lora_dropout(x))) * self.scale
        return result.to(previous)  # under autocast PEFT hands the float32 of its input on


def attach(model, rank=8, alpha=16, dropout=0.0):
    """Puts an adapter on every matrix named by model.targets (by suffix, as PEFT matches); freezes all the rest but the
    classifier."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and any(name == t or name.endswith("." + t) for t in model.targets):
            owner, _, child = name.rpartition(".")
            parent = model.get_submodule(owner)
            adapted = LoraLinear(module, rank, alpha, dropout)
            if isinstance(parent, nn.ModuleDict):
                parent[child] = adapted
            else:
                setattr(parent, child, adapted)
    for parameter in model.classifier.parameters():
        parameter.requires_grad_(True)
    return model


def peft_name(name):
    """PEFT's name of a trained parameter, as its gradients are stored."""
    if name.startswith("classifier."):
        return "base_model.model.classifier.modules_to_save.default." + name[len("classifier."):]
    return "base_model.model." + name.replace(".lora_A.", ".lora_A.default.").replace(".lora_B.", ".lora_B.default.")
