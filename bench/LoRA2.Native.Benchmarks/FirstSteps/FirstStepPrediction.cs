using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;

namespace LoRA2.Native.Benchmarks.FirstSteps;

/// <summary>What bench/results/first-steps.md predicts of AdamW's first step with learning rate η on an encoder layer (five square matrices and two of the feed-forward's).</summary>
internal static class FirstStepPrediction
{
    /// <summary>‖Δ‖_F, the root of the mean square over the matrices.</summary>
    public static double Length(AdapterMethod method, int width) => OverMatrices(width, (inputs, outputs) => Length(method, inputs, outputs));

    /// <summary>
    /// The gradient of a factor's elements over those of LoRA's B with the same r (root mean squares), of a gradient of Δ that prefers no direction. The
    /// regulariser's part is left out.
    /// </summary>
    public static double Gradient(AdapterMethod method, string factor, int width) => (method, factor) switch
    {
        (LoRAMethod, "lora_B") => 1,
        (SoRAMethod, "lora_B") => 1,
        (AdaLoRAMethod adalora, "lora_E") => Math.Sqrt(3) * OverMatrices(width, (inputs, outputs) => adalora.IsOrthonormal ? 1 : 4e-4 * Math.Sqrt((double)inputs * outputs)),
        (LoRA2Method { IsOrthonormal: true } lora2, "lam") => Math.Sqrt(3) * Math.Min(1, (double)lora2.OuterRank / lora2.Rank),
        (LoRA2Method lora2, "lam") => Math.Sqrt(3) * OverMatrices(width, (inputs, outputs) => Math.Pow(lora2.InitialDeviation, 4) * lora2.OuterRank * Math.Sqrt((double)inputs * outputs)),
        _ => 0,
    };

    private static double Length(AdapterMethod method, int inputs, int outputs)
    {
        double scaled = FirstStepsRun.LearningRate * ((LowRankMethod)method).Alpha / method.InitialRank;
        int rank = method.InitialRank;
        return scaled * method switch
        {
            AdaLoRAMethod { IsOrthonormal: true } => SingularValueRates.Matching(outputs, rank, rank) * Math.Sqrt(rank),
            AdaLoRAMethod => Math.Sqrt(rank) * 4e-4 * Math.Sqrt((double)inputs * outputs),
            LoRA2Method { IsOrthonormal: true } lora2 => SingularValueRates.Matching(outputs, rank, lora2.OuterRank) * SingularValueRates.UnitLength(rank, lora2.OuterRank),
            LoRA2Method lora2 => Math.Sqrt(rank) * Math.Pow(lora2.InitialDeviation, 4) * lora2.OuterRank * Math.Sqrt((double)inputs * outputs),
            _ => Math.Sqrt(rank * outputs / 3.0),
        };
    }

    private static double OverMatrices(int width, Func<int, int, double> of)
    {
        (int Inputs, int Outputs)[] shapes = [(width, width), (width, width), (width, width), (width, width), (width, 4 * width), (4 * width, width)];
        return Math.Sqrt(shapes.Average(shape => Math.Pow(of(shape.Inputs, shape.Outputs), 2)));
    }
}
