using LoRA2.Native.Data;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Data;

/// <summary>The real files, against the counts their publishers give.</summary>
public class GlueRealDataTests
{
    [SharedDataFact("data/glue/CoLA")]
    public void CoLA() => Check("CoLA", 8551, 1043, 1063);

    [SharedDataFact("data/glue/SST-2")]
    public void Sst2() => Check("SST-2", 67349, 872, 1821);

    [SharedDataFact("data/glue/MRPC")]
    public void Mrpc() => Check("MRPC", 3668, 408, 1725);

    [SharedDataFact("data/glue/RTE")]
    public void Rte() => Check("RTE", 2490, 277, 3000);

    [SharedDataFact("data/glue/STS-B")]
    public void StsB() => Check("STS-B", 5749, 1500, 1379);

    private static void Check(string name, int train, int dev, int test)
    {
        GlueTask task = GlueTask.Get(name);
        foreach ((string split, int count) in new[] { ("train", train), ("dev", dev), ("test", test) })
        {
            Dataset data = task.Load(SharedData.Path("data/glue"), split);
            Assert.Equal(count, data.Examples.Count);
            Assert.Equal(0, data.SkippedRows);
            Assert.Equal(split != "test", data.HasTargets);
            Assert.All(data.Examples, example =>
            {
                Assert.NotEqual("", example.Text.Trim());
                Assert.Equal(task.PairColumn is null, example.Pair is null);
                Assert.Equal(split == "test", example.Target is null);
            });
            if (split != "test" && !task.IsRegression) Assert.Equal([0, 1], data.Examples.Select(e => e.Label).Distinct().Order());
        }
    }
}
