using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Recurrent;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Recurrent layers.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Lstm(Tensor gates, Tensor weight, bool reverse, Tensor hidden, Tensor cells)
    {
        if (IsDouble(gates)) LstmLayer.Forward(ArraysOf<double>(gates, weight, reverse, cells), hidden.F64);
        else LstmLayer.Forward(ArraysOf<float>(gates, weight, reverse, cells), hidden.F32);
        Keep(gates, weight, hidden, cells);
    }

    public override void LstmBackward(Tensor gates, Tensor weight, bool reverse, Tensor cells, Tensor dhidden, Tensor dcell, Tensor dfirst)
    {
        if (IsDouble(gates)) LstmLayer.Backward(ArraysOf<double>(gates, weight, reverse, cells), dhidden.F64, dcell.F64, dfirst.F64);
        else LstmLayer.Backward(ArraysOf<float>(gates, weight, reverse, cells), dhidden.F32, dcell.F32, dfirst.F32);
        Keep(gates, weight, cells, dhidden, dcell, dfirst);
    }

    private static LstmArrays<T> ArraysOf<T>(Tensor gates, Tensor weight, bool reverse, Tensor cells)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(gates.Shape[0], gates.Shape[1], weight.Shape[1], reverse) { Gates = (T*)gates.Pointer, Weight = (T*)weight.Pointer, Cells = (T*)cells.Pointer };
}
