"""Builds the peer's model: from a HuggingFace folder, or from a shape with random weights."""
import json
import os

from torch import nn

import tensorfile
from deberta import DebertaV3Classifier
from roberta import RobertaClassifier

CLASSES = {"deberta-v2": DebertaV3Classifier, "roberta": RobertaClassifier}


def build(config, labels=2):
    """A model of random weights, initialised as HuggingFace does: N(0, 0.02), biases and the padding row zero."""
    if config["model_type"] not in CLASSES:
        raise ValueError(f"model_type is {config['model_type']!r}, expected one of {sorted(CLASSES)}")
    model = CLASSES[config["model_type"]](config, labels)
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(0.0, config.get("initializer_range", 0.02))
        if isinstance(module, nn.Linear):
            module.bias.data.zero_()
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            module.weight.data[module.padding_idx].zero_()
    return model


def load(folder, labels=2, head=None, **overrides):
    """The model of a HuggingFace folder; head is a second file laid over it. A file without a classifier (a pretrained
    encoder) leaves the head random; any other missing tensor is an error."""
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        config = {**json.load(file), **overrides}
    model = build(config, labels)
    tensors = tensorfile.load(os.path.join(folder, "model.safetensors"))
    if head is not None:
        tensors.update(tensorfile.load(head))
    missing, _ = model.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.startswith(("classifier.", "pooler."))]
    if missing:
        raise ValueError(f"{folder}: model.safetensors lacks {', '.join(missing)}")
    return model


def shape(model, layers, hidden, intermediate, heads, vocabulary, dropout):
    """The config.json of a DeBERTa-v3 ("deberta") or RoBERTa ("roberta") of this shape."""
    config = dict(num_hidden_layers=layers, hidden_size=hidden, intermediate_size=intermediate, hidden_act="gelu",
                  num_attention_heads=heads, vocab_size=vocabulary, initializer_range=0.02,
                  hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    if model == "roberta":
        return dict(config, model_type="roberta", max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5,
                    pad_token_id=1)
    return dict(config, model_type="deberta-v2", max_position_embeddings=512, type_vocab_size=0, layer_norm_eps=1e-7,
                pad_token_id=0, relative_attention=True, max_relative_positions=-1, position_buckets=256,
                position_biased_input=False, norm_rel_ebd="layer_norm", share_att_key=True,
                pos_att_type=["p2c", "c2p"], pooler_dropout=0.0, pooler_hidden_act="gelu", pooler_hidden_size=hidden)
