using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Operations;

/// <content>The optimiser's kernels.</content>
internal sealed unsafe partial class CudaKernels
{
    private readonly DeviceTable optimised = new(device);

    public override void AdamW(ReadOnlySpan<AdamWParameter> parameters, Tensor numbers, Tensor? squares)
    {
        RequireFloat64(nameof(AdamW), numbers, squares);
        int pieces = 0;
        foreach (AdamWParameter parameter in parameters)
        {
            RequireFloat32(
                nameof(AdamW), parameter.Value, parameter.Gradient, parameter.FirstMoment, parameter.SecondMoment, parameter.Sensitivity?.Average, parameter.Sensitivity?.Uncertainty);
            pieces += Blocks(parameter.Value.Count, Piece);
        }

        if (pieces == 0) return;
        Span<AdamWRecord> records = MemoryMarshal.Cast<byte, AdamWRecord>(optimised.Next(pieces * sizeof(AdamWRecord)));
        int at = 0;
        foreach (AdamWParameter parameter in parameters)
        {
            for (int first = 0; first < parameter.Value.Count; first += Piece) records[at++] = RecordOf(parameter, first);
        }

        Address table = optimised.Put();
        int begin = 0, end = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            int group = parameters[i].Group;
            end += Blocks(parameters[i].Value.Count, Piece);
            if (end == begin || (i + 1 < parameters.Length && parameters[i + 1].Group == group)) continue;
            launch.Optimiser.AdamW(end - begin, ElementThreads, table, begin, (Address)numbers + (group * AdamWStep.Columns * sizeof(double)), squares);
            begin = end;
        }
    }

    public override void Shrink(Tensor x, double threshold, bool released)
    {
        RequireFloat32(nameof(Shrink), x);
        if (x.Count > 0) launch.Optimiser.Shrink(ElementBlocks(x.Count, 0), ElementThreads, x, (float)threshold, released ? 1 : 0, x.Count);
    }

    public override void UpdateSensitivity(Sensitivity sensitivity, Tensor gradient)
    {
        (Tensor weight, Tensor average, Tensor uncertainty, double beta1, double beta2) = sensitivity;
        RequireFloat32(nameof(UpdateSensitivity), weight, gradient, average, uncertainty);
        if (weight.Count == 0) return;
        launch.Optimiser.Sensitivity(
            ElementBlocks(weight.Count, 0), ElementThreads, weight, gradient, average, uncertainty,
            (float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2), weight.Count);
    }

    private static AdamWRecord RecordOf(in AdamWParameter parameter, int first)
    {
        (Tensor value, Tensor gradient, Tensor firstMoment, Tensor secondMoment, _, Sensitivity? scored) = parameter;
        int count = Math.Min(Piece, value.Count - first);
        long bytes = 4L * first;
        var record = new AdamWRecord
        {
            Weights = (long)value.Address + bytes,
            Gradient = (long)gradient.Address + bytes,
            FirstMoment = (long)firstMoment.Address + bytes,
            SecondMoment = (long)secondMoment.Address + bytes,
            Count = count,
            Vectors = Vectors(count, value, gradient, firstMoment, secondMoment, scored?.Average, scored?.Uncertainty),
        };
        if (scored is not { } sensitivity) return record;
        record.Average = (long)sensitivity.Average.Address + bytes;
        record.Uncertainty = (long)sensitivity.Uncertainty.Address + bytes;
        record.Beta1 = (float)sensitivity.Beta1;
        record.OneLessBeta1 = (float)(1 - sensitivity.Beta1);
        record.Beta2 = (float)sensitivity.Beta2;
        record.OneLessBeta2 = (float)(1 - sensitivity.Beta2);
        return record;
    }

    /// <summary>A piece of a parameter, as the kernel reads it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 80)]
    private struct AdamWRecord
    {
        public long Weights;
        public long Gradient;
        public long FirstMoment;
        public long SecondMoment;
        public long Average;
        public long Uncertainty;
        public int Count;
        public int Vectors;
        public float Beta1;
        public float OneLessBeta1;
        public float Beta2;
        public float OneLessBeta2;
    }
}
