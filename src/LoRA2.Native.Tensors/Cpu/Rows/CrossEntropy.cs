using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>
/// Cross-entropy of logits [rows, classes] against labels [rows]: the mean of log Σ_c e^(x_c) − x_label over the rows with a label of 0
/// or more. Rows with a negative label are ignored; when all are, the loss is 0 and so is the gradient (PyTorch gives NaN).
/// The caller has checked that labels are below the number of classes.
/// </summary>
internal static unsafe class CrossEntropy
{
    /// <summary>The loss.</summary>
    public static double Forward<T>(T* logits, int* labels, nint rows, nint classes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint counted = Counted(labels, rows);
        if (counted == 0) return 0;
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(classes));
        double* partials = Scratch.Get<double>(ScratchSlot.Partials, parts);
        SimdTask.Run<T, LossTask<T>>(parts, new(logits, labels, rows, classes, partials));
        return Reduction.Ordered(partials, parts) / counted;
    }

    /// <summary>gradient = (or +=) upstream · (softmax(logits) − [c = label]) / counted rows; 0 in ignored rows.</summary>
    public static void Backward<T>(T* logits, int* labels, T upstream, nint rows, nint classes, T* gradient, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (rows == 0 || classes == 0) return;
        T scale = upstream / T.CreateTruncating(Math.Max(1, Counted(labels, rows)));
        int parts = SimdTask.Parts(rows, SimdTask.RowsPerPart(classes));
        SimdTask.Run<T, GradientTask<T>>(parts, new(logits, labels, scale, rows, classes, gradient, accumulate));
    }

    /// <summary>The number of labels of 0 or more.</summary>
    public static nint Counted(int* labels, nint rows)
    {
        nint counted = 0;
        for (nint r = 0; r < rows; r++) counted += labels[r] >= 0 ? 1 : 0;
        return counted;
    }

    // The row's largest logit, and the sum of e^(x − largest).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T SumExp<TSimd, T>(T* row, nint classes, out T largest)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSimd : unmanaged, ISimd<TSimd, T>
    {
        TSimd lowest = TSimd.Create(T.NegativeInfinity);
        TSimd max = lowest;
        for (nint c = 0; c < classes; c += TSimd.Count)
            max = TSimd.Max(TSimd.LoadPartial(row + c, (int)Math.Min(TSimd.Count, classes - c), lowest), max);
        largest = TSimd.Largest(max);

        TSimd shift = TSimd.Create(largest);
        TSimd sum = default;
        for (nint c = 0; c < classes; c += TSimd.Count)
        {
            TSimd v = TSimd.LoadPartial(row + c, (int)Math.Min(TSimd.Count, classes - c), lowest);
            sum += VectorMath.ExpNotPositive<TSimd, T>(v - shift);
        }

        return TSimd.Sum(sum);
    }

    private readonly struct LossTask<T>(T* logits, int* labels, nint rows, nint classes, double* partials) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(classes);
            nint end = Math.Min(rows, (index + 1) * block);
            double loss = 0;
            for (nint r = index * block; r < end; r++)
            {
                if (labels[r] < 0) continue;
                T* row = logits + (r * classes);
                double sum = VectorMath.Widen(SumExp<TSimd, T>(row, classes, out T largest));
                loss += Math.Log(sum) + (VectorMath.Widen(largest) - VectorMath.Widen(row[labels[r]]));
            }

            partials[index] = loss;
        }
    }

    private readonly struct GradientTask<T>(T* logits, int* labels, T scale, nint rows, nint classes, T* gradient, bool accumulate) : ISimdTask<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int index)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            nint block = SimdTask.RowsPerPart(classes);
            nint end = Math.Min(rows, (index + 1) * block);
            for (nint r = index * block; r < end; r++)
            {
                T* to = gradient + (r * classes);
                if (labels[r] >= 0)
                    Row<TSimd>(logits + (r * classes), labels[r], to);
                else if (!accumulate)
                    for (nint c = 0; c < classes; c++) to[c] = T.Zero;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Row<TSimd>(T* row, int label, T* to)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            T sum = SumExp<TSimd, T>(row, classes, out T largest);
            TSimd shift = TSimd.Create(largest);
            TSimd factor = TSimd.Create(scale / sum);
            for (nint c = 0; c < classes; c += TSimd.Count)
            {
                int lanes = (int)Math.Min(TSimd.Count, classes - c);
                TSimd v = VectorMath.ExpNotPositive<TSimd, T>(TSimd.LoadPartial(row + c, lanes, shift) - shift) * factor;
                if (accumulate) v = TSimd.LoadPartial(to + c, lanes, default) + v;
                TSimd.StorePartial(v, to + c, lanes);
            }

            to[label] -= scale;
        }
    }
}
