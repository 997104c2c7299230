using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace LoRA2.Native.Peers.Torch;

/// <summary>
/// BERT, RoBERTa or DeBERTa-v3 with a classifier, as one writes it for speed in TorchSharp: matrices of [tokens, width] between attentions, the fused attention where it applies, relative
/// positions multiplied once a head rather than once a text, the adapter's product added in place.
/// </summary>
internal sealed class Encoder(EncoderShape shape, Weights weights)
{
    private (int Length, long First, long Count, Tensor Rows) distances;

    public double Dropout { get; init; }

    public double LoRAScale { get; init; } = 2;

    /// <summary>Whether autocast runs: then nothing is added in place to what it made.</summary>
    public bool IsCast { get; init; }

    /// <summary>The loss of labels, if there are any, and the logits.</summary>
    /// <param name="ids">[batch, length].</param>
    /// <param name="mask">[batch, length], or null when nothing is padding.</param>
    /// <param name="labels">[batch], or null.</param>
    /// <param name="types">Token types, or null for 0.</param>
    public (Tensor? Loss, Tensor Logits) Forward(Tensor ids, Tensor? mask, Tensor? labels, Tensor? types = null)
    {
        (long batch, long length) = (ids.shape[0], ids.shape[1]);
        Tensor x = Embed(ids, mask, types);
        Tensor? attended = mask is null ? null : mask.to(ScalarType.Bool).view(batch, 1, 1, length);
        Tensor? positions = shape.IsDeberta ? Positions((int)length) : null;
        for (int i = 0; i < shape.Layers; i++)
        {
            string layer = $"{shape.Root}.encoder.layer.{i}";
            Tensor context = positions is null ? Attention(layer, x, batch, length, attended) : Disentangled(layer, x, batch, length, attended, positions);
            x = Norm(layer + ".attention.output.LayerNorm", Drop(Linear(layer + ".attention.output.dense", context)) + x);
            x = Norm(layer + ".output.LayerNorm", Drop(Linear(layer + ".output.dense", F.gelu(Linear(layer + ".intermediate.dense", x)))) + x);
        }

        Tensor pooled = Linear(shape.HeadDense, shape.Family == "roberta" ? Drop(First()) : First());
        Tensor logits = Linear(shape.HeadOut, Drop(shape.IsDeberta ? F.gelu(pooled) : pooled.tanh()));
        return (labels is null ? null : F.cross_entropy(logits.to(ScalarType.Float32), labels), logits);

        Tensor First() => x.view(batch, length, shape.Hidden).select(1, 0);
    }

    private Tensor Linear(string name, Tensor x)
    {
        Tensor y = F.linear(x, weights[name + ".weight"], weights[name + ".bias"]);
        if (!weights.Has(name + ".lora_A")) return y;
        Tensor inner = F.linear(x, weights[name + ".lora_A"]), outer = weights[name + ".lora_B"].t();
        return IsCast ? addmm(y, inner, outer, 1, (float)LoRAScale) : y.addmm_(inner, outer, 1, (float)LoRAScale);
    }

    private Tensor Norm(string name, Tensor x) => F.layer_norm(x, [shape.Hidden], weights[name + ".weight"], weights[name + ".bias"], shape.Epsilon);

    private Tensor Drop(Tensor x) => Dropout > 0 ? F.dropout(x, Dropout, true) : x;

    private Tensor Embed(Tensor ids, Tensor? mask, Tensor? types)
    {
        string root = shape.Root + ".embeddings.";
        Tensor x = Rows(weights[root + "word_embeddings.weight"], ids);
        if (shape.IsDeberta)
        {
            x = Norm(root + "LayerNorm", x);
            if (mask is not null) x = x * mask.unsqueeze(2).to(x.dtype);
        }
        else
        {
            Tensor places = arange(ids.shape[1], ScalarType.Int64);
            if (shape.Family == "roberta")
            {
                Tensor real = ids.ne(shape.Pad).to(ScalarType.Int64);
                places = (real.cumsum(1) * real) + shape.Pad;
            }

            x = x + Rows(weights[root + "position_embeddings.weight"], places);
            Tensor kinds = weights[root + "token_type_embeddings.weight"];
            x = Norm(root + "LayerNorm", x + (types is null ? kinds[0] : Rows(kinds, types)));
        }

        return Drop(x).view(-1, shape.Hidden);
    }

