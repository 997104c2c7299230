#!/usr/bin/env python3
"""Writes the ONNX files of the import's tests, by PyTorch's own exporter (Debian's python3-torch 1.13 and python3-onnx 1.12), and what they were made of:
weights.safetensors and, for fixed ids, the last hidden states that PyTorch computes.

    /usr/bin/python3 tests/Fixtures/onnx/make.py

The modules below have HuggingFace's names and computation; weights are random.
"""
import json, math, os, struct, sys
import numpy as np, onnx, torch
from onnx import external_data_helper, numpy_helper
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
VOCAB, HIDDEN, HEADS, INNER, LAYERS, POSITIONS = 20, 8, 2, 12, 2, 10
IDS = [[2, 7, 9, 4, 3, 0], [2, 11, 5, 19, 8, 3]]
MASK = [[1, 1, 1, 1, 1, 0], [1] * 6]


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(HIDDEN, HIDDEN) for _ in range(3))

    def split(self, x):
        return x.view(x.size()[:-1] + (HEADS, HIDDEN // HEADS)).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        q = self.query(x)
        k, v = self.split(self.key(x)), self.split(self.value(x))
        scores = torch.matmul(self.split(q), k.transpose(-1, -2)) / math.sqrt(HIDDEN // HEADS) + mask
        context = torch.matmul(torch.softmax(scores, -1), v).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (HIDDEN,))


class Output(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.dense, self.LayerNorm = nn.Linear(inputs, HIDDEN), nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, x, residual):
        return self.LayerNorm(self.dense(x) + residual)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.self, self.output = SelfAttention(), Output(HIDDEN)

    def forward(self, x, mask):
        return self.output(self.self(x, mask), x)


class Intermediate(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.dense, self.act = nn.Linear(HIDDEN, INNER), act

    def forward(self, x):
        return self.act(self.dense(x))


class Layer(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.attention, self.intermediate, self.output = Attention(), Intermediate(act), Output(INNER)

    def forward(self, x, mask):
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Embeddings(nn.Module):
    def __init__(self, types, padding):
        super().__init__()
        self.word_embeddings, self.position_embeddings = nn.Embedding(VOCAB, HIDDEN), nn.Embedding(POSITIONS, HIDDEN)
        self.token_type_embeddings, self.LayerNorm = nn.Embedding(types, HIDDEN), nn.LayerNorm(HIDDEN, eps=1e-12)
        self.padding = padding
        self.register_buffer("position_ids", torch.arange(POSITIONS).expand((1, -1)))

    def forward(self, ids, types):
        if self.padding is None:
            positions = self.position_ids[:, : ids.size(1)]
        else:
            real = ids.ne(self.padding).int()
            positions = (torch.cumsum(real, dim=1).type_as(real) * real).long() + self.padding
        return self.LayerNorm(self.word_embeddings(ids) + self.token_type_embeddings(types) + self.position_embeddings(positions))


class Stack(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.layer = nn.ModuleList([Layer(act) for _ in range(LAYERS)])

    def forward(self, x, mask):
        for layer in self.layer:
            x = layer(x, mask)
        return x


class Pooler(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x):
        return torch.tanh(self.dense(x[:, 0]))


class Bert(nn.Module):
    """BertModel, or RobertaModel with a padding id."""

    def __init__(self, act=None, types=2, padding=None):
        super().__init__()
        self.embeddings, self.encoder, self.pooler = Embeddings(types, padding), Stack(act or nn.GELU()), Pooler()

    def forward(self, ids, mask, types):
        x = self.encoder(self.embeddings(ids, types), (1.0 - mask[:, None, None, :].float()) * -10000.0)
        return x, self.pooler(x)


class Classifier(nn.Module):
    """BertForSequenceClassification."""

    def __init__(self):
        super().__init__()
        self.bert, self.classifier = Bert(), nn.Linear(HIDDEN, 3)

    def forward(self, ids, mask, types):
        return self.classifier(self.bert(ids, mask, types)[1])


class DistilAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_lin, self.k_lin, self.v_lin, self.out_lin = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))

    def forward(self, x, mask):
        batch, size = x.size(0), HIDDEN // HEADS
        split = lambda y: y.view(batch, -1, HEADS, size).transpose(1, 2)
        q, k, v = split(self.q_lin(x)) / math.sqrt(size), split(self.k_lin(x)), split(self.v_lin(x))
        context = torch.matmul(torch.softmax(torch.matmul(q, k.transpose(2, 3)) + mask, -1), v)
        return self.out_lin(context.transpose(1, 2).contiguous().view(batch, -1, HIDDEN))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(HIDDEN, INNER), nn.Linear(INNER, HIDDEN)

    def forward(self, x):
        return self.lin2(nn.functional.gelu(self.lin1(x)))


class DistilLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.sa_layer_norm = DistilAttention(), nn.LayerNorm(HIDDEN, eps=1e-12)
        self.ffn, self.output_layer_norm = FeedForward(), nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, x, mask):
        x = self.sa_layer_norm(self.attention(x, mask) + x)
        return self.output_layer_norm(self.ffn(x) + x)


class DistilEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.word_embeddings, self.position_embeddings = nn.Embedding(VOCAB, HIDDEN), nn.Embedding(POSITIONS, HIDDEN)
        self.LayerNorm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.register_buffer("position_ids", torch.arange(POSITIONS).expand((1, -1)))

    def forward(self, ids):
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings(self.position_ids[:, : ids.size(1)]))


class DistilStack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList([DistilLayer() for _ in range(LAYERS)])

    def forward(self, x, mask):
        for layer in self.layer:
            x = layer(x, mask)
        return x


class DistilBert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings, self.transformer = DistilEmbeddings(), DistilStack()

    def forward(self, ids, mask):
        return self.transformer(self.embeddings(ids), (1.0 - mask[:, None, None, :].float()) * -10000.0)


class Tower(nn.Module):
    """As sentence-transformers wraps an encoder."""

    def __init__(self, inner):
        super().__init__()
        self.auto_model = inner

    def forward(self, ids, mask, types):
        return self.auto_model(ids, mask, types)[0]


def prepared(model):
    torch.manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_((1.0 if "orm.weight" in name or "norm.weight" in name else 0.0) + 0.3 * torch.randn_like(p))
    return model.eval()


def save_weights(model, folder, outputs):
    os.makedirs(folder, exist_ok=True)
    tensors = {n: p.detach().numpy() for n, p in model.named_parameters()} | {"expected": outputs.detach().numpy()}
    header, data = {}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "weights.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def export(model, name, folder, inputs, fold=True, opset=13, weights=True):
    path = os.path.join(here, folder, name)
    out = model(*inputs)
    out = out[0] if isinstance(out, tuple) else out
    if weights:
        save_weights(model, os.path.join(here, folder), out)
    names = ["input_ids", "attention_mask", "token_type_ids"][: len(inputs)]
    torch.onnx.export(model, inputs, path, input_names=names, output_names=["output"], opset_version=opset, do_constant_folding=fold,
                      dynamic_axes={n: {0: "batch", 1: "length"} for n in names})
    return path


def strip_names(model):
    for i, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{i}"


def main():
    ids, mask = torch.tensor(IDS), torch.tensor(MASK)
    inputs = (ids, mask, torch.zeros_like(ids))
    bert = prepared(Bert())
    path = export(bert, "model.onnx", "bert", inputs)
    export(bert, "unfolded.onnx", "bert", inputs, fold=False, weights=False)
    export(Tower(bert), "wrapped.onnx", "bert", inputs, weights=False)
    # An older exporter names neither nodes nor turned matrices: the bias beside is all there is.
    old = onnx.load(path)
    strip_names(old)
    onnx.save(old, os.path.join(here, "bert", "nameless.onnx"))
    # float16 as onnxconverter-common leaves it, the numbers in int32_data; other tensors in float_data.
    half = onnx.load(path)
    for tensor in half.graph.initializer:
        if tensor.data_type == 1 and len(tensor.dims) == 2:
            values = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.ClearField("raw_data")
            tensor.data_type = 10
            tensor.int32_data.extend(int(b) for b in values.view(np.uint16).ravel())
        elif tensor.data_type == 1:
            values = numpy_helper.to_array(tensor)
            tensor.ClearField("raw_data")
            tensor.float_data.extend(float(v) for v in values.ravel())
    onnx.save(half, os.path.join(here, "bert", "half.onnx"))
    external = onnx.load(path)
    os.makedirs(os.path.join(here, "external"), exist_ok=True)
    data = os.path.join(here, "external", "weights.bin")
    if os.path.exists(data):
        os.remove(data)
    onnx.save_model(external, os.path.join(here, "external", "model.onnx"), save_as_external_data=True, all_tensors_to_one_file=True, location="weights.bin", size_threshold=0)
    export(prepared(Bert(nn.ReLU(), types=1, padding=1)), "model.onnx", "roberta", (ids.clamp(min=1), mask, torch.zeros_like(ids)))
    export(prepared(Classifier()), "model.onnx", "classifier", inputs)
    export(prepared(DistilBert()), "model.onnx", "distilbert", inputs[:2])
    export(prepared(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))), "model.onnx", "perceptron", (torch.zeros(1, 4),))
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(ord("a") + i) for i in range(15)]
    open(os.path.join(here, "vocab.txt"), "w").write("\n".join(vocab) + "\n")


if __name__ == "__main__":
    main()
