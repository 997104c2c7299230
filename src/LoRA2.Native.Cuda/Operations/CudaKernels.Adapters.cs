using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Kernels of adapters' factors.</content>
internal sealed unsafe partial class CudaKernels
{
    /// <summary>Rows of an outer factor that one block takes, and how much of a plane's width.</summary>
    private const int FoldRows = 64, PlaneWidth = 128;

    /// <summary>Values of the middle matrix that a block has room for.</summary>
    private const int FoldValues = 4096;

    private readonly DeviceTable planesOfLosses = new(device);
    private readonly DeviceTable planesOfGradients = new(device);

    public override void ReciprocalNorms(Tensor squared, Tensor b, Tensor linear, Tensor quadratic, double s, Tensor reciprocal)
    {
        RequireFloat64(nameof(ReciprocalNorms), squared);
        RequireFloat32(nameof(ReciprocalNorms), b, linear, quadratic, reciprocal);
        (int outputs, int rank) = (b.Shape[0], b.Shape[1]);
        if (outputs > 0) launch.Adapters.ReciprocalNorms(ElementBlocks(outputs, 0), ElementThreads, squared, b, linear, quadratic, 2 * s, s * s, reciprocal, outputs, rank);
    }

    public override void LoRA2Fold(LoRA2Factors factors, Tensor middle, Tensor folded)
    {
        RequireFloat32(nameof(LoRA2Fold), factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, middle, folded);
        (int inputs, int k, int r) = (factors.OuterLeft.Shape[0], factors.OuterRank, factors.Rank);
        if (k == 0) return;
        if (k > FoldValues) throw new NotSupportedException($"LoRA2Fold: an outer rank of {k}; on {device.Name} it has to be at most {FoldValues}");
        int columns = Math.Min(k, FoldValues / k);
        launch.Adapters.Fold(
            new Grid3(Math.Max(1, Blocks(inputs, FoldRows)), Blocks(k, columns)), ElementThreads,
            factors.OuterLeft, factors.InnerLeft, factors.SingularValues, factors.InnerRight, middle, folded, inputs, k, r, FoldRows, columns);
    }

    public override void LoRA2FoldBackward(
        LoRA2Factors factors, Tensor middle, Tensor x, Tensor h, double scale, Tensor? douterLeft, Tensor? dinnerLeft, Tensor? dsingularValues, Tensor? dinnerRight, bool adds)
    {
        RequireFloat32(nameof(LoRA2FoldBackward), factors.OuterLeft, middle, x, h, douterLeft, dinnerLeft, dsingularValues, dinnerRight);
        (int inputs, int k, int r, int tokens) = (factors.OuterLeft.Shape[0], factors.OuterRank, factors.Rank, x.Shape.Rows);
        bool inner = (dinnerLeft ?? dsingularValues ?? dinnerRight) is not null && r > 0;
        if (douterLeft is null && !inner) return;
        int chunks = Blocks(inputs, FoldRows), added = adds ? 1 : 0;
        using var scope = new TensorScope();
        Tensor partials = Tensor.Empty([chunks, k, k], DType.Float32, device);
        Tensor work = Tensor.Empty([k, k + r], DType.Float32, device);
        if (chunks > 0 && k > 0)
        {
            if (k <= MostThin && tokens > 0)
            {
                ThinParts parts = PartsAlongColumns(x, h, k, 1, inputs, k, tokens);
                launch.Adapters.FoldGradient(
                    chunks, ElementThreads, factors.OuterLeft, parts.Storage, parts.Count, parts.Columns * inputs, 1, inputs, (float)scale,
                    middle, partials, douterLeft, added, inputs, k, FoldRows);
                parts.Storage.Release();
            }
            else
            {
                Tensor dfolded = Tensor.Empty([inputs, k], DType.Float32, device);
                MatMul(x, true, h, false, dfolded, scale);
                launch.Adapters.FoldGradient(chunks, ElementThreads, factors.OuterLeft, dfolded, 1, 0, k, 1, 1f, middle, partials, douterLeft, added, inputs, k, FoldRows);
            }
        }

        if (!inner) return;
        launch.Adapters.Inner(
            1, ElementThreads, factors.InnerLeft, factors.SingularValues, factors.InnerRight, partials, chunks, work,
            dinnerLeft, dsingularValues, dinnerRight, added, k, r);
    }

