using LoRA2.Native.Tensors;

namespace LoRA2.Native.Embeddings.Losses;

/// <summary>
/// What training pulls vectors together and apart by: a loss over the columns of a batch of examples, as sentence-transformers has them. An immutable value; a loss is one file and one
/// line in <see cref="EmbeddingLosses"/>.
/// </summary>
public abstract record EmbeddingLoss
{
    /// <summary>What the command line calls it.</summary>
    public abstract string Name { get; }

    /// <summary>Whether each example needs a number beside its texts: how alike they are, or 1 for alike and 0 for not.</summary>
    public virtual bool NeedsScores => false;

    /// <summary>Whether that number is 0 or 1.</summary>
    public virtual bool IsBinary => false;

    /// <summary>The fewest texts an example has.</summary>
    public virtual int LeastTexts => 2;

    /// <summary>The most texts an example has.</summary>
    public virtual int MostTexts => 2;

    /// <summary>Whether it chooses among the examples by what is computed of them, so that a device cannot record it.</summary>
    public virtual bool ReadsValues => false;

    /// <summary>What <see cref="Of"/> compares with, on the CPU, in the current tensor scope: for most losses the scores.</summary>
    /// <param name="scores">[examples], or empty for a loss that needs none.</param>
    /// <param name="examples">How many there are.</param>
    /// <param name="dtype">Float32 or Float64, as the vectors'.</param>
    public virtual Tensor Targets(ReadOnlySpan<float> scores, int examples, DType dtype = DType.Float32) => Tensor.From(scores, [examples]).To(dtype);

    /// <summary>The loss, rank 0.</summary>
    /// <param name="texts">The vectors of the examples' first texts, second texts, …, [examples, width] each.</param>
    /// <param name="targets">As <see cref="Targets"/> made them, on the same device.</param>
    public abstract Tensor Of(IReadOnlyList<Tensor> texts, Tensor targets);

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>0, 1, …, as the classes of a cross-entropy.</summary>
    private protected static Tensor Numbers(int count)
    {
        Tensor numbers = Tensor.Empty([count], DType.Int32);
        Span<int> values = numbers.AsSpan<int>();
        for (int i = 0; i < count; i++) values[i] = i;
        return numbers;
    }

    /// <summary>x + s.</summary>
    private protected static Tensor Plus(Tensor x, double s) => Ops.Add(x, Tensor.Full([1], s, x.DType, x.Device));

    /// <summary>1 − cos of each pair of rows.</summary>
    private protected static Tensor CosineDistance(Tensor a, Tensor b) => Plus(Ops.Scale(Similarities.OfRows(a, b), -1), 1);
}
