using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Cpu.Rows;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Tensors.Cpu;

/// <content>The optimiser's kernels.</content>
internal sealed unsafe partial class CpuKernels
{
    public override void SumOfSquares(ReadOnlySpan<Tensor> tensors, Tensor sum)
    {
        *sum.F64 = SumOfSquares<float>(tensors, DType.Float32) + SumOfSquares<double>(tensors, DType.Float64);
        foreach (Tensor tensor in tensors) Keep(tensor);
        Keep(sum);
    }

    public override void AdamW(ReadOnlySpan<AdamWParameter> parameters, Tensor numbers, Tensor? squares)
    {
        double norm = squares is null ? 0 : Math.Sqrt(*squares.F64);
        if (!double.IsFinite(norm)) return;
        AdamW<float>(parameters, DType.Float32, numbers, norm);
        AdamW<double>(parameters, DType.Float64, numbers, norm);
        Keep(numbers, squares);
        foreach (AdamWParameter parameter in parameters) Keep(parameter.Value, parameter.Gradient, parameter.FirstMoment, parameter.SecondMoment, parameter.Sensitivity?.Average, parameter.Sensitivity?.Uncertainty);
    }

    public override void Shrink(Tensor x, double threshold, bool released)
    {
        if (IsDouble(x)) Shrink(x.AsSpan<double>(), threshold, released);
        else Shrink(x.AsSpan<float>(), (float)threshold, released);
        Keep(x);
    }

    public override void UpdateSensitivity(Sensitivity sensitivity, Tensor gradient)
    {
        (Tensor weight, Tensor average, Tensor uncertainty, double beta1, double beta2) = sensitivity;
        if (IsDouble(weight)) SensitivityUpdate.Run(weight.F64, gradient.F64, beta1, beta2, weight.Count, average.F64, uncertainty.F64);
        else SensitivityUpdate.Run(weight.F32, gradient.F32, beta1, beta2, weight.Count, average.F32, uncertainty.F32);
        Keep(weight, gradient, average, uncertainty);
    }

    public override void ImportanceScores(ReadOnlySpan<ImportanceScorer> scorers, Tensor scores)
    {
        int count = 0;
        foreach (ImportanceScorer scorer in scorers) count += scorer.Terms.Length;
        ScorePointers* terms = Scratch.Get<ScorePointers>(ScratchSlot.Operands, count);
        int* starts = Scratch.Get<int>(ScratchSlot.Starts, scorers.Length + 1);
        scores.AsSpan<double>().Clear();
        double* own = scores.F64;
        count = 0;
        for (int i = 0; i < scorers.Length; i++)
        {
            starts[i] = count;
            foreach (ScoreTerm term in scorers[i].Terms)
                terms[count++] = new(term.Average.Pointer, term.Uncertainty.Pointer, IsDouble(term.Average), term.Length, term.Along, term.Next, term.Divisor, own, scorers[i].Rank);
            own += scorers[i].Rank;
        }

        starts[scorers.Length] = count;
        Cpu.Optimisers.ImportanceScores.Run(terms, starts, scorers.Length);
        Keep(scores);
        foreach (ImportanceScorer scorer in scorers) Keep(scorer);
    }

    public override void Prune(ReadOnlySpan<Tensor> tensors, Tensor kept)
    {
        ReadOnlySpan<int> left = kept.AsSpan<int>();
        foreach (Tensor tensor in tensors)
        {
            if (IsDouble(tensor)) Prune(tensor.AsSpan<double>(), left);
            else Prune(tensor.AsSpan<float>(), left);
            left = left[tensor.Count..];
            Keep(tensor);
        }

        Keep(kept);
    }

    private static void Prune<T>(Span<T> values, ReadOnlySpan<int> kept)
        where T : unmanaged
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (kept[i] == 0) values[i] = default;
        }
    }

    private static void Shrink<T>(Span<T> values, T threshold, bool released)
        where T : IBinaryFloatingPointIeee754<T>
    {
        foreach (ref T value in values)
        {
            T left = value > threshold ? value - threshold : value < -threshold ? value + threshold : released ? value : T.Zero;
            value = released && T.Abs(left) < threshold ? T.Zero : left;
        }
    }

    private static double SumOfSquares<T>(ReadOnlySpan<Tensor> tensors, DType dtype)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArrayOf<T>* arrays = Scratch.Get<ArrayOf<T>>(ScratchSlot.Operands, tensors.Length);
        int count = 0;
        foreach (Tensor tensor in tensors)
        {
            if (tensor.DType == dtype) arrays[count++] = new((T*)tensor.Pointer, tensor.Count);
            else IsDouble(tensor);
        }

        return count == 0 ? 0 : Reduction.SumOfSquares<T>(new ReadOnlySpan<ArrayOf<T>>(arrays, count));
    }

    private static void AdamW<T>(ReadOnlySpan<AdamWParameter> parameters, DType dtype, Tensor numbers, double norm)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        AdamWPointers<T>* pointers = Scratch.Get<AdamWPointers<T>>(ScratchSlot.Operands, parameters.Length);
        int count = 0;
        int last = -1;
        AdamWConstants<T> constants = default;
        foreach (AdamWParameter parameter in parameters)
        {
            if (parameter.Value.DType != dtype) continue;
            if (parameter.Group != last)
            {
                last = parameter.Group;
                ReadOnlySpan<double> row = numbers.AsSpan<double>().Slice(last * AdamWStep.Columns, AdamWStep.Columns);
                constants = AdamWConstants<T>.From(row, AdamWStep.ClipFactor(norm, row[^1]));
            }

            AdamWPointers<T>* next = pointers + count++;
            *next = new()
            {
                Count = parameter.Value.Count,
                Weights = PointerTo<T>(parameter.Value),
                Gradient = PointerTo<T>(parameter.Gradient),
                FirstMoment = PointerTo<T>(parameter.FirstMoment),
                SecondMoment = PointerTo<T>(parameter.SecondMoment),
                Constants = constants,
            };
            if (parameter.Sensitivity is not { } sensitivity) continue;
            next->Average = PointerTo<T>(sensitivity.Average);
            next->Uncertainty = PointerTo<T>(sensitivity.Uncertainty);
            next->Decay = new SensitivityDecay<T>(sensitivity.Beta1, sensitivity.Beta2);
        }

        Cpu.Optimisers.AdamW.Step(pointers, count);
    }
}
