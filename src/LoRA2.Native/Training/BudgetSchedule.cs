namespace LoRA2.Native.Training;

/// <summary>
/// How many singular values may be kept over all adapted matrices at each step (AdaLoRA, arXiv 2303.10512, equation 12): all of them up to
/// t_i, then down a cubic to the target at T − t_f.
/// </summary>
/// <param name="Initial">b_0 = r × matrices.</param>
/// <param name="Target">b_T.</param>
/// <param name="WarmupSteps">t_i.</param>
/// <param name="FinalSteps">t_f.</param>
/// <param name="TotalSteps">T; steps count from 0 to T − 1.</param>
/// <param name="Interval">ΔT: masks change at multiples of it.</param>
public sealed record BudgetSchedule(int Initial, int Target, int WarmupSteps, int FinalSteps, int TotalSteps, int Interval)
{
    /// <summary>The first step of the final phase, T − t_f; the last step where t_f is 0, for what a run ends with is the target.</summary>
    public int FinalStart => TotalSteps - Math.Max(FinalSteps, 1);

    /// <summary>b(t).</summary>
    public int At(int step)
    {
        if (step <= WarmupSteps) return Initial;
        if (step >= FinalStart) return Target;
        double left = 1 - ((step - WarmupSteps) / (double)(FinalStart - WarmupSteps));
        return (int)Math.Floor(Target + ((Initial - Target) * Math.Pow(left, 3)));
    }

    /// <summary>Whether this step leaves no more than the target: in the final phase, or always when that is all there is.</summary>
    public bool IsAtTarget(int step) => step >= FinalStart || Target == Initial;

    /// <summary>Whether scores are updated at this step.</summary>
    public bool Scores(int step) => step < FinalStart;

    /// <summary>Whether a new mask is chosen at this step.</summary>
    public bool Chooses(int step) => (step > WarmupSteps && step < FinalStart && step % Interval == 0) || step == FinalStart;

    /// <summary>Whether the chosen mask is applied at this step: when it is new, and at every step of the final phase.</summary>
    public bool Masks(int step) => Chooses(step) || step > FinalStart;

    /// <exception cref="ArgumentException">The numbers contradict each other.</exception>
    internal void Require()
    {
        if (Target < 0 || Target > Initial) throw new ArgumentException($"the target budget {Target} is not within 0 … {Initial}");
        if (Interval < 1) throw new ArgumentException($"the budget interval {Interval} is below 1");
        if (WarmupSteps < 0 || FinalSteps < 0 || WarmupSteps + FinalSteps >= TotalSteps)
        {
            throw new ArgumentException(
                $"a budget warm-up of {WarmupSteps} steps and a final phase of {FinalSteps} leave nothing of {TotalSteps} steps in between; shorten them or train longer");
        }
    }
}
