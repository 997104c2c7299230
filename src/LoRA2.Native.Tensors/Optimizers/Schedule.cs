namespace LoRA2.Native.Tensors.Optimizers;

/// <summary>Learning rates by step, 0 first: PyTorch's <c>lr_scheduler</c>s and HuggingFace's <c>get_…_schedule_with_warmup</c>. <c>optimizer.LearningRate = schedule(step)</c> before each step.</summary>
public static class Schedule
{
    /// <summary>The rate times γ every <paramref name="every"/> steps (StepLR).</summary>
    public static Func<int, double> Steps(double rate, int every, double gamma = 0.1) => t => rate * Math.Pow(gamma, t / every);

    /// <summary>The rate times γ at each milestone; one that is named twice counts twice (MultiStepLR).</summary>
    public static Func<int, double> Milestones(double rate, IReadOnlyList<int> milestones, double gamma = 0.1)
    {
        ArgumentNullException.ThrowIfNull(milestones);
        return t => rate * Math.Pow(gamma, milestones.Count(milestone => milestone <= t));
    }

    /// <summary>The rate times γ every step (ExponentialLR).</summary>
    public static Func<int, double> Exponential(double rate, double gamma) => t => rate * Math.Pow(gamma, t);

    /// <summary>Half a cosine from the rate to <paramref name="least"/> in so many steps, and up again (CosineAnnealingLR; arXiv 1608.03983).</summary>
    public static Func<int, double> CosineAnnealing(double rate, int steps, double least = 0) => t => least + ((rate - least) * (1 + Math.Cos(Math.PI * t / steps)) / 2);

    /// <summary>Half a cosine from the rate to <paramref name="least"/>, again and again, each time <paramref name="growth"/> times as long (CosineAnnealingWarmRestarts; arXiv 1608.03983).</summary>
    public static Func<int, double> CosineWarmRestarts(double rate, int first, int growth = 1, double least = 0) => t =>
    {
        long length = first;
        long at = t;
        for (; at >= length; length *= growth) at -= length;
        return least + ((rate - least) * (1 + Math.Cos(Math.PI * at / length)) / 2);
    };

    /// <summary>
    /// Up from most/<paramref name="divisor"/> in a part of the steps and down to the least, that over <paramref name="finalDivisor"/>; with three phases down to where it began first (OneCycleLR; arXiv 1708.07120).
    /// </summary>
    public static Func<int, double> OneCycle(
        double most, int steps, double up = 0.3, bool linear = false, double divisor = 25, double finalDivisor = 1e4, bool threePhases = false)
    {
        double initial = most / divisor, least = initial / finalDivisor;
        (double End, double From, double To)[] phases = threePhases
            ? [((up * steps) - 1, initial, most), ((2 * up * steps) - 2, most, initial), (steps - 1, initial, least)]
            : [((up * steps) - 1, initial, most), (steps - 1, most, least)];
        return t =>
        {
            double start = 0;
            for (int i = 0; ; i++)
            {
                (double end, double from, double to) = phases[i];
                if (t <= end || i == phases.Length - 1)
                {
                    double part = (t - start) / (end - start);
                    return linear ? from + ((to - from) * part) : to + ((from - to) / 2 * (Math.Cos(Math.PI * part) + 1));
                }

                start = end;
            }
        };
    }

    /// <summary>From one factor of the rate to another in so many steps (LinearLR).</summary>
    public static Func<int, double> Linear(double rate, double start = 1.0 / 3, double end = 1, int steps = 5) => t => rate * (start + ((end - start) * Math.Min(t, steps) / steps));

    /// <summary>A factor of the rate for so many steps, then the rate (ConstantLR).</summary>
    public static Func<int, double> Constant(double rate, double factor = 1.0 / 3, int steps = 5) => t => t < steps ? rate * factor : rate;

    /// <summary>The rate times a power of the part of the steps that is left (PolynomialLR).</summary>
    public static Func<int, double> Polynomial(double rate, int steps = 5, double power = 1) => t => rate * Math.Pow(1 - ((double)Math.Min(t, steps) / steps), power);

    /// <summary>Linear warm-up, then straight down to 0 at the last step (HuggingFace).</summary>
    public static Func<int, double> LinearWithWarmup(double rate, int warmup, int steps) =>
        Warmed(rate, warmup, t => Math.Max(0, (steps - t) / (double)Math.Max(1, steps - warmup)));

    /// <summary>Linear warm-up, then a cosine of so many cycles; half a one goes down to 0 (HuggingFace).</summary>
    public static Func<int, double> CosineWithWarmup(double rate, int warmup, int steps, double cycles = 0.5) =>
        Warmed(rate, warmup, t => Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * cycles * 2 * (t - warmup) / Math.Max(1, steps - warmup)))));

    /// <summary>Linear warm-up, then half a cosine down to 0 so many times (HuggingFace).</summary>
    public static Func<int, double> CosineRestartsWithWarmup(double rate, int warmup, int steps, int cycles = 1) => Warmed(rate, warmup, t =>
    {
        double progress = (t - warmup) / (double)Math.Max(1, steps - warmup);
        return progress >= 1 ? 0 : Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * (cycles * progress % 1))));
    });

    /// <summary>Linear warm-up, then a power of what is left down to <paramref name="least"/> (HuggingFace).</summary>
    public static Func<int, double> PolynomialWithWarmup(double rate, int warmup, int steps, double least = 1e-7, double power = 1) => Warmed(rate, warmup, t =>
        t > steps ? least / rate : (((rate - least) * Math.Pow(1 - ((t - warmup) / (double)(steps - warmup)), power)) + least) / rate);

    /// <summary>Linear warm-up, then the rate (HuggingFace).</summary>
    public static Func<int, double> ConstantWithWarmup(double rate, int warmup) => Warmed(rate, warmup, _ => 1);

    private static Func<int, double> Warmed(double rate, int warmup, Func<int, double> after) => t => rate * (t < warmup ? t / (double)Math.Max(1, warmup) : after(t));
}
