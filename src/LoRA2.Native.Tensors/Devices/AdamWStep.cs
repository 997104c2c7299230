using LoRA2.Native.Tensors.Cpu.Optimisers;

namespace LoRA2.Native.Tensors.Devices;

/// <summary>The numbers of one AdamW step.</summary>
/// <param name="LearningRate">η.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay; the parameter is first multiplied by 1 − η · decay.</param>
/// <param name="ClipNorm">Limit of the norm of all gradients together; 0 for none.</param>
/// <param name="Step">Number of this step, from 1.</param>
internal readonly record struct AdamWStep(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, double ClipNorm, int Step)
{
    /// <summary>Values of a row of the numbers that <see cref="Kernels.AdamW"/> takes.</summary>
    public const int Columns = 8;

    /// <summary>Writes the row of a group of parameters: 1 − η · decay, 1 − β₁, β₂, 1 − β₂, √(1 − β₂ᵗ), ε, −η/(1 − β₁ᵗ) and the limit of the norm.</summary>
    public void Write(Span<double> row)
    {
        row[0] = 1 - (LearningRate * WeightDecay);
        row[1] = 1 - Beta1;
        row[2] = Beta2;
        row[3] = 1 - Beta2;
        row[4] = Math.Sqrt(1 - Math.Pow(Beta2, Step));
        row[5] = Epsilon;
        row[6] = -LearningRate / (1 - Math.Pow(Beta1, Step));
        row[7] = ClipNorm;
    }

    /// <summary>PyTorch's clip_grad_norm_ as a factor: 1 below the limit or without one, else limit / (norm + 1e-6).</summary>
    public static double ClipFactor(double norm, double limit) => limit <= 0 ? 1 : Math.Min(1, limit / (norm + 1e-6));
}

/// <summary>What AdamW changes of one parameter, all of its shape.</summary>
/// <param name="Value">The parameter.</param>
/// <param name="Gradient">Its gradient.</param>
/// <param name="FirstMoment">The average of the gradient.</param>
/// <param name="SecondMoment">The average of its square.</param>
/// <param name="Group">The row of its step's numbers.</param>
/// <param name="Sensitivity">The parameter's, updated in the same pass; null when it is not scored.</param>
internal readonly record struct AdamWParameter(Tensor Value, Tensor Gradient, Tensor FirstMoment, Tensor SecondMoment, int Group, Sensitivity? Sensitivity = null);
