using LoRA2.Native.Files;
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

    /// <summary>What is in the file is the beginning of what was to be there; only its last event may be cut off, which TensorBoard expects of a file that grows.</summary>
    [Fact]
    public void AFaultLeavesTheBeginningOfTheCurves()
    {
        Scalar[] expected = [.. Enumerable.Range(0, 5).Select(step => new Scalar("train/loss", step, step))];
        var counted = new FaultyDisk(-1, Fault.Refused);
        using (Disk.Replace(counted)) Write(expected);
        byte[] whole = File.ReadAllBytes(Assert.Single(Directory.GetFiles(folder.Path)));
        foreach (Fault fault in Enum.GetValues<Fault>())
        {
            for (int at = 0; at < counted.Count; at++)
            {
                Exception? e;
                using (Disk.Replace(new FaultyDisk(at, fault))) e = Record.Exception(() => Write(expected));
                Assert.True(fault == Fault.Killed ? e is KilledException : e is IOException, $"{fault} at {at}: {e}");
                foreach (string file in Directory.GetFiles(folder.Path))
                {
                    byte[] found = File.ReadAllBytes(file);
                    Assert.True(found.Length <= whole.Length);
                    Scalar[] read = EventFileReader.ReadWhole(file);
                    Assert.Equal(expected.Take(read.Length), read);
                    // It can be opened by others, and nobody holds it.
                    new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
                }

                EventFile.DeleteIn(folder.Path);
                Assert.Empty(Directory.GetFiles(folder.Path));
            }
        }

        void Write(Scalar[] scalars)
        {
            using var file = new EventFile(folder.Path);
            foreach (Scalar scalar in scalars) file.Scalar(scalar.Tag, scalar.Step, scalar.Value);
        }
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