    public override void Orthogonality(ReadOnlySpan<OrthogonalityPlane> planes, bool norms, double scale, Tensor loss, Tensor kept)
    {
        RequireFloat32(nameof(Orthogonality), loss, kept);
        long floats = 0;
        int widest = 0;
        foreach (OrthogonalityPlane plane in planes)
        {
            RequireFloat32(nameof(Orthogonality), plane.Outer, plane.Inner);
            floats += WorkOf(plane);
            if (plane.OuterRank > 0) widest = Math.Max(widest, WidthOf(plane));
        }

        using var scope = new TensorScope();
        Tensor work = Tensor.Empty([checked((int)floats)], DType.Float32, device);
        Tensor losses = Tensor.Empty([planes.Length], DType.Float64, device);
        if (planes.Length > 0)
        {
            Span<PlaneRecord> records = MemoryMarshal.Cast<byte, PlaneRecord>(planesOfLosses.Next(planes.Length * sizeof(PlaneRecord)));
            long at = (long)work.Address;
            for (int i = 0; i < planes.Length; i++)
            {
                records[i] = RecordOf(planes[i], kept, i) with { Work = at };
                at += 4 * WorkOf(planes[i]);
            }

            Address table = planesOfLosses.Put();
            if (widest > 0) launch.Orthogonality.Gram(new Grid3(Blocks(widest, PlaneWidth), planes.Length), RowThreads, table, PlaneWidth);
            launch.Orthogonality.Loss(planes.Length, RowThreads, table, PlaneWidth, norms ? 1 : 0, losses);
        }

        launch.Orthogonality.Total(1, RowThreads, losses, planes.Length, scale, loss);
    }

    public override void OrthogonalityBackward(
        ReadOnlySpan<OrthogonalityPlane> planes, Tensor kept, double scale, Tensor dloss, ReadOnlySpan<OrthogonalityGradients> gradients)
    {
        RequireFloat32(nameof(OrthogonalityBackward), kept, dloss);
        if (planes.Length == 0) return;
        Span<PlaneRecord> records = MemoryMarshal.Cast<byte, PlaneRecord>(planesOfGradients.Next(planes.Length * sizeof(PlaneRecord)));
        int widest = 1;
        for (int i = 0; i < planes.Length; i++)
        {
            RequireFloat32(nameof(OrthogonalityBackward), planes[i].Outer, gradients[i].Outer, gradients[i].Inner);
            widest = Math.Max(widest, WidthOf(planes[i]));
            records[i] = RecordOf(planes[i], kept, i) with { OuterGradient = gradients[i].Outer, InnerGradient = gradients[i].Inner };
        }

        launch.Orthogonality.Backward(new Grid3(Blocks(widest, PlaneWidth), planes.Length), RowThreads, planesOfGradients.Put(), PlaneWidth, scale, dloss);
    }

    private static int WidthOf(in OrthogonalityPlane plane) => plane.Outer.Shape[plane.IsLeft ? 0 : 1];

    /// <summary>Values of working memory: the shares of uᵀu, and what the inner matrix's terms need.</summary>
    private static long WorkOf(in OrthogonalityPlane plane)
    {
        (long k, long r) = (plane.OuterRank, plane.Rank);
        return (Math.Max(1, Blocks(WidthOf(plane), PlaneWidth)) * k * k) + (Math.Max(k, r) * Math.Max(k, r)) + (3 * k * r);
    }

    private static PlaneRecord RecordOf(in OrthogonalityPlane plane, Tensor kept, int index) => new()
    {
        Outer = plane.Outer,
        Inner = plane.Inner,
        Kept = (long)kept.Address + (4L * index * kept.Shape[1]),
        Width = WidthOf(plane),
        K = plane.OuterRank,
        R = plane.Rank,
        Bits = (plane.IsLeft ? 1 : 0) | (plane.OfFactors ? 2 : 0) | (plane.OfProduct ? 4 : 0),
    };

    /// <summary>A plane as the kernels read it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private record struct PlaneRecord
    {
        public Address Outer;
        public Address Inner;
        public long Kept;
        public Address OuterGradient;
        public Address InnerGradient;
        public long Work;
        public int Width;
        public int K;
        public int R;
        public int Bits;
    }
}
