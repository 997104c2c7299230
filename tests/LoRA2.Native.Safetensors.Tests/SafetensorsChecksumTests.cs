using LoRA2.Native.Files;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Safetensors.Tests;

/// <summary>The checksum is part of the files: those of earlier versions have to pass.</summary>
public sealed class SafetensorsChecksumTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Python's hashlib over keys and values, then name, type's number, extents and bytes of each tensor; numbers and texts' lengths in 8 bytes, all by the order of UTF-16.</summary>
    [Fact]
    public void TheSumIsThatOfMetadataAndTensorsByName()
    {
        using SafetensorsFile file = SafetensorsFile.Open(WriteSmall());
        Assert.Equal("57819450D3E8A800E2E572BFFB001B65BE2BF1143901D809570EF505BF32A0A0", file.ContentChecksum());
        Assert.Equal("5E66A32B563C807761F282C56A859B7B3D57BC479FD8EE49B06A53D23EF5531B", file.Metadata["lora2_sha256"]);
        file.RequireChecksum();
    }

    /// <summary>An exclusive or with 1 makes no white space of another: whatever changes has a meaning.</summary>
    [Fact]
    public void AnyDamagedByteIsNoticed()
    {
        byte[] whole = File.ReadAllBytes(WriteSmall());
        for (int place = 0; place < whole.Length; place++)
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= 1;
            string path = _folder.Write("damaged.safetensors", damaged);
            Assert.Throws<InputException>(() =>
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                file.RequireChecksum();
            });
        }
    }

    /// <summary>A mapped file is summed in parts of 1 MiB.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData((1 << 20) - 1)]
    [InlineData(1 << 20)]
    [InlineData((1 << 21) + 2)]
    public void ALongTensorIsSummedToItsEnd(int damaged)
    {
        byte[] content = new byte[(1 << 21) + 3];
        new Random(1).NextBytes(content);
        var writer = new SafetensorsWriter();
        writer.Add("w", SafetensorsDType.U8, [content.Length], content);
        string path = _folder.File("long.safetensors");
        writer.WriteChecked(path);
        long start;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            file.RequireChecksum();
            start = file.GetEntry("w").ByteOffset;
        }

        using (FileStream stream = File.OpenWrite(path))
        {
            stream.Position = start + damaged;
            stream.WriteByte((byte)~content[damaged]);
        }

        using SafetensorsFile changed = SafetensorsFile.Open(path);
        var e = Assert.Throws<InputException>(changed.RequireChecksum);
        Assert.Equal($"{path}: the file is damaged, its content does not have the checksum that was written with it.", e.Message);
    }

    [Fact]
    public void AFileWithoutChecksumHasNone()
    {
        string path = _folder.File("a.safetensors");
        new SafetensorsWriter().Write(path);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal($"{path}: there is no checksum in the file, expected one.", Assert.Throws<InputException>(file.RequireChecksum).Message);
    }

    /// <summary>As on a disk that gives back something else than was written.</summary>
    [Fact]
    public void WhatCannotBeReadBackLeavesTheOldFile()
    {
        string path = _folder.Write("a.safetensors", [1]);
        var writer = new SafetensorsWriter();
        byte turn = 0;
        writer.Add("w", SafetensorsDType.U8, [1], stream => stream.WriteByte(turn++));
        var e = Assert.Throws<IOException>(() => writer.WriteChecked(path));
        Assert.StartsWith($"{path}: what was written could not be read back ({_folder.Path}", e.Message);
        Assert.EndsWith("does not have the checksum that was written with it); the file before it was kept.", e.Message);
        Assert.Equal([1], File.ReadAllBytes(path));
        Assert.Single(Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void TheStreamToTheSumOnlyWrites()
    {
        using var sum = new SafetensorsChecksum();
        Stream stream = sum.Content;
        Assert.Equal((false, false, true), (stream.CanRead, stream.CanSeek, stream.CanWrite));
        stream.Write([1, 2, 3, 4], 1, 2);
        stream.Flush();
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 0);
        Assert.Throws<NotSupportedException>(() => stream.ReadByte());
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
        Assert.Equal(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData([2, 3])), sum.Text);
    }

    private string WriteSmall()
    {
        var writer = new SafetensorsWriter([new("Größe", "8"), new("format", "pt")]);
        writer.Add("b", SafetensorsDType.I32, [1], new byte[] { 1, 2, 3, 4 });
        writer.Add("a", SafetensorsDType.F16, [2, 1], new byte[] { 5, 6, 7, 8 });
        writer.Add("Z", SafetensorsDType.U8, [], new byte[] { 9 });
        writer.Add("e", SafetensorsDType.F64, [0, 3], Array.Empty<byte>());
        string path = _folder.File("small.safetensors");
        writer.WriteChecked(path);
        return path;
    }
}
