using FsCheck.Xunit;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>The schedules by their published definitions, at the steps where an error of one shows.</summary>
public sealed class ScheduleTests
{
    /// <summary>HuggingFace's get_linear_schedule_with_warmup(2, 6): 0, 1/2, 1, 3/4, 1/2, 1/4, 0.</summary>
    [Theory]
    [InlineData(Decay.Linear, new[] { 0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0 })]
    [InlineData(Decay.Constant, new[] { 0, 0.5, 1, 1, 1, 1, 1, 1 })]
    [InlineData(Decay.Cosine, new[] { 0, 0.5, 1, 0.853553390593274, 0.5, 0.146446609406726, 0, 0.146446609406726 })]
    public void TheLearningRateWarmsUpAndDecays(Decay decay, double[] expected)
    {
        var schedule = new LearningRateSchedule(3, 2, 6, decay);
        for (int step = 0; step < expected.Length; step++) Assert.Equal(3 * expected[step], schedule.At(step), 12);
    }

    [Fact]
    public void WithoutWarmupTheFirstStepHasThePeak()
    {
        foreach (Decay decay in Enum.GetValues<Decay>()) Assert.Equal(0.5, new LearningRateSchedule(0.5, 0, 4, decay).At(0));
        // A run that is warm-up alone never decays.
        Assert.Equal(0.25, new LearningRateSchedule(0.5, 4, 4).At(2));
        Assert.Equal(0, new LearningRateSchedule(0.5, 4, 4).At(4));
    }

    /// <summary>AdaLoRA, equation 12, by hand: from 10 to 4 between steps 2 and 6 of 8, 4 + 6 (3/4)³ = 6.53, 4 + 6 (2/4)³ = 4.75, 4 + 6 (1/4)³ = 4.09.</summary>
    [Fact]
    public void TheBudgetFallsAlongACubic()
    {
        var schedule = new BudgetSchedule(10, 4, 2, 2, 8, 2);
        Assert.Equal([10, 10, 10, 6, 4, 4, 4, 4], Enumerable.Range(0, 8).Select(schedule.At));
        Assert.Equal([6], Enumerable.Range(0, 8).Where(schedule.IsAtTarget).Take(1));
        Assert.Equal([0, 1, 2, 3, 4, 5], Enumerable.Range(0, 8).Where(schedule.Scores));
        Assert.Equal([4, 6], Enumerable.Range(0, 8).Where(schedule.Chooses));
        Assert.Equal([4, 6, 7], Enumerable.Range(0, 8).Where(schedule.Masks));
    }

    [Fact]
    public void WithoutAFinalPhaseTheLastStepHasTheTarget()
    {
        var schedule = new BudgetSchedule(10, 4, 0, 0, 5, 3);
        Assert.Equal(4, schedule.FinalStart);
        Assert.Equal([10, 6, 4, 4, 4], Enumerable.Range(0, 5).Select(schedule.At));
        Assert.Equal([3, 4], Enumerable.Range(0, 5).Where(schedule.Chooses));
        Assert.True(new BudgetSchedule(4, 4, 0, 0, 5, 1).IsAtTarget(0));
    }

    [Theory]
    [InlineData(4, -1, 0, 0, 5, 1, "the target budget -1 is not within 0 … 4")]
    [InlineData(4, 5, 0, 0, 5, 1, "the target budget 5 is not within 0 … 4")]
    [InlineData(4, 2, 0, 0, 5, 0, "the budget interval 0 is below 1")]
    [InlineData(4, 2, -1, 0, 5, 1, "a budget warm-up of -1 steps and a final phase of 0 leave nothing of 5 steps in between; shorten them or train longer")]
    [InlineData(4, 2, 0, -1, 5, 1, "a budget warm-up of 0 steps and a final phase of -1 leave nothing of 5 steps in between; shorten them or train longer")]
    [InlineData(4, 2, 2, 3, 5, 1, "a budget warm-up of 2 steps and a final phase of 3 leave nothing of 5 steps in between; shorten them or train longer")]
    public void ABudgetThatContradictsItselfIsRefused(int initial, int target, int warmup, int final, int total, int interval, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => new BudgetSchedule(initial, target, warmup, final, total, interval).Require()).Message);

    [Theory]
    [InlineData(4, 0, 0, 0, 1, 1)]
    [InlineData(4, 4, 2, 2, 5, 9)]
    public void ABudgetAtItsLimitsIsNot(int initial, int target, int warmup, int final, int total, int interval) =>
        new BudgetSchedule(initial, target, warmup, final, total, interval).Require();

    /// <summary>Never above the initial number, never below the target, never up again.</summary>
    [Property]
    public void TheBudgetNeverGrows(byte initial, byte target, byte warmup, byte final, byte between)
    {
        var schedule = new BudgetSchedule(Math.Max(initial, target), Math.Min(initial, target), warmup, final, warmup + final + between + 1, 1);
        int[] budgets = [.. Enumerable.Range(0, schedule.TotalSteps).Select(schedule.At)];
        Assert.All(budgets, budget => Assert.InRange(budget, schedule.Target, schedule.Initial));
        Assert.Equal(budgets.OrderDescending(), budgets);
        Assert.Equal(schedule.Target, schedule.At(schedule.TotalSteps));
    }
}
