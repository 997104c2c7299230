using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// MPNet's relative positions (arXiv 2004.09297; buckets as T5's, arXiv 1910.10683): a number for each head and bucket of distances, added to the scores. Its table for a length is
/// [heads, length, length].
/// </summary>
internal sealed class BucketedBias : IRelativeTable
{
    /// <summary>Whatever the config says, HuggingFace's class asks for this number.</summary>
    public const int Buckets = 32;

    private const int MaxDistance = 128;

    private readonly Parameter table;
    private readonly ByLength buckets = new(BucketsOf);

    /// <param name="source">Where the weights are.</param>
    /// <param name="path">The embedding's whole name.</param>
    /// <param name="rows">Rows of the table, of which the first <see cref="Buckets"/> are used.</param>
    /// <param name="heads">Attention heads.</param>
    public BucketedBias(ParameterSource source, string path, int rows, int heads) => table = source.Table($"{path}.weight", rows, heads);

    /// <summary>The bucket of a distance query − key: half of them for each direction, in each half one a distance up to 7, then logarithmic up to 127.</summary>
    public static int Bucket(int distance)
    {
        const int Half = Buckets / 2, Exact = Half / 2;
        int start = distance < 0 ? Half : 0, magnitude = Math.Abs(distance);
        if (magnitude < Exact) return start + magnitude;

        // In single precision, as the original computes it.
        float position = MathF.Log(magnitude / (float)Exact) / (float)Math.Log((double)MaxDistance / Exact) * (Half - Exact);
        return start + Math.Min(Exact + (int)position, Half - 1);
    }

    public RelativeRows? For(int length)
    {
        Tensor ids = buckets.On(table.Value.Device, length);
        return new RelativeRows(Ops.Contiguous(Ops.Permute(Ops.Embedding(table.Value, ids), 2, 0, 1)), []);
    }

    private static Tensor BucketsOf(int length)
    {
        Tensor ids = Tensor.Zeros([length, length], DType.Int32);
        Span<int> found = ids.AsSpan<int>();
        for (int query = 0; query < length; query++)
        {
            for (int key = 0; key < length; key++) found[(query * length) + key] = Bucket(query - key);
        }

        return ids;
    }
}