    private static Tensor Rows(Tensor table, Tensor ids) => table.index_select(0, ids.reshape(-1)).view([.. ids.shape, table.shape[1]]);

    private Tensor Heads(Tensor x, long batch, long length) => x.view(batch, length, shape.Heads, -1).transpose(1, 2);

    private Tensor Attention(string layer, Tensor x, long batch, long length, Tensor? attended)
    {
        Tensor[] qkv = [.. shape.Projections.Select(name => Heads(Linear($"{layer}.attention.self.{name}", x), batch, length))];
        return F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attended, Dropout, false).transpose(1, 2).reshape(-1, shape.Hidden);
    }

    private Tensor Disentangled(string layer, Tensor x, long batch, long length, Tensor? attended, Tensor positions)
    {
        string self = layer + ".attention.self.";
        long width = shape.Hidden / shape.Heads;
        Tensor q = Heads(Linear(self + "query_proj", x), batch, length) * (1 / Math.Sqrt(3 * width));
        Tensor k = Heads(Linear(self + "key_proj", x), batch, length), v = Heads(Linear(self + "value_proj", x), batch, length);
        Tensor kept = Drop(positions);
        Tensor positionKeys = Linear(self + "key_proj", kept).view(-1, shape.Heads, width).permute(1, 2, 0);
        Tensor positionQueries = Linear(self + "query_proj", kept).view(-1, shape.Heads, width).permute(1, 2, 0) * (1 / Math.Sqrt(3 * width));
        Tensor rows = distances.Rows;
        Tensor bias = Relative(q, positionKeys).gather(-1, rows.expand(batch, shape.Heads, length, length))
            + Relative(k, positionQueries).gather(-1, rows.t().expand(batch, shape.Heads, length, length)).transpose(-1, -2);
        Tensor y;
        if (Dropout == 0 && attended is null)
        {
            y = F.scaled_dot_product_attention(q * Math.Sqrt(width), k, v, bias.to(q.dtype), 0, false);
        }
        else
        {
            Tensor scores = matmul(q, k.transpose(-1, -2)) + bias;
            Tensor? hidden = attended is null ? null : (attended & attended.transpose(-1, -2)).logical_not();
            Tensor probabilities = hidden is null ? F.softmax(scores, -1) : F.softmax(scores.masked_fill(hidden, float.MinValue), -1).masked_fill(hidden, 0);
            y = matmul(Drop(probabilities).to(v.dtype), v);
        }

        return y.transpose(1, 2).reshape(-1, shape.Hidden);

        // One product a head of all texts' rows.
        Tensor Relative(Tensor of, Tensor to) => batch == 1
            ? matmul(of[0], to).unsqueeze(0)
            : bmm(of.transpose(0, 1).reshape(shape.Heads, batch * length, width), to).view(shape.Heads, batch, length, -1).transpose(0, 1);
    }

    /// <summary>The normalised relative embeddings that this length reaches, and in <see cref="distances"/> which of them each pair of places takes.</summary>
    private Tensor Positions(int length)
    {
        if (distances.Length != length)
        {
            long[] rows = [.. Enumerable.Range(0, length * length).Select(pair => Row((pair / length) - (pair % length)))];
            long first = rows.Min(), count = rows.Max() - first + 1;
            distances = (length, first, count, tensor([.. rows.Select(row => row - first)]).reshape(length, length).DetachFromDisposeScope());
        }

        Tensor table = Norm(shape.Root + ".encoder.LayerNorm", weights[shape.Root + ".encoder.rel_embeddings.weight"]);
        return table.narrow(0, distances.First, distances.Count);

        long Row(int distance)
        {
            int size = Math.Abs(distance), middle = shape.Buckets / 2;
            int bucket = size <= middle
                ? distance
                : Math.Sign(distance) * (middle + (int)Math.Ceiling(Math.Log(size / (double)middle) / Math.Log((shape.Reach - 1) / (double)middle) * (middle - 1)));
            return Math.Clamp(bucket + shape.Buckets, 0, (2 * shape.Buckets) - 1);
        }
    }
}
