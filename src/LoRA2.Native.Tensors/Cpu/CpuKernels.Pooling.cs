using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Kernels that make one vector of a text's many.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Normalize(Tensor x, double epsilon, Tensor y, Tensor reciprocal)
    {
        (int rows, int columns) = (x.Shape.Rows, x.Shape.Columns);
        if (IsDouble(x)) NormalizedRows.Forward(x.F64, epsilon, rows, columns, y.F64, reciprocal.F64);
        else NormalizedRows.Forward(x.F32, (float)epsilon, rows, columns, y.F32, reciprocal.F32);
        Keep(x, y, reciprocal);
    }

    public override void NormalizeBackward(Tensor y, Tensor reciprocal, Tensor dy, Tensor dx)
    {
        (int rows, int columns) = (y.Shape.Rows, y.Shape.Columns);
        if (IsDouble(y)) NormalizedRows.Backward(y.F64, reciprocal.F64, dy.F64, rows, columns, dx.F64);
        else NormalizedRows.Backward(y.F32, reciprocal.F32, dy.F32, rows, columns, dx.F32);
        Keep(y, reciprocal, dy, dx);
    }

    public override void MaskedMax(Tensor x, Tensor mask, Tensor y, Tensor places)
    {
        (int batch, int length, int width) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        if (IsDouble(x)) Cpu.Rows.MaskedMax.Forward(x.F64, mask.I32, batch, length, width, y.F64, places.I32);
        else Cpu.Rows.MaskedMax.Forward(x.F32, mask.I32, batch, length, width, y.F32, places.I32);
        Keep(x, mask, y, places);
    }

    public override void MaskedMaxBackward(Tensor places, Tensor dy, Tensor dx)
    {
        (int batch, int length, int width) = (dx.Shape[0], dx.Shape[1], dx.Shape[2]);
        if (IsDouble(dx)) Cpu.Rows.MaskedMax.Backward(places.I32, dy.F64, batch, length, width, dx.F64);
        else Cpu.Rows.MaskedMax.Backward(places.I32, dy.F32, batch, length, width, dx.F32);
        Keep(places, dy, dx);
    }
}
