using LoRA2.Native.Tensors.Cpu.Recurrent;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>Recurrent layers.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void Lstm(Tensor gates, Tensor weight, bool reverse, Tensor hidden, Tensor cells)
    {
        RecurrentSteps steps = StepsOf(gates, weight, reverse);
        if (IsDouble(gates)) LstmLayer.Forward(steps, gates.F64, weight.F64, cells.F64, hidden.F64);
        else LstmLayer.Forward(steps, gates.F32, weight.F32, cells.F32, hidden.F32);
        Keep(gates, weight, hidden, cells);
    }

    public override void LstmBackward(Tensor gates, Tensor weight, bool reverse, Tensor cells, Tensor dhidden, Tensor dcell, Tensor dfirst, bool needsFirst)
    {
        RecurrentSteps steps = StepsOf(gates, weight, reverse);
        if (IsDouble(gates)) LstmLayer.Backward(steps, gates.F64, weight.F64, cells.F64, dhidden.F64, dcell.F64, dfirst.F64, needsFirst);
        else LstmLayer.Backward(steps, gates.F32, weight.F32, cells.F32, dhidden.F32, dcell.F32, dfirst.F32, needsFirst);
        Keep(gates, weight, cells, dhidden, dcell, dfirst);
    }

    public override void Gru(Tensor gates, Tensor own, Tensor weight, Tensor? bias, bool reverse, Tensor hidden)
    {
        RecurrentSteps steps = StepsOf(gates, weight, reverse);
        if (IsDouble(gates)) GruLayer.Forward(steps, gates.F64, own.F64, weight.F64, PointerTo<double>(bias), hidden.F64);
        else GruLayer.Forward(steps, gates.F32, own.F32, weight.F32, PointerTo<float>(bias), hidden.F32);
        Keep(gates, own, weight, bias, hidden);
    }

    public override void GruBackward(Tensor gates, Tensor own, Tensor weight, bool reverse, Tensor hidden, Tensor dhidden, Tensor dfirst, bool needsFirst)
    {
        RecurrentSteps steps = StepsOf(gates, weight, reverse);
        if (IsDouble(gates)) GruLayer.Backward(steps, gates.F64, own.F64, weight.F64, hidden.F64, dhidden.F64, dfirst.F64, needsFirst);
        else GruLayer.Backward(steps, gates.F32, own.F32, weight.F32, hidden.F32, dhidden.F32, dfirst.F32, needsFirst);
        Keep(gates, own, weight, hidden, dhidden, dfirst);
    }

    private static RecurrentSteps StepsOf(Tensor gates, Tensor weight, bool reverse) => new(gates.Shape[0], gates.Shape[1], weight.Shape[1], reverse);
}
