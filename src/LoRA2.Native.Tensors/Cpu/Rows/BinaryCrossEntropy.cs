using System.Numerics;

namespace LoRA2.Native.Tensors.Cpu.Rows;

/// <summary>The binary cross-entropy of logits, computed in double and added up in the elements' order: heads have few outputs, and the order decides the bits.</summary>
internal static unsafe class BinaryCrossEntropy
{
    /// <summary>The mean over all elements, 0 when there are none; and its gradient by the logits.</summary>
    public static double Forward<T>(T* x, T* target, nint count, T* gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double sum = 0;
        for (nint i = 0; i < count; i++)
        {
            (double logit, double truth) = (double.CreateTruncating(x[i]), double.CreateTruncating(target[i]));
            // e is at most 1, so that nothing overflows: PyTorch's form of it.
            double e = Math.Exp(-Math.Abs(logit));
            sum += Math.Max(logit, 0) - (logit * truth) + double.LogP1(e);
            double sigmoid = (logit >= 0 ? 1 : e) / (1 + e);
            gradient[i] = T.CreateTruncating((sigmoid - truth) / count);
        }

        return count == 0 ? 0 : sum / count;
    }
}
