"""DeBERTa-v3 in plain PyTorch, op for op as HuggingFace transformers 4.36 runs it (DebertaV2ForSequenceClassification),
parameter names included. The copies, expands and repeats are HuggingFace's: this is a peer to be measured, so nothing
here is faster or slower than what its user runs."""
import math

import torch
from torch import nn


class DropoutFunction(torch.autograd.Function):
    """HuggingFace's XDropout: draws the mask of dropped entries, saves it as booleans."""

    @staticmethod
    def forward(ctx, x, probability):
        mask = (1 - torch.empty_like(x).bernoulli_(1 - probability)).to(torch.bool)
        ctx.scale = 1.0 / (1 - probability)
        ctx.save_for_backward(mask)
        return x.masked_fill(mask, 0) * ctx.scale

    @staticmethod
    def backward(ctx, gradient):
        (mask,) = ctx.saved_tensors
        return gradient.masked_fill(mask, 0) * ctx.scale, None


class Dropout(nn.Module):
    """HuggingFace's StableDropout without its context stack, which a plain training step leaves empty."""

    def __init__(self, probability):
        super().__init__()
        self.probability = probability

    def forward(self, x):
        return DropoutFunction.apply(x, self.probability) if self.training and self.probability > 0 else x


class MaskedSoftmax(torch.autograd.Function):
    """HuggingFace's XSoftmax: masked entries are the lowest float before the softmax and zero after it."""

    @staticmethod
    def forward(ctx, scores, mask, dim):
        ctx.dim = dim
        masked = ~(mask.to(torch.bool))
        output = scores.masked_fill(masked, torch.tensor(torch.finfo(scores.dtype).min))
        output = torch.softmax(output, dim)
        output.masked_fill_(masked, 0)
        ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx, gradient):
        (output,) = ctx.saved_tensors
        return torch._softmax_backward_data(gradient, output, ctx.dim, output.dtype), None, None


def relative_positions(length, buckets, max_position):
    """Bucketed distance query - key, [1, length, length]: exact up to buckets / 2, logarithmic beyond."""
    ids = torch.arange(length)
    distance = ids[:, None] - ids[None, :]
    middle = buckets // 2
    magnitude = torch.where((distance < middle) & (distance > -middle), torch.tensor(middle - 1), distance.abs())
    logarithmic = torch.log(magnitude / middle) / math.log((max_position - 1) / middle) * (middle - 1)
    far = (torch.ceil(logarithmic) + middle) * torch.sign(distance)
    return torch.where(magnitude <= middle, distance.type_as(far), far).to(torch.long).unsqueeze(0)


class DisentangledSelfAttention(nn.Module):
    """Content-to-content, content-to-position and position-to-content scores; one projection for words and positions."""

    def __init__(self, config):
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.span = config["position_buckets"]
        self.query_proj = nn.Linear(hidden, hidden)
        self.key_proj = nn.Linear(hidden, hidden)
        self.value_proj = nn.Linear(hidden, hidden)
        self.pos_dropout = Dropout(config["hidden_dropout_prob"])
        self.dropout = Dropout(config["attention_probs_dropout_prob"])

    def split_heads(self, x):
        """[B, L, D] to [B * heads, L, D / heads], copied."""
        x = x.view(x.size()[:-1] + (self.heads, -1))
        return x.permute(0, 2, 1, 3).contiguous().view(-1, x.size(1), x.size(-1))

    def forward(self, hidden_states, mask, relative_pos, rel_embeddings):
        query = self.split_heads(self.query_proj(hidden_states))
        key = self.split_heads(self.key_proj(hidden_states))
        value = self.split_heads(self.value_proj(hidden_states))
        scale = torch.sqrt(torch.tensor(query.size(-1), dtype=torch.float) * 3)
        scores = torch.bmm(query, key.transpose(-1, -2) / scale.to(dtype=query.dtype))
        scores = scores + self.position_scores(query, key, relative_pos, self.pos_dropout(rel_embeddings))
        scores = scores.view(-1, self.heads, scores.size(-2), scores.size(-1))
        probabilities = self.dropout(MaskedSoftmax.apply(scores, mask, -1))
        context = torch.bmm(probabilities.view(-1, probabilities.size(-2), probabilities.size(-1)), value)
        context = context.view(-1, self.heads, context.size(-2), context.size(-1)).permute(0, 2, 1, 3).contiguous()
        return context.view(context.size()[:-2] + (-1,))

    def position_scores(self, query, key, relative_pos, rel_embeddings):
        """c2p + p2c, [B * heads, L, L]: all 2 * span positions are scored for every row, then gathered."""
        relative_pos = relative_pos.unsqueeze(1).long()
        rel_embeddings = rel_embeddings[0:self.span * 2, :].unsqueeze(0)
        batch = query.size(0) // self.heads
        pos_query = self.split_heads(self.query_proj(rel_embeddings)).repeat(batch, 1, 1)
        pos_key = self.split_heads(self.key_proj(rel_embeddings)).repeat(batch, 1, 1)
        index_shape = [query.size(0), query.size(1), relative_pos.size(-1)]
        scores = 0
        scale = torch.sqrt(torch.tensor(pos_key.size(-1), dtype=torch.float) * 3)
        c2p = torch.bmm(query, pos_key.transpose(-1, -2))
        c2p_index = torch.clamp(relative_pos + self.span, 0, self.span * 2 - 1)
        c2p = torch.gather(c2p, dim=-1, index=c2p_index.squeeze(0).expand(index_shape))
        scores += c2p / scale.to(dtype=c2p.dtype)
        scale = torch.sqrt(torch.tensor(pos_query.size(-1), dtype=torch.float) * 3)
        p2c_index = torch.clamp(-relative_pos + self.span, 0, self.span * 2 - 1)
        p2c = torch.bmm(key, pos_query.transpose(-1, -2))
        p2c = torch.gather(p2c, dim=-1, index=p2c_index.squeeze(0).expand(index_shape)).transpose(-1, -2)
        scores += p2c / scale.to(dtype=p2c.dtype)
        return scores


