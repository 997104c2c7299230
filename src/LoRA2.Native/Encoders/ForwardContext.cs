using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Encoders;

/// <summary>
/// One forward pass: whether dropout is on and which masks it draws, and what to keep for the caller to look at. Dropouts are numbered in the
/// order in which they are reached, so the same seed and step give the same masks.
/// </summary>
public sealed class ForwardContext
{
    private uint step;
    private uint nextDropout;
    private Tensor? tokens;

    /// <summary>A pass without dropout.</summary>
    public static ForwardContext Inference { get; } = new();

    /// <summary>Whether dropout is on.</summary>
    public bool IsTraining { get; init; }

    /// <summary>Seed of the dropout masks.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of the pass in the run.</summary>
    public uint Step { get => step; init => step = value; }

    /// <summary>When not null, receives the embeddings' result and then every layer's, [batch, length, width]; padding goes through the layers then, whatever there is of it.</summary>
    public List<Tensor>? HiddenStates { get; init; }

    /// <summary>When not null, receives every layer's attention probabilities, [batch, heads, length, length]; with padding likewise.</summary>
    public List<Tensor>? Attentions { get; init; }

    /// <summary>Makes this the context of another pass, number <paramref name="number"/> of the run.</summary>
    public void Begin(uint number)
    {
        step = number;
        nextDropout = 0;
        tokens = null;
    }

    /// <summary>
    /// Whether a layer's activations are dropped after its forward pass and computed again in the backward pass: a third more time for the memory
    /// of one layer. Results are the same.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>Whether padding goes through the layers whatever there is of it: what tests and measurements compare with.</summary>
    internal bool KeepsPadding { get; init; }

    /// <summary>The adapters of the batch's rows, where the pass brings them; null: the layers' own.</summary>
    internal RowAdapters? Rows { get; init; }

    /// <summary>The pass from here on, for a second run: the same masks, and nothing kept for the caller.</summary>
    internal ForwardContext Again() => new() { IsTraining = IsTraining, Seed = Seed, Step = Step, nextDropout = nextDropout, tokens = tokens, Rows = Rows };

    /// <summary>The pass with a row for each token of texts without padding.</summary>
    internal ForwardContext OfTokens(in PackedTokens packed) => Rows is not { Count: > 1 } rows ? this : new() { IsTraining = IsTraining, Seed = Seed, Step = Step, nextDropout = nextDropout, tokens = tokens, Rows = rows.OfTokens(packed) };

    /// <summary>The next dropout's mask; none outside training.</summary>
    public DropoutMask NextDropout(double probability) => IsTraining ? new DropoutMask(probability, Seed, Step, nextDropout++) : DropoutMask.None;

    /// <summary>The next dropout's mask for hidden states, a row for each token; without padding a token drops what it would drop in the padded batch.</summary>
    internal DropoutMask NextTokenDropout(double probability) => NextDropout(probability) with { Rows = tokens };

    /// <summary>The pass's hidden states have no padding from here on; <see langword="null"/>: they have it again.</summary>
    internal void Pack(in PackedTokens? packed)
    {
        // Without training the context may be several threads'; it drops nothing.
        if (IsTraining) tokens = packed?.Places;
    }

    /// <summary>Dropout of hidden states, with the next mask.</summary>
    internal Tensor TokenDropout(Tensor x, double probability) => Ops.Dropout(x, NextTokenDropout(probability));

    /// <summary>Dropout of a tensor, with the next mask.</summary>
    public Tensor Dropout(Tensor x, double probability)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Ops.Dropout(x, NextDropout(probability));
    }
}
