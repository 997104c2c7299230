using LoRA2.Native.Adapters;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

public sealed class RankSeriesTests
{
    [Theory]
    [InlineData("sora")]
    [InlineData("lora2")]
    public void WithoutABudgetAPointHasWhatIsNotZeroAndItsMeanMagnitude(string method)
    {
        using var small = new SmallModel();
        small.Model.Attach(new AdapterSettings { Method = SmallModel.Method(method) }, 4);
        Adapter[] adapters = [.. small.Model.Adapters()];
        for (int i = 0; i < adapters.Length; i++) adapters[i].RankValues!.Write<float>([i % 2, -2, i % 3 - 1, 0.5f]);
        var series = new RankSeries(1, adapters, null);
        series.After(1);
        for (int i = 0; i < adapters.Length; i++)
        {
            Assert.Equal(adapters[i].EffectiveRank, series.Kept(0, i));
            Assert.Equal((i % 2 + 2 + Math.Abs(i % 3 - 1) + 0.5) / 4, series.Importance(0, i));
        }
    }

    [Fact]
    public void WithABudgetItHasTheRanksKeptAndTheMeanScore()
    {
        using var small = new SmallModel();
        small.Model.Attach(new AdapterSettings { Method = SmallModel.Method("adalora") }, 4);
        SingularValueAdapter[] adapters = [.. small.Model.Adapters().OfType<SingularValueAdapter>()];
        int total = adapters.Sum(adapter => adapter.SingularValues.Count);
        using var allocator = new RankAllocator(adapters, new BudgetSchedule(total, total / 3, 0, 1, 3, 1));
        int seed = 1;
        foreach ((_, Tensor values) in allocator.State) values.Write<float>([.. new CaseSource(seed++).Values([values.Count], requiresGrad: false).ToArray<double>().Select(value => (float)value)]);
        var series = new RankSeries(2, [.. allocator.Adapters], allocator);
        series.After(1);
        allocator.Prune(1);
        series.After(2);
        for (int i = 0; i < adapters.Length; i++)
        {
            Assert.Equal((4, allocator.Kept![i].Count(keep => keep)), (series.Kept(0, i), series.Kept(1, i)));
            Assert.Equal(allocator.Importance(i).Average(), series.Importance(1, i), 1e-15);
        }

        Assert.Equal(allocator.Budget, series.TotalKept(1));
    }
}
