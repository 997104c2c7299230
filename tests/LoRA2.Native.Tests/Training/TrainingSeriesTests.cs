using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

public sealed class TrainingSeriesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(8192, 1, 8192)]
    [InlineData(8193, 2, 4097)]
    [InlineData(100_003, 13, 7693)]
    public void LongRunsAreKeptInStretches(int steps, int stride, int points)
    {
        TrainingSeries series = Filled(steps, steps);
        Assert.Equal((stride, points), (series.Stride, series.Count));
        Assert.Equal(steps, series[^1].Step);
        for (int i = 0; i < points; i++)
        {
            int first = i * stride, last = Math.Min(first + stride, steps) - 1;
            Assert.Equal(last + 1, series[i].Step);
            Assert.Equal((first + last) / 2.0, series[i].Loss, 1e-9 * steps);
            Assert.Equal(last * 0.5, series[i].LearningRate);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => series[points]);
        Assert.Throws<ArgumentOutOfRangeException>(() => series[-1]);
    }

    [Theory]
    [InlineData(20, 0)]
    [InlineData(20, 7)]
    [InlineData(20, 20)]
    [InlineData(20_000, 10_000)]
    [InlineData(20_000, 19_999)]
    public void ASeriesGoesOnFromACheckpointAsIfNothingHadBeen(int steps, int saved)
    {
        string path = folder.File("series.safetensors");
        var writer = new SafetensorsWriter();
        Filled(steps, saved).Save(writer);
        writer.Write(path);
        // What was recorded beyond the checkpoint is gone.
        TrainingSeries resumed = Filled(steps, Math.Min(steps, saved + 5));
        using (SafetensorsFile file = SafetensorsFile.Open(path)) resumed.Load(file, saved);
        for (int step = saved; step < steps; step++) Take(resumed, step);
        Assert.Equal(Filled(steps, steps), resumed);
    }

    [Fact]
    public void ADamagedCheckpointIsRefused()
    {
        string path = folder.File("series.safetensors");
        var writer = new SafetensorsWriter();
        Filled(20, 10).Save(writer);
        writer.Write(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Contains("[10, 5]; F64 [11, 5] was expected", Assert.Throws<InputException>(() => Filled(20, 0).Load(file, 11)).Message, StringComparison.Ordinal);
        Assert.Contains("step 21 of a run of 20", Assert.Throws<InputException>(() => Filled(20, 0).Load(file, 21)).Message, StringComparison.Ordinal);
    }

    private static TrainingSeries Filled(int total, int steps)
    {
        var series = new TrainingSeries(total, [], null);
        for (int step = 0; step < steps; step++) Take(series, step);
        return series;
    }

    private static void Take(TrainingSeries series, int step) => series.Took(step, step / 3.0, 1.0 / (step + 1), step * 0.5, step % 2 == 0 ? null : step);
}
