using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Tests.Shared.Safetensors;

namespace LoRA2.Native.Safetensors.Tests;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Property(MaxTest = 100)]
    public void WhatIsWrittenIsRead(SafetensorsContents contents)
    {
        string path = _folder.File("a.safetensors");
        contents.Write(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(contents.Items.Count, file.Entries.Count);
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt" }, file.Metadata);
        foreach (SafetensorsItem item in contents.Items)
        {
            SafetensorsEntry entry = file.GetEntry(item.Name);
            Assert.Equal(item.Type, entry.Type);
            Assert.Equal(item.Shape, entry.Shape.ToArray());
            Assert.Equal(item.Bytes, file.GetBytes(entry).ToArray());
            // The widest types come first and the header is padded: every tensor lies aligned.
            Assert.Equal(0, entry.ByteOffset % item.Type.Size());
            Assert.Equal(item.Elements, entry.ElementCount);
        }
    }

    /// <summary>A damaged file reads as something consistent or is refused with an <see cref="InputException"/>; nothing else
    /// happens.</summary>
    [Property(MaxTest = 2000)]
    public void DamagedFilesAreRefusedOrConsistent(SafetensorsContents contents, FileDamage damage)
    {
        string path = _folder.File("d.safetensors");
        contents.Write(path);
        byte[] bytes = File.ReadAllBytes(path);
        bytes = damage.Apply(bytes, 8 + (int)BitConverter.ToInt64(bytes));
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
            Assert.StartsWith(path + ": ", e.Message);
            Assert.DoesNotContain('\n', e.Message);
            Assert.EndsWith(".", e.Message);
        }
    }

    /// <summary>The property above would say little if next to all damaged files were consistent.</summary>
    [Fact]
    public void ManyDamagedFilesAreRefused()
    {
        const int Count = 400;
        int refused = 0;
        string path = _folder.File("d.safetensors");
        foreach ((SafetensorsContents contents, FileDamage damage) in SafetensorsArbitraries.Contents().Generator.Zip(SafetensorsArbitraries.Damages().Generator).Sample(Count, 50))
        {
            contents.Write(path);
            byte[] bytes = File.ReadAllBytes(path);
            File.WriteAllBytes(path, damage.Apply(bytes, 8 + (int)BitConverter.ToInt64(bytes)));
            try
            {
                SafetensorsFile.Open(path).Dispose();
            }
            catch (InputException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, Count / 4, Count);
    }

    /// <summary>A file whose end is missing is never taken for a whole one.</summary>
    [Property(MaxTest = 200)]
    public void AFileWithoutItsEndIsRefused(SafetensorsContents contents, NonNegativeInt missing)
    {
        string path = _folder.File("e.safetensors");
        contents.Write(path);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^(1 + (missing.Get % bytes.Length))]);
        Assert.Throws<InputException>(() => SafetensorsFile.Open(path));
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

    /// <summary>Rust's serde_json, which HuggingFace writes headers with, escapes only what JSON demands; metadata that are empty are left out.</summary>
    [Fact]
    public void TheHeaderHasNamesAsTheyAre()
    {
        var writer = new SafetensorsWriter([]);
        var stream = new MemoryStream();
        writer.Write(stream);
        Assert.Equal("{}      ", Encoding.UTF8.GetString(stream.ToArray()[8..]));
        writer.Add("é<&>'+日\"", SafetensorsDType.U8, [0], Array.Empty<byte>());
        stream.SetLength(0);
        writer.Write(stream);
        Assert.StartsWith("""{"é<&>'+日\"":{"dtype":"U8",""", Encoding.UTF8.GetString(stream.ToArray()[8..]));
    }

    [Fact]
    public void TensorsOfOneTypeAreInTheOrderOfTheirNames()
    {
        string[] names = ["d", "C", "b", "é", "a", "B", "c"];
        var writer = new SafetensorsWriter();
        foreach (string name in names) writer.Add(name, SafetensorsDType.U8, [1], new byte[] { 1 });
        string path = _folder.File("a.safetensors");
        writer.Write(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(["B", "C", "a", "b", "c", "d", "é"], file.Entries.Select(entry => entry.Name));
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
        (string Message, Action Call)[] refused =
        [
            ("Tensor \"w\" was already added.", () => writer.Add("w", SafetensorsDType.F32, [0], Array.Empty<byte>())),
            ("Tensor \"v\" has 3 bytes, expected 4.", () => writer.Add("v", SafetensorsDType.F32, [1], new byte[3])),
            ("__metadata__ is not a tensor's name.", () => writer.Add("__metadata__", SafetensorsDType.F32, [0], Array.Empty<byte>())),
        ];
        Assert.All(refused, add => Assert.StartsWith(add.Message, Assert.Throws<ArgumentException>(add.Call).Message));
        Assert.ThrowsAny<ArgumentException>(() => writer.Add("\ud800", SafetensorsDType.F32, [0], Array.Empty<byte>()));
        Assert.Equal("shape", Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add("n", SafetensorsDType.F32, [-1], _ => { })).ParamName);
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
}
