using System.Runtime.CompilerServices;
using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Safetensors.Tests;

/// <summary>The ways to read a file that is in order, and what they refuse.</summary>
public sealed unsafe class SafetensorsReadingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Names and sizes of the format's README, in its order.</summary>
    [Fact]
    public void EveryTypeHasItsNameAndSize()
    {
        (string Name, int Size)[] types =
        [
            ("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E5M2", 1), ("F8_E4M3", 1), ("F8_E8M0", 1), ("I16", 2), ("U16", 2), ("F16", 2), ("BF16", 2), ("I32", 4), ("U32", 4), ("F32", 4),
            ("C64", 8), ("F64", 8), ("I64", 8), ("U64", 8),
        ];
        Assert.Equal(types, Enum.GetValues<SafetensorsDType>().Select(type => (type.FormatName(), type.Size())));
        foreach ((string name, int size) in types)
        {
            string path = _folder.Write($"{name}.safetensors", RawSafetensors.Of($$"""{"a":{"dtype":"{{name}}","shape":[3],"data_offsets":[0,{{3 * size}}] } }""", 3 * size));
            using SafetensorsFile file = SafetensorsFile.Open(path);
            SafetensorsEntry entry = file.Entries[0];
            Assert.Equal((name, 3L, 3L * size), (entry.Type.FormatName(), entry.ElementCount, entry.ByteLength));
            bool isFloat = name is "F16" or "BF16" or "F32" or "F64", isLoadable = isFloat || name is "I32" or "I64";
            Assert.Equal(isFloat, entry.Type.IsLoadableFloat());
            if (isLoadable) entry.RequireLoadable();
            else Assert.Equal($"{path}: tensor \"a\" has dtype {name}, expected one of F32, F16, BF16, F64, I64, I32.", Assert.Throws<InputException>(entry.RequireLoadable).Message);
        }
    }

    /// <summary>Parts of 16,384 elements are looked at one after the other.</summary>
    [Theory]
    [InlineData(SafetensorsDType.F32)]
    [InlineData(SafetensorsDType.F64)]
    [InlineData(SafetensorsDType.BF16)]
    public void AValueThatIsNotFiniteIsFoundInEveryPart(SafetensorsDType type)
    {
        float[] values = [.. Enumerable.Range(0, (1 << 15) + 2).Select(i => (float)(i % 256))];
        foreach (int? at in (int?[])[null, 0, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, values.Length - 1])
        {
            float[] written = [.. values];
            if (at is { } place) written[place] = float.NegativeInfinity;
            using SafetensorsFile file = SafetensorsFile.Open(Write(type, written));
            float[] read = new float[values.Length];
            if (at is null)
            {
                file.ReadFiniteFloat32(file.GetEntry("w"), read);
            }
            else
            {
                var e = Assert.Throws<InputException>(() => file.ReadFiniteFloat32(file.GetEntry("w"), read));
                Assert.Equal($"{file.Path}: tensor \"w\" has the value -Infinity at element {at}, expected finite numbers.", e.Message);
                file.ReadFloat32(file.GetEntry("w"), read);
            }

            Assert.Equal(written, read);
        }
    }

    [Fact]
    public void ADestinationHasTheTensorsLength()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Write(SafetensorsDType.F32, [1, 2, 3]));
        SafetensorsEntry entry = file.GetEntry("w");
        var e = Assert.Throws<ArgumentException>(() => file.ReadFiniteFloat32(entry, new float[2]));
        Assert.StartsWith("2 elements for a tensor of 3, expected as many.", e.Message);
        Assert.Throws<ArgumentException>(() => file.ReadFiniteFloat32(entry, new float[4]));
        Assert.Throws<ArgumentException>(() => file.ReadFloat32(entry, new float[2]));
        using SafetensorsFile empty = SafetensorsFile.Open(Write(SafetensorsDType.F32, []));
        empty.ReadFiniteFloat32(empty.GetEntry("w"), []);
        using SafetensorsFile bytes = SafetensorsFile.Open(_folder.Write("u8.safetensors", RawSafetensors.Of("""{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1)));
        Assert.Throws<InputException>(() => bytes.ReadFiniteFloat32(bytes.GetEntry("w"), new float[1]));
    }

    [Fact]
    public void AHeaderIsReadAndCheckedAlone()
    {
        string path = Write(SafetensorsDType.F16, [1, 2, 3]);
        SafetensorsHeader header = SafetensorsFile.ReadHeader(path);
        Assert.Equal([3], header.ByName["w"].Shape.ToArray());
        Assert.Equal("pt", header.Metadata["format"]);
        byte[] bytes = File.ReadAllBytes(path);
        string cut = _folder.Write("cut.safetensors", bytes[..^1]), stub = _folder.Write("stub.safetensors", bytes[..7]);
        Assert.EndsWith("(is it truncated?).", Assert.Throws<InputException>(() => SafetensorsFile.ReadHeader(cut)).Message);
        Assert.Equal($"{stub}: the file has 7 bytes, expected at least the 8 of the header length.", Assert.Throws<InputException>(() => SafetensorsFile.ReadHeader(stub)).Message);
        // As when another process shortens the file between the two.
        Assert.StartsWith("f: the file has 100 bytes, ", Assert.Throws<InputException>(() => SafetensorsHeader.CheckLength("f", new byte[7], 100)).Message);
    }

    [Fact]
    public void BytesInMemoryAreReadAsAFile()
    {
        byte[] bytes = File.ReadAllBytes(Write(SafetensorsDType.F32, [1, 2]));
        using (SafetensorsFile file = SafetensorsFile.Open("in memory", bytes))
        {
            float[] read = new float[2];
            file.ReadFloat32(file.GetEntry("w"), read);
            Assert.Equal([1f, 2], read);
            Assert.Equal("in memory", file.Path);
        }

        Assert.Equal("in memory: the file has 7 bytes, expected at least the 8 of the header length.",
            Assert.Throws<InputException>(() => SafetensorsFile.Open("in memory", bytes.AsMemory(0, 7))).Message);
        Assert.Equal("in memory: the header length is 0, expected a JSON object of at least 2 bytes.",
            Assert.Throws<InputException>(() => SafetensorsFile.Open("in memory", new byte[8])).Message);
        using SafetensorsFile least = SafetensorsFile.Open("in memory", RawSafetensors.Of("{}", 0));
        Assert.Empty(least.Entries);
        Assert.Empty(least.Metadata);
    }

    /// <summary>A pinned array is held by nobody else, and stays for ever where it is not let go.</summary>
    [Fact]
    public void BytesInMemoryAreLetGo()
    {
        WeakReference bytes = OpenedAndClosed();
        GC.Collect();
        Assert.False(bytes.IsAlive);
    }

    /// <summary>The header may list them in any order; of tensors that begin together the empty ones come first, by name.</summary>
    [Fact]
    public void EntriesAreInTheOrderOfTheirBytes()
    {
        const string json = """{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"z":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"y":{"dtype":"U8","shape":[0,3],"data_offsets":[0,0]},"e":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}""";
        using SafetensorsFile file = SafetensorsFile.Open("in memory", RawSafetensors.Of(json, 4));
        Assert.Equal(["y", "z", "a", "b", "e"], file.Entries.Select(entry => entry.Name));
    }

    /// <summary>Whoever cannot read a file must still be able to replace it: nothing of it stays mapped.</summary>
    [Fact]
    public void AFileThatIsRefusedIsUnmapped()
    {
        if (!OperatingSystem.IsLinux()) return;
        string good = Write(SafetensorsDType.F32, [1]), bad = _folder.Write("bad.safetensors", RawSafetensors.Of("{}", 4));
        Assert.Throws<InputException>(() => SafetensorsFile.Open(bad));
        Assert.DoesNotContain(bad, File.ReadAllText("/proc/self/maps"));
        using (SafetensorsFile.Open(good)) Assert.Contains(good, File.ReadAllText("/proc/self/maps"));
        Assert.DoesNotContain(good, File.ReadAllText("/proc/self/maps"));
        File.Move(good, _folder.File("a.safetensors"));
        _folder.Write(SafetensorsFolder.IndexFile, """{"weight_map":{"w":"a.safetensors","v":"bad.safetensors"}}""");
        Assert.Throws<InputException>(() => SafetensorsFolder.Open(_folder.Path));
        Assert.DoesNotContain(_folder.Path, File.ReadAllText("/proc/self/maps"));
    }

    [Fact]
    public void AnEntryIsOfItsFileAlone()
    {
        string path = Write(SafetensorsDType.F32, [1]);
        using SafetensorsFile file = SafetensorsFile.Open(path), same = SafetensorsFile.Open(path), empty = SafetensorsFile.Open("empty", RawSafetensors.Of("{}", 0));
        SafetensorsEntry entry = file.GetEntry("w");
        foreach (SafetensorsFile other in (SafetensorsFile[])[same, empty])
            Assert.StartsWith("The entry \"w\" is of another file.", Assert.Throws<ArgumentException>(() => other.GetBytes(entry).Length).Message);
        Assert.True(file.TryGetEntry("w", out SafetensorsEntry? found) && ReferenceEquals(entry, found));
        Assert.False(empty.TryGetEntry("w", out _));
    }

    [Fact]
    public void ASpanHoldsUpTo2GiB()
    {
        foreach (long length in (long[])[int.MaxValue, 1L << 31])
        {
            string path = _folder.Write("long.safetensors", RawSafetensors.Of($$"""{"w":{"dtype":"U8","shape":[{{length}}],"data_offsets":[0,{{length}}] } }""", 0));
            // The file is sparse: it takes no room on the disk.
            using (FileStream stream = File.OpenWrite(path)) stream.SetLength(stream.Length + length);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            SafetensorsEntry entry = file.GetEntry("w");
            if (length <= int.MaxValue)
            {
                Assert.Equal(length, file.GetBytes(entry).Length);
            }
            else
            {
                var e = Assert.Throws<InputException>(() => file.GetBytes(entry).Length);
                Assert.Equal($"{path}: tensor \"w\" has 2147483648 bytes, expected at most 2147483647 for one span.", e.Message);
                Assert.Equal(0, file.GetPointer(entry)[length - 1]);
            }
        }
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Write(SafetensorsDType.F32, [1]));
        using SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        var writer = new SafetensorsWriter();
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Open(""));
        Assert.Throws<ArgumentException>(() => SafetensorsFolder.Open(""));
        (string Parameter, Action Call)[] calls =
        [
            ("path", () => SafetensorsFile.Open(null!)), ("folder", () => SafetensorsFolder.Open(null!)), ("path", () => writer.WriteChecked(null!)), ("stream", () => writer.Write((Stream)null!)),
            ("name", () => writer.Add(null!, SafetensorsDType.F32, [], _ => { })), ("write", () => writer.Add("a", SafetensorsDType.F32, [], (Action<Stream>)null!)),
            ("name", () => file.GetEntry(null!)), ("name", () => file.TryGetEntry(null!, out _)), ("entry", () => file.GetPointer(null!)), ("entry", () => file.ReadFloat32(null!, [])),
            ("entry", () => file.ReadFiniteFloat32(null!, [])), ("entry", () => file.ReadInt32(null!, [])), ("name", () => folder.Get(null!)), ("name", () => folder.TryGet(null!, out _, out _)),
        ];
        Assert.All(calls, call => Assert.Equal(call.Parameter, Assert.Throws<ArgumentNullException>(call.Call).ParamName));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference OpenedAndClosed()
    {
        byte[] bytes = RawSafetensors.Of("{}", 0);
        SafetensorsFile.Open("in memory", bytes).Dispose();
        return new WeakReference(bytes);
    }

    private string Write(SafetensorsDType type, float[] values)
    {
        byte[] bytes = new byte[values.Length * type.Size()];
        ElementConversion.FromFloat32(values, type, bytes);
        var writer = new SafetensorsWriter();
        writer.Add("w", type, [values.Length], bytes);
        string path = _folder.File(SafetensorsFolder.SingleFile);
        writer.Write(path);
        return path;
    }
}
