namespace LoRA2.Native.Tests.Golden;

/// <summary>
/// How close a trace has to be met, well within what "matching" asks for (logits 1e-4, hidden states 2e-4, gradients 1e-4 of the largest
/// entry): the traces are float32 themselves, up to 2e-6 from float64.
/// </summary>
internal static class Tolerance
{
    public const double Logits = 1e-5;
    public const double HiddenStates = 2e-5;
    public const double Attentions = 1e-5;

    /// <summary>Relative to a gradient's largest entry.</summary>
    public const double Gradients = 2e-5;

    /// <summary>How far rounding takes the traces' own gradients from float64: allowed too, up to <see cref="GradientsAtMost"/>.</summary>
    public const double GradientRounding = 3e-7;

    /// <summary>Relative to a gradient's largest entry, where cancellation leaves little of it: what "matching" asks for.</summary>
    public const double GradientsAtMost = 1e-4;

    /// <summary>
    /// A gradient that is all below this is what rounding leaves of 0, and only has to be below it too: softmax does not change when a constant
    /// is added to all scores of a row, so the gradient of BERT's and RoBERTa's key.bias is exactly 0.
    /// </summary>
    public const double GradientNoise = 1e-6;

    /// <summary>For losses and gradient norms along a run, relative to their size where that is above 1.</summary>
    public const double TrainingLoss = 2e-5;

    /// <summary>For the weights along a run and after it.</summary>
    public const double TrainedWeights = 1e-4;

    /// <summary>For the logits after a run.</summary>
    public const double TrainedLogits = 1e-4;

    /// <summary>For importances, relative to each one's own size. The closest call between a kept and a dropped one is as much.</summary>
    public const double Importance = 1e-3;

    /// <summary>Relative to the largest importance: below it one is compared with this, as rounding of its gradients is all there is to see.</summary>
    public const double NegligibleImportance = 1e-6;
}
