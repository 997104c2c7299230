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

    public override void Gru(Tensor gates, Tensor own, Tensor weight, Tensor? bias, bool reverse, Tensor hidden)
    {
        if (IsDouble(gates)) GruLayer.Forward(GruArraysOf<double>(gates, own, weight, reverse, hidden), PointerTo<double>(bias));
        else GruLayer.Forward(GruArraysOf<float>(gates, own, weight, reverse, hidden), PointerTo<float>(bias));
        Keep(gates, own, weight, bias, hidden);
    }

    public override void GruBackward(Tensor gates, Tensor own, Tensor weight, bool reverse, Tensor hidden, Tensor dhidden, Tensor dfirst)
    {
        if (IsDouble(gates)) GruLayer.Backward(GruArraysOf<double>(gates, own, weight, reverse, hidden), dhidden.F64, dfirst.F64);
        else GruLayer.Backward(GruArraysOf<float>(gates, own, weight, reverse, hidden), dhidden.F32, dfirst.F32);
        Keep(gates, own, weight, hidden, dhidden, dfirst);
    }

    private static GruArrays<T> GruArraysOf<T>(Tensor gates, Tensor own, Tensor weight, bool reverse, Tensor hidden)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(gates.Shape[0], gates.Shape[1], weight.Shape[1], reverse, (T*)gates.Pointer, (T*)own.Pointer, (T*)weight.Pointer, (T*)hidden.Pointer);

    private static LstmArrays<T> ArraysOf<T>(Tensor gates, Tensor weight, bool reverse, Tensor cells)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        new(gates.Shape[0], gates.Shape[1], weight.Shape[1], reverse) { Gates = (T*)gates.Pointer, Weight = (T*)weight.Pointer, Cells = (T*)cells.Pointer };
}