class ResidualOutput(nn.Module):
    """LayerNorm(dropout(dense(x)) + residual)."""

    def __init__(self, config, width):
        super().__init__()
        self.dense = nn.Linear(width, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], config["layer_norm_eps"])
        self.dropout = Dropout(config["hidden_dropout_prob"])

    def forward(self, x, residual):
        x = self.dense(x)
        x = self.dropout(x)
        return self.LayerNorm(x + residual)


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        self.attention = nn.ModuleDict({"self": DisentangledSelfAttention(config), "output": ResidualOutput(config, hidden)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, inner)})
        self.output = ResidualOutput(config, inner)

    def forward(self, x, mask, relative_pos, rel_embeddings):
        context = self.attention["self"](x, mask, relative_pos, rel_embeddings)
        x = self.attention["output"](context, x)
        return self.output(nn.functional.gelu(self.intermediate["dense"](x)), x)


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config["vocab_size"], config["hidden_size"], padding_idx=config["pad_token_id"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], config["layer_norm_eps"])
        self.dropout = Dropout(config["hidden_dropout_prob"])

    def forward(self, input_ids, mask):
        x = self.LayerNorm(self.word_embeddings(input_ids))
        return self.dropout(x * mask.unsqueeze(2).to(x.dtype))


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))
        self.span = config["position_buckets"]
        self.max_position = config["max_relative_positions"]
        if self.max_position < 1:
            self.max_position = config["max_position_embeddings"]
        self.rel_embeddings = nn.Embedding(self.span * 2, config["hidden_size"])
        self.LayerNorm = nn.LayerNorm(config["hidden_size"], config["layer_norm_eps"])

    def forward(self, x, mask):
        """Every hidden state, as HuggingFace's model keeps them."""
        extended = mask.unsqueeze(1).unsqueeze(2)
        mask = extended * extended.squeeze(-2).unsqueeze(-1)
        relative_pos = relative_positions(x.size(-2), self.span, self.max_position)
        rel_embeddings = self.LayerNorm(self.rel_embeddings.weight)
        states = [x]
        for layer in self.layer:
            states.append(layer(states[-1], mask, relative_pos, rel_embeddings))
        return states


class Pooler(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["hidden_size"])
        self.dropout = Dropout(config["pooler_dropout"])

    def forward(self, hidden_states):
        return nn.functional.gelu(self.dense(self.dropout(hidden_states[:, 0])))


class DebertaV3Classifier(nn.Module):
    targets = ("query_proj", "key_proj", "value_proj", "attention.output.dense", "intermediate.dense", "output.dense")

    def __init__(self, config, labels=2):
        super().__init__()
        self.labels = labels
        self.deberta = nn.ModuleDict({"embeddings": Embeddings(config), "encoder": Encoder(config)})
        self.pooler = Pooler(config)
        self.classifier = nn.Linear(config["hidden_size"], labels)
        self.dropout = Dropout(config["hidden_dropout_prob"])

    def forward(self, input_ids, attention_mask, labels=None):
        """(loss or None, logits, hidden states)."""
        x = self.deberta["embeddings"](input_ids, attention_mask)
        states = self.deberta["encoder"](x, attention_mask)
        logits = self.classifier(self.dropout(self.pooler(states[-1])))
        if labels is None:
            return None, logits, states
        if self.labels == 1:
            logits = logits.view(-1).to(labels.dtype)
            return nn.functional.mse_loss(logits, labels.view(-1)), logits, states
        kept = (labels >= 0).nonzero()  # HuggingFace gathers the labelled rows, even when all are
        rows = torch.gather(logits, 0, kept.expand(kept.size(0), logits.size(1)))
        picked = torch.gather(labels, 0, kept.view(-1))
        return nn.functional.cross_entropy(rows.view(-1, self.labels).float(), picked.view(-1)), logits, states
