using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders;

/// <summary>
/// The tokens of a padded batch without its padding, text after text. What goes token by token (embeddings, products, norms, activations) is computed of them alone, as [tokens, 1, width];
/// attention of each text by itself. Distances and elements of dropout are counted as in the padded batch, so that a pass draws the same masks either way.
/// </summary>
/// <param name="Size">Texts.</param>
/// <param name="Length">Tokens of a text in the padded batch.</param>
/// <param name="Places">[tokens] Int64: each token's row of the padded batch's [batch · length].</param>
/// <param name="Starts">[texts + 1] Int32: each text's first token, and the number of all.</param>
internal readonly record struct PackedTokens(int Size, int Length, Tensor Places, Tensor Starts)
{
    /// <summary>A batch of which less than one in so many tokens is padding goes through the layers as it is: there is little to gain.</summary>
    private const int LeastPadding = 16;

    /// <summary>The tokens of a batch on the CPU, or null: too few are padding, or a text has none, or padding elsewhere than at its end.</summary>
    public static PackedTokens? Of(in EncoderBatch batch)
    {
        ReadOnlySpan<int> mask = batch.Mask.AsSpan<int>();
        int tokens = 0;
        foreach (int token in mask) tokens += token == 0 ? 0 : 1;
        if ((long)(mask.Length - tokens) * LeastPadding < mask.Length || tokens == mask.Length) return null;
        Tensor places = Tensor.Empty([tokens], DType.Int64, Device.Cpu), starts = Tensor.Empty([batch.Size + 1], DType.Int32, Device.Cpu);
        Span<long> place = places.AsSpan<long>();
        Span<int> start = starts.AsSpan<int>();
        int found = 0;
        for (int text = 0; text < batch.Size; text++)
        {
            start[text] = found;
            int first = text * batch.Length, i = first;
            for (; i < first + batch.Length && mask[i] != 0; i++) place[found++] = i;
            if (i == first || mask[i..(first + batch.Length)].ContainsAnyExcept(0)) return null;
        }

        start[batch.Size] = found;
        return new PackedTokens(batch.Size, batch.Length, places, starts);
    }

    /// <summary>The batch as one of as many texts of one token each.</summary>
    public EncoderBatch Pack(in EncoderBatch batch) =>
        new(Picked(batch.Ids), Tensor.Full([Places.Count, 1], 1, DType.Int32, Device.Cpu), batch.TypeIds is { } types ? Picked(types) : null) { Positions = batch.Positions is { } positions ? Picked(positions) : null };

    /// <summary>[tokens, 1, width] → [batch, length, width], with zeros for padding.</summary>
    public Tensor Pad(Tensor x)
    {
        int width = x.Shape.Columns;
        Tensor zeros = Tensor.Zeros([Size * Length, width], x.DType, x.Device);
        return Ops.Reshape(Ops.IndexAdd(zeros, 0, Places, Ops.Reshape(x, Places.Count, width)), Size, Length, width);
    }

    /// <summary>[batch, length, width] → [tokens, 1, width].</summary>
    public Tensor Pack(Tensor x)
    {
        int width = x.Shape.Columns;
        return Ops.Reshape(Ops.IndexSelect(Ops.Reshape(x, Size * Length, width), 0, Places), Places.Count, 1, width);
    }

    /// <summary>An attention's terms for some of these tokens, which are whole texts.</summary>
    public AttentionTerms In(in AttentionTerms terms, int firstToken, int tokens)
    {
        ReadOnlySpan<int> all = Starts.AsSpan<int>();
        int first = all.BinarySearch(firstToken), count = all.BinarySearch(firstToken + tokens) - first;
        Tensor starts = Tensor.Empty([count + 1], DType.Int32, Device.Cpu);
        for (int i = 0; i <= count; i++) starts.AsSpan<int>()[i] = all[first + i] - firstToken;
        return terms with { Mask = null, Starts = starts, Longest = Length };
    }

    /// <summary>An attention's terms for these tokens.</summary>
    public AttentionTerms In(in AttentionTerms terms) => terms with { Mask = null, Starts = Starts, Longest = Length };

    private Tensor Picked(Tensor all)
    {
        Tensor picked = Tensor.Empty([Places.Count, 1], DType.Int32, Device.Cpu);
        ReadOnlySpan<int> from = all.AsSpan<int>();
        ReadOnlySpan<long> places = Places.AsSpan<long>();
        Span<int> to = picked.AsSpan<int>();
        for (int i = 0; i < to.Length; i++) to[i] = from[(int)places[i]];
        return picked;
    }
}
