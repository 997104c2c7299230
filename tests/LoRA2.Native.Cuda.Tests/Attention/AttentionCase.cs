using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Cuda.Tests.Attention;

/// <summary>One case of an attention.</summary>
internal sealed record AttentionCase(int Batch, int Length, int Heads, int Size)
{
    private const int Positions = 9;

    /// <summary>One sequence whole, one with trailing padding and a gap, one all padding.</summary>
    public bool Masked { get; init; }

    public bool MaskQueries { get; init; }

    public double Dropout { get; init; }

    public bool PositionKey { get; init; }

    public bool PositionQuery { get; init; }

    public bool Probabilities { get; init; }

    public Precision Precision { get; init; }

    /// <summary>y, the gradients that there are, and the probabilities if wanted.</summary>
    public float[][] Run(Device device)
    {
        int width = Heads * Size;
        Shape whole = [Batch, Length, width];
        Tensor q = Draw(1, whole, device), k = Draw(2, whole, device), v = Draw(3, whole, device), dy = Draw(4, whole, device);
        Tensor? keys = PositionKey ? Draw(5, [Positions, width], device) : null, queries = PositionQuery ? Draw(6, [Positions, width], device) : null;
        var terms = new AttentionTerms(
            Heads, 0.4, Masked ? Mask().To(device) : null, MaskQueries, Dropout > 0 ? new DropoutMask(Dropout, 11, 22, 33) : DropoutMask.None, keys, queries, keys is null && queries is null ? null : Buckets(), Precision);
        Shape scores = [Batch, Heads, Length, Length];
        Tensor? probabilities = Probabilities ? Tensor.Empty(scores, DType.Float32, device) : null, kept = device.Kernels.KeptOfAttention(q, terms).Kept is { } shape ? Tensor.Empty(shape, DType.Float32, device) : null;
        Tensor y = Like(q);
        device.Kernels.Attention(q, k, v, terms, probabilities, kept, y);
        var gradients = new AttentionGradients(Like(q), Like(k), Like(v), keys is null ? null : Like(keys), queries is null ? null : Like(queries));
        device.Kernels.AttentionBackward(q, k, v, terms, kept, y, dy, gradients);
        Tensor?[] results = [y, gradients.Query, gradients.Key, gradients.Value, gradients.PositionKey, gradients.PositionQuery, probabilities];
        return [.. results.OfType<Tensor>().Select(tensor => tensor.ToArray<float>())];
    }

    private static Tensor Like(Tensor tensor) => Tensor.Empty(tensor.Shape, DType.Float32, tensor.Device);

    private static Tensor Draw(int seed, Shape shape, Device device)
    {
        Tensor tensor = Tensor.Empty(shape);
        new Philox((ulong)seed).FillNormal(tensor.AsSpan<float>(), 0, 1);
        return tensor.To(device);
    }

    private Tensor Mask()
    {
        int[] mask = new int[Batch * Length];
        Array.Fill(mask, 1);
        for (int i = 0; i < Length && Batch > 1; i++) mask[Length + i] = i < Length - (Length / 3) && i != 2 ? 1 : 0;
        if (Batch > 2) Array.Fill(mask, 0, 2 * Length, Length);
        return Tensor.From(mask, [Batch, Length]);
    }

    /// <summary>Rows of distances that are consecutive near 0 and shared farther out.</summary>
    private int[] Buckets() =>
        [.. Enumerable.Range(1 - Length, Math.Max(0, (2 * Length) - 1)).Select(distance => 4 + (Math.Sign(distance) * Math.Min(4, Math.Abs(distance) <= 2 ? Math.Abs(distance) : 1 + (int)Math.Log2(Math.Abs(distance)))))];
}
