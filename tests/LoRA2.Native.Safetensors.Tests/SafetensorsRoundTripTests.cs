using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Safetensors.Tests;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private sealed record Item(string Name, SafetensorsDType SafetensorsDType, long[] Shape, byte[] Bytes);

    private static readonly Gen<Item> Items =
        from name in Gen.Elements("w", "weight", "é", "日本", "a.b.c", "quote\"d", "back\\slash", "tab\t", "😀", "", "<&>").SelectMany(
            stem => Gen.Choose(0, 3).Select(n => n == 0 ? stem : stem + n))
        from dtype in Gen.Elements(Enum.GetValues<SafetensorsDType>())
        from shape in Gen.Choose(0, 5).Select(n => (long)n).ArrayOf().Resize(3)
        from bytes in Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf((int)shape.Aggregate(1L, (a, b) => a * b) * dtype.Size())
        select new Item(name, dtype, shape, bytes);

    private static readonly Arbitrary<Item[]> Files =
        Items.ArrayOf().Resize(6).Select(items => items.DistinctBy(i => i.Name).ToArray()).ToArbitrary();

    [Fact]
    public void WhatIsWrittenIsRead() => Prop.ForAll(Files, items =>
    {
        string path = _folder.File("a.safetensors");
        Write(path, items);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(items.Length, file.Entries.Count);
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt" }, file.Metadata);
        foreach (Item item in items)
        {
            SafetensorsEntry entry = file.GetEntry(item.Name);
            Assert.Equal(item.SafetensorsDType, entry.Type);
            Assert.Equal(item.Shape, entry.Shape.ToArray());
            Assert.Equal(item.Bytes, file.GetBytes(entry).ToArray());
            // The widest types come first and the header is padded: every tensor lies aligned.
            Assert.Equal(0, entry.ByteOffset % item.SafetensorsDType.Size());
            Assert.Equal(item.Shape.Aggregate(1L, (a, b) => a * b), entry.ElementCount);
        }
    }).QuickCheckThrowOnFailure();

    /// <summary>A damaged file reads as something consistent or is refused with an <see cref="InputException"/>; nothing else
    /// happens.</summary>
    [Fact]
    public void DamagedFilesAreRefusedOrConsistent()
    {
        var damage = from items in Files.Generator
                     from flips in Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(1, 255)).ArrayOf().Resize(3)
                     from cut in Gen.Choose(0, int.MaxValue)
                     from shorten in Gen.Elements(false, true)
                     select (items, flips, cut, shorten);
        int refused = 0;
        Prop.ForAll(damage.ToArbitrary(), d =>
        {
            string path = _folder.File("d.safetensors");
            Write(path, d.items);
            byte[] bytes = File.ReadAllBytes(path);
            // Half of the flips go to the header, whose bytes decide.
            int header = 8 + (int)BitConverter.ToInt64(bytes);
            foreach ((int place, int flip) in d.flips) bytes[place % (place % 2 == 0 ? header : bytes.Length)] ^= (byte)flip;
            if (d.shorten) bytes = bytes[..(d.cut % bytes.Length)];
            File.WriteAllBytes(path, bytes);
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                long total = 0;
                foreach (SafetensorsEntry entry in file.Entries)
                {
                    byte[] read = file.GetBytes(entry).ToArray();
                    Assert.Equal(bytes.AsSpan((int)entry.ByteOffset, (int)entry.ByteLength).ToArray(), read);
                    total += entry.ByteLength;
                }
                Assert.Equal(bytes.Length - 8 - BitConverter.ToInt64(bytes), total);
            }
            catch (InputException e)
            {
                refused++;
                Assert.StartsWith(path + ": ", e.Message);
                Assert.DoesNotContain('\n', e.Message);
                Assert.EndsWith(".", e.Message);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
        Assert.InRange(refused, 500, 2000);
    }

    [Fact]
    public void TheBytesAreThoseOfHuggingFace()
    {
        var writer = new SafetensorsWriter();
        writer.Add("b", SafetensorsDType.F16, [2], new byte[] { 1, 2, 3, 4 });
        writer.Add("a", SafetensorsDType.F16, [], new byte[] { 5, 6 });
        writer.Add("c", SafetensorsDType.F32, [1, 1], new byte[] { 7, 8, 9, 10 });
        var stream = new MemoryStream();
        writer.Write(stream);
        string json = """{"__metadata__":{"format":"pt"},"c":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}"""
            + ""","a":{"dtype":"F16","shape":[],"data_offsets":[4,6]},"b":{"dtype":"F16","shape":[2],"data_offsets":[6,10]}}""";
        json = json.PadRight((json.Length + 7) / 8 * 8);
        byte[] expected = [.. BitConverter.GetBytes((long)json.Length), .. Encoding.UTF8.GetBytes(json), 7, 8, 9, 10, 5, 6, 1, 2, 3, 4];
        Assert.Equal(expected, stream.ToArray());
    }

    [SharedDataFact("models/deberta-v3-tiny-wiki/model.safetensors")]
    public void RewritingAFileThatPythonWroteChangesNoByte()
    {
        string original = SharedData.Path("models/deberta-v3-tiny-wiki/model.safetensors"), copy = _folder.File("copy.safetensors");
        using SafetensorsFile file = SafetensorsFile.Open(original);
        var writer = new SafetensorsWriter(file.Metadata);
        foreach (SafetensorsEntry entry in file.Entries)
            writer.Add(entry.Name, entry.Type, entry.Shape, s => s.Write(file.GetBytes(entry)));
        writer.Write(copy);
        Assert.True(File.ReadAllBytes(original).AsSpan().SequenceEqual(File.ReadAllBytes(copy)));
    }

    [Fact]
    public void ATensorThatWritesTooLittleLeavesTheOldFile()
    {
        string path = _folder.Write("a.safetensors", [1]);
        var writer = new SafetensorsWriter();
        writer.Add("w", SafetensorsDType.F32, [2], stream => stream.WriteByte(0));
        var e = Assert.Throws<InvalidOperationException>(() => writer.Write(path));
        Assert.Equal("Tensor \"w\" wrote 1 bytes, expected 8.", e.Message);
        Assert.Equal(new byte[] { 1 }, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void TheWriterRefusesWhatTheReaderWould()
    {
        var writer = new SafetensorsWriter();
        writer.Add("w", SafetensorsDType.F32, [0], Array.Empty<byte>());
        Assert.Throws<ArgumentException>(() => writer.Add("w", SafetensorsDType.F32, [0], Array.Empty<byte>()));
        Assert.Throws<ArgumentException>(() => writer.Add("v", SafetensorsDType.F32, [1], new byte[3]));
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", SafetensorsDType.F32, [0], Array.Empty<byte>()));
        Assert.ThrowsAny<ArgumentException>(() => writer.Add("\ud800", SafetensorsDType.F32, [0], Array.Empty<byte>()));
        Assert.ThrowsAny<ArgumentException>(() => writer.Add("n", SafetensorsDType.F32, [-1], Array.Empty<byte>()));
        Assert.Throws<OverflowException>(() => writer.Add("o", SafetensorsDType.F32, [1L << 40, 1L << 40], _ => { }));
        string path = _folder.File("a.safetensors");
        writer.Write(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(["w"], file.Entries.Select(e => e.Name));
    }

    [Fact]
    public void NothingIsReadAfterDispose()
    {
        string path = _folder.File("a.safetensors");
        var writer = new SafetensorsWriter();
        writer.Add("w", SafetensorsDType.F32, [1], new byte[4]);
        writer.Write(path);
        SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsEntry entry = file.GetEntry("w");
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.GetBytes(entry).Length);
    }

    private static void Write(string path, Item[] items)
    {
        var writer = new SafetensorsWriter();
        foreach (Item item in items) writer.Add(item.Name, item.SafetensorsDType, item.Shape, item.Bytes);
        writer.Write(path);
    }
}
