namespace LoRA2.Native.Training;

/// <summary>How the learning rate goes after the warm-up.</summary>
public enum Decay
{
    /// <summary>Straight down to 0 at the last step.</summary>
    Linear,

    /// <summary>It stays.</summary>
    Constant,

    /// <summary>Half a cosine down to 0 at the last step.</summary>
    Cosine,
}

/// <summary>Linear warm-up from 0, then decay, as HuggingFace's <c>get_…_schedule_with_warmup</c>.</summary>
/// <param name="Peak">The learning rate after the warm-up.</param>
/// <param name="WarmupSteps">Steps of warm-up.</param>
/// <param name="TotalSteps">Steps of the run.</param>
/// <param name="Decay">What follows the warm-up.</param>
public sealed record LearningRateSchedule(double Peak, int WarmupSteps, int TotalSteps, Decay Decay = Decay.Linear)
{
    /// <summary>The learning rate of step 0, 1, …</summary>
    public double At(int step)
    {
        if (step < WarmupSteps) return Peak * step / Math.Max(1, WarmupSteps);
        double progress = (step - WarmupSteps) / (double)Math.Max(1, TotalSteps - WarmupSteps);
        return Decay switch
        {
            Decay.Linear => Peak * Math.Max(0, (TotalSteps - step) / (double)Math.Max(1, TotalSteps - WarmupSteps)),
            Decay.Cosine => Peak * Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress))),
            _ => Peak,
        };
    }
}
