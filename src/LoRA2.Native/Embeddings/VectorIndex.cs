using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Embeddings;

/// <summary>A vector that was found.</summary>
/// <param name="Index">Its number in the order of adding.</param>
/// <param name="Score">Its similarity with what was looked for.</param>
public readonly record struct Neighbour(int Index, float Score);

/// <summary>
/// Vectors in which the nearest are looked for, exactly: every one is compared, by matrix products of blocks, so that a search needs memory for one block of scores beside the vectors
/// themselves. Any number of threads may search at once; adding and disposing are for one that is alone.
/// </summary>
/// <example><code>
/// using var index = new VectorIndex(embedder.Dimensions);
/// foreach (TextVector vector in embedder.EmbedDocuments(texts)) index.Add(vector.Values);
/// IReadOnlyList&lt;Neighbour&gt; best = index.Search(embedder.EmbedQueries([question])[0].Values, 5);
/// </code></example>
public sealed class VectorIndex : IDisposable
{
    private const int BlockRows = 4096;
    private const int QueriesAtOnce = 64;

    private readonly List<Tensor> blocks = [];
    private bool disposed;

    /// <summary>An index without vectors.</summary>
    /// <param name="dimensions">Numbers in a vector.</param>
    /// <param name="similarity">What nearness is.</param>
    public VectorIndex(int dimensions, Similarity similarity = Similarity.Cosine)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        Dimensions = dimensions;
        Similarity = similarity;
    }

    /// <summary>Numbers in a vector.</summary>
    public int Dimensions { get; }

    /// <summary>What nearness is.</summary>
    public Similarity Similarity { get; }

    /// <summary>How many vectors there are.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a vector, which is copied, and returns its number.</summary>
    /// <exception cref="ArgumentException">It has another number of dimensions, or a value that is not finite.</exception>
    public int Add(ReadOnlySpan<float> vector)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Require(vector);
        int row = Count % BlockRows;
        if (row == 0)
        {
            using var scope = new TensorScope();
            blocks.Add(scope.Detach(Tensor.Empty([BlockRows, Dimensions])));
        }

        Span<float> place = blocks[^1].AsSpan<float>().Slice(row * Dimensions, Dimensions);
        vector.CopyTo(place);
        if (Similarity == Similarity.Cosine) Normalise(place);
        return Count++;
    }

    /// <summary>The nearest vectors, the nearest first; of equally near ones the earlier.</summary>
    /// <param name="query">What is looked for.</param>
    /// <param name="count">How many; fewer come where there are not so many.</param>
    /// <exception cref="ArgumentException">The query has another number of dimensions, or a value that is not finite.</exception>
    public IReadOnlyList<Neighbour> Search(ReadOnlySpan<float> query, int count) => Search([query.ToArray()], count)[0];

    /// <summary>The same for many queries, in their order.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<IReadOnlyList<Neighbour>> Search(IReadOnlyList<float[]> queries, int count, CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        foreach (float[] query in queries) Require(query);
        var found = new IReadOnlyList<Neighbour>[queries.Count];
        for (int start = 0; start < queries.Count; start += QueriesAtOnce)
        {
            int rows = Math.Min(QueriesAtOnce, queries.Count - start);
            NearestList[] nearest = [.. Enumerable.Range(0, rows).Select(_ => new NearestList(Math.Min(count, Count)))];
            using var scope = new TensorScope();
            Tensor block = Tensor.Empty([rows, Dimensions]);
            for (int row = 0; row < rows; row++)
            {
                Span<float> place = block.AsSpan<float>().Slice(row * Dimensions, Dimensions);
                queries[start + row].CopyTo(place);
                if (Similarity == Similarity.Cosine) Normalise(place);
            }

            for (int i = 0; i < blocks.Count && count > 0; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                Compare(block, i, nearest);
            }

            for (int row = 0; row < rows; row++) found[start + row] = nearest[row].Ordered();
        }

        return found;
    }

    /// <summary>Frees the vectors.</summary>
    public void Dispose()
    {
        disposed = true;
        foreach (Tensor block in blocks) block.Dispose();
        blocks.Clear();
    }

    private void Compare(Tensor queries, int block, NearestList[] nearest)
    {
        int first = block * BlockRows, rows = Math.Min(BlockRows, Count - first);
        using var scope = new TensorScope();
        ReadOnlySpan<float> scores = Ops.MatMul(queries, Ops.Slice(blocks[block], 0, 0, rows), transposeB: true).AsSpan<float>();
        for (int query = 0; query < nearest.Length; query++) nearest[query].Add(first, scores.Slice(query * rows, rows));
    }

    /// <summary>In double, so that a vector whose squares overflow or vanish has its direction all the same.</summary>
    private static void Normalise(Span<float> vector)
    {
        double squares = 0;
        foreach (float value in vector) squares += (double)value * value;
        if (squares == 0) return;
        double inverse = 1 / Math.Sqrt(squares);
        foreach (ref float value in vector) value = (float)(value * inverse);
    }

    private void Require(ReadOnlySpan<float> vector)
    {
        if (vector.Length != Dimensions) throw new ArgumentException($"a vector has {vector.Length} dimensions; the index has {Dimensions}");
        if (ElementConversion.IndexOfNonFinite(vector) is var at and >= 0) throw new ArgumentException($"a vector has {vector[at]} at dimension {at}; finite numbers were expected");
    }
}
