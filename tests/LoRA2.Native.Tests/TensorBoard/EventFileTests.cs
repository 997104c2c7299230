using LoRA2.Native.TensorBoard;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.TensorBoard;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>RFC 3720, appendix B.4, and the customary check value.</summary>
    [Fact]
    public void TheCrcIsCastagnolis()
    {
        Assert.Equal(0xE3069283u, RecordFraming.Crc("123456789"u8));
        Assert.Equal(0x8A9136AAu, RecordFraming.Crc(new byte[32]));
        Assert.Equal(0x46DD794Eu, RecordFraming.Crc([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0u, RecordFraming.Crc([]));
    }

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        Scalar[] expected = [new("train/loss", 1, 0.25f), new("a tag of älter Ünïcode 😀" + new string('x', 300), 1L << 40, -1e30f), new("", 0, float.NaN)];
        string path;
        using (var file = new EventFile(folder.File("tensorboard")))
        {
            path = file.Path;
            foreach (Scalar scalar in expected) file.Scalar(scalar.Tag, scalar.Step, scalar.Value);
            file.Flush();
            Assert.Equal(expected, EventFileReader.ReadOnly(folder.File("tensorboard")));
        }

        Assert.Equal(expected, EventFileReader.Read(path));
    }

    [Fact]
    public void OnlyEventFilesOfThisProgramAreDeleted()
    {
        string others = folder.Write("events.out.tfevents.1.host", "someone else's");
        new EventFile(folder.Path).Dispose();
        EventFile.DeleteIn(folder.Path);
        EventFile.DeleteIn(folder.File("nowhere"));
        Assert.Equal([others], Directory.GetFiles(folder.Path));
    }
}
