using LoRA2.Native.Tensors;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Kernels that make one vector of a text's many.</content>
internal sealed unsafe partial class CudaKernels
{
    public override void Normalize(Tensor x, double epsilon, Tensor y, Tensor reciprocal)
    {
        RequireFloat32(nameof(Normalize), x, y, reciprocal);
        if (x.Shape.Rows > 0) launch.Pooling.Normalize(x.Shape.Rows, RowThreads, x, (float)epsilon, y, reciprocal, x.Shape.Columns);
    }

    public override void NormalizeBackward(Tensor y, Tensor reciprocal, Tensor dy, Tensor dx)
    {
        RequireFloat32(nameof(NormalizeBackward), y, reciprocal, dy, dx);
        if (dx.Count > 0) launch.Pooling.NormalizeBackward(y.Shape.Rows, RowThreads, y, reciprocal, dy, dx, y.Shape.Columns);
    }

    public override void MaskedMax(Tensor x, Tensor mask, Tensor y, Tensor places)
    {
        RequireFloat32(nameof(MaskedMax), x, y);
        RequireInt32(nameof(MaskedMax), mask);
        RequireInt32(nameof(MaskedMax), places);
        if (y.Count > 0) launch.Pooling.MaskedMax(ElementBlocks(y.Count, 0), ElementThreads, x, mask, y, places, x.Shape[1], x.Shape[2], y.Count);
    }

    public override void MaskedMaxBackward(Tensor places, Tensor dy, Tensor dx)
    {
        RequireFloat32(nameof(MaskedMaxBackward), dy, dx);
        RequireInt32(nameof(MaskedMaxBackward), places);
        if (dy.Count > 0) launch.Pooling.MaskedMaxBackward(ElementBlocks(dy.Count, 0), ElementThreads, places, dy, dx, dx.Shape[1], dx.Shape[2], dy.Count);
    }
}
