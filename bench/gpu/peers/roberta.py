"""RoBERTa in plain PyTorch, op for op as HuggingFace transformers 4.36 runs it (RobertaForSequenceClassification)."""
import math

import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(config["attention_probs_dropout_prob"])

    def split_heads(self, x):
        return x.view(x.size()[:-1] + (self.heads, -1)).permute(0, 2, 1, 3)

    def forward(self, x, mask):
        key = self.split_heads(self.key(x))
        value = self.split_heads(self.value(x))
        query = self.split_heads(self.query(x))
        scores = torch.matmul(query, key.transpose(-1, -2))
        scores = scores / math.sqrt(query.size(-1))
        scores = scores + mask
        probabilities = self.dropout(nn.functional.softmax(scores, dim=-1))
        context = torch.matmul(probabilities, value).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (-1,))


class ResidualOutput(nn.Module):
    """LayerNorm(dropout(dense(x)) + residual)."""

    def __init__(self, config, width):
        super().__init__()
        self.dense = nn.Linear(width, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, x, residual):
        x = self.dense(x)
        x = self.dropout(x)
        return self.LayerNorm(x + residual)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.attention = nn.ModuleDict({"self": SelfAttention(config), "output": ResidualOutput(config, hidden)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, inner)})
        self.output = ResidualOutput(config, inner)

    def forward(self, x, mask):
        x = self.attention["output"](self.attention["self"](x, mask), x)
        return self.output(nn.functional.gelu(self.intermediate["dense"](x)), x)


class Embeddings(nn.Module):
    """Words, positions and types. Positions count the tokens that are not padding, from padding_idx + 1."""

    def __init__(self, config):
        super().__init__()
        hidden, self.padding = config["hidden_size"], config["pad_token_id"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], hidden, padding_idx=self.padding)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], hidden, padding_idx=self.padding)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], hidden)
        self.LayerNorm = nn.LayerNorm(hidden, config["layer_norm_eps"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])

    def forward(self, input_ids):
        real = input_ids.ne(self.padding).int()
        positions = (torch.cumsum(real, dim=1).type_as(real) * real).long() + self.padding
        x = self.word_embeddings(input_ids) + self.token_type_embeddings(torch.zeros_like(input_ids))
        x += self.position_embeddings(positions)
        return self.dropout(self.LayerNorm(x))


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))

    def forward(self, x, mask):
        """Every hidden state, first to last."""
        states = [x]
        for layer in self.layer:
            states.append(layer(states[-1], mask))
        return states


class Head(nn.Module):
    def __init__(self, config, labels):
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["hidden_size"])
        self.dropout = nn.Dropout(config["hidden_dropout_prob"])
        self.out_proj = nn.Linear(config["hidden_size"], labels)

    def forward(self, hidden_states):
        x = torch.tanh(self.dense(self.dropout(hidden_states[:, 0, :])))
        return self.out_proj(self.dropout(x))


class RobertaClassifier(nn.Module):
    targets = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")

    def __init__(self, config, labels=2):
        super().__init__()
        self.labels = labels
        self.roberta = nn.ModuleDict({"embeddings": Embeddings(config), "encoder": Encoder(config)})
        self.classifier = Head(config, labels)

    def forward(self, input_ids, attention_mask, labels=None):
        """(loss or None, logits, hidden states)."""
        x = self.roberta["embeddings"](input_ids)
        extended = attention_mask[:, None, None, :].to(x.dtype)
        states = self.roberta["encoder"](x, (1.0 - extended) * torch.finfo(x.dtype).min)
        logits = self.classifier(states[-1])
        if labels is None:
            return None, logits, states
        if self.labels == 1:
            return nn.functional.mse_loss(logits.squeeze(), labels.squeeze()), logits, states
        return nn.functional.cross_entropy(logits.view(-1, self.labels), labels.view(-1)), logits, states
