using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors;

/// <content>Multi-head attention, plain and disentangled.</content>
public static partial class Ops
{
    /// <summary>
    /// softmax(scale · q kᵀ) v for each head: q, k, v and the result are [batch, length, width], heads side by side in the width
    /// (arXiv 1706.03762, equation 1). Masked positions have probability exactly 0.
    /// </summary>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="terms">Heads, scale, mask and dropout; its position tables must be null.</param>
    /// <param name="probabilities">Where the probabilities before dropout are written, [batch, heads, length, length]; null when not wanted.</param>
    /// <exception cref="ArgumentException">Shapes don't fit.</exception>
    public static Tensor Attention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities = null)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        if (terms.PositionKey is not null || terms.PositionQuery is not null) throw new ArgumentException("Attention: position tables belong to DisentangledAttention");
        return AttentionOf("Attention", q, k, v, terms, probabilities);
    }

    /// <summary>
    /// DeBERTa's attention (arXiv 2006.03654, equation 4): the score of (i, j) is scale · (q_i · k_j + q_i · K[d] + k_j · Q[d]) where d is the row that
    /// <see cref="AttentionTerms.PositionOf"/> gives for i − j, K is <see cref="AttentionTerms.PositionKey"/> and Q is
    /// <see cref="AttentionTerms.PositionQuery"/> ([positions, width], either may be null). Gathered positions are never kept: the gradient gathers again.
    /// </summary>
    /// <inheritdoc cref="Attention"/>
    public static Tensor DisentangledAttention(Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities = null)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        if (terms.PositionOf is null && (terms.PositionKey ?? terms.PositionQuery) is not null) throw new ArgumentException("DisentangledAttention: PositionOf is missing");
        return AttentionOf("DisentangledAttention", q, k, v, terms, probabilities);
    }

    private static Tensor AttentionOf(string op, Tensor q, Tensor k, Tensor v, AttentionTerms terms, Tensor? probabilities)
    {
        RequireAttention(op, q, k, v, terms);
        if (probabilities is not null && (probabilities.Shape != ProbabilitiesOf(q, terms) || probabilities.DType != q.DType || !probabilities.IsContiguous))
            throw new ArgumentException($"{op}: the probabilities' tensor is {probabilities.Description}; a contiguous {q.DType} {ProbabilitiesOf(q, terms)} is needed");
        if (terms.Mask is { IsContiguous: false } || terms.PositionKey is { IsContiguous: false } || terms.PositionQuery is { IsContiguous: false })
            terms = terms with { Mask = InOrder(terms.Mask), PositionKey = InOrder(terms.PositionKey), PositionQuery = InOrder(terms.PositionQuery) };
        q = Contiguous(q);
        k = Contiguous(k);
        v = Contiguous(v);
        terms = terms with { Mask = terms.Mask?.To(q.Device) };
        Tensor y = Tensor.Empty(q.Shape, q.DType, q.Device);
        bool records = Tape.Records(q, k, v, terms.PositionKey, terms.PositionQuery);
        AttentionMemory memory = records ? q.Device.Kernels.KeptOfAttention(q, terms) : default;
        Tensor? kept = memory.Kept is { } shape ? Tensor.Empty(shape, q.DType, q.Device) : null;
        q.Device.Kernels.Attention(q, k, v, terms, probabilities, kept, y);
        return records ? Tape.Record(AttentionNode.Of(q, k, v, memory.Inputs, terms, kept, memory.Result ? y : null), y) : y;
    }

    private static Shape ProbabilitiesOf(Tensor q, AttentionTerms terms)
    {
        (int sequences, int length) = terms.Extent(q);
        return [sequences, terms.Heads, length, length];
    }

    private static Tensor? InOrder(Tensor? x) => x is null ? null : Contiguous(x);

    private static void RequireAttention(string op, Tensor q, Tensor k, Tensor v, AttentionTerms terms)
    {
        RequireSameType(op, q, k, v, terms.PositionKey, terms.PositionQuery);
        if (q.Shape.Rank != 3 || k.Shape != q.Shape || v.Shape != q.Shape)
            throw new ArgumentException($"{op}: q {q.Shape}, k {k.Shape} and v {v.Shape} must all be the same [batch, length, width]");
        if (terms.Starts is not null) RequireStarts(op, q, terms);
        (int batch, int length) = terms.Extent(q);
        int width = q.Shape[2];
        if (terms.Heads < 1 || width % terms.Heads != 0) throw new ArgumentException($"{op}: a width of {width} can't be split into {terms.Heads} heads");
        if (terms.Mask is { } mask && (mask.Shape != [batch, length] || mask.DType != DType.Int32))
            throw new ArgumentException($"{op}: the mask is {mask.Description}; Int32 [{batch}, {length}] is needed");
        if (terms.Dropout.Rows is not null) throw new ArgumentException($"{op}: its dropout is counted by sequences; there are no rows to be picked");
        if (terms.Dropout.Probability is not (>= 0 and < 1)) throw new ArgumentException($"{op}: dropout {terms.Dropout.Probability} is not in [0, 1)");
        int positions = -1;
        foreach (Tensor? table in (ReadOnlySpan<Tensor?>)[terms.PositionKey, terms.PositionQuery])
        {
            if (table is null) continue;
            if (table.Shape.Rank != 2 || table.Shape[1] != width || (positions >= 0 && table.Shape[0] != positions))
                throw new ArgumentException($"{op}: a position table is {table.Shape}; [positions, {width}] is needed");
            positions = table.Shape[0];
        }

        if (positions < 0) return;
        if (terms.PositionOf!.Length != Math.Max((2 * length) - 1, 0)) throw new ArgumentException($"{op}: PositionOf has {terms.PositionOf.Length} entries for length {length}");
        foreach (int row in terms.PositionOf)
        {
            if ((uint)row >= (uint)positions) throw new ArgumentException($"{op}: PositionOf names row {row} of {positions}");
        }
    }

    private static void RequireStarts(string op, Tensor q, in AttentionTerms terms)
    {
        Tensor starts = terms.Starts!;
        if (q.Shape[1] != 1 || terms.Mask is not null) throw new ArgumentException($"{op}: q is {q.Shape}{(terms.Mask is null ? "" : " with a mask")}; of sequences without padding [tokens, 1, width] and no mask is needed");
        if (starts.DType != DType.Int32 || starts.Shape.Rank != 1 || starts.Count < 1 || !starts.IsContiguous || starts.Device != Device.Cpu)
            throw new ArgumentException($"{op}: the starts are {starts.Description}; a contiguous Int32 [sequences + 1] on the CPU is needed");
        ReadOnlySpan<int> at = starts.AsSpan<int>();
        bool fits = at[0] == 0 && at[^1] == q.Shape[0];
        for (int i = 1; i < at.Length; i++) fits &= at[i] >= at[i - 1] && at[i] - at[i - 1] <= terms.Longest;
        if (!fits) throw new ArgumentException($"{op}: the starts don't rise from 0 to {q.Shape[0]}, the number of tokens, by {terms.Longest} at most");
    }

    private sealed class AttentionNode : Node
    {
        private Tensor q = null!;
        private Tensor k = null!;
        private Tensor v = null!;
        private AttentionTerms terms;
        private Tensor? kept;
        private Tensor? y;

        public static AttentionNode Of(Tensor q, Tensor k, Tensor v, bool readsInputs, AttentionTerms terms, Tensor? kept, Tensor? y)
        {
            AttentionNode node = Take<AttentionNode>();
            (node.q, node.k, node.v) = (q, k, v);
            if (readsInputs)
            {
                node.Save(q);
                node.Save(k);
                node.Save(v);
            }

            node.terms = terms;
            node.kept = node.Save(kept);
            node.y = node.Save(y);
            node.Save(terms.Mask);
            node.Save(terms.Starts);
            node.Save(terms.PositionKey);
            node.Save(terms.PositionQuery);
            return node;
        }

        protected internal override void Backward(Tensor gradient)
        {
            var gradients = new AttentionGradients(
                WantedGradient(q), WantedGradient(k), WantedGradient(v), WantedGradient(terms.PositionKey), WantedGradient(terms.PositionQuery));
            q.Device.Kernels.AttentionBackward(q, k, v, terms, kept, y, gradient, gradients);
            if (gradients.Query is not null) Accumulate(q, gradients.Query);
            if (gradients.Key is not null) Accumulate(k, gradients.Key);
            if (gradients.Value is not null) Accumulate(v, gradients.Value);
            if (gradients.PositionKey is not null) Accumulate(terms.PositionKey!, gradients.PositionKey);
            if (gradients.PositionQuery is not null) Accumulate(terms.PositionQuery!, gradients.PositionQuery);
        }
    }
}
