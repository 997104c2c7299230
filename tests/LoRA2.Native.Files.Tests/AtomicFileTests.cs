using LoRA2.Native.Tests;
using LoRA2.Native.Tests.Shared;
namespace LoRA2.Native.Files.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void MakesAndReplaces()
    {
        string path = _folder.File("a.bin");
        AtomicFile.Write(path, s => s.Write([1, 2, 3]));
        AtomicFile.Write(path, s => s.Write([4]));
        Assert.Equal(new byte[] { 4 }, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void KeepsTheOldFileWhenWritingFails()
    {
        string path = _folder.Write("a.bin", [9, 9]);
        Assert.Throws<InvalidDataException>(() => AtomicFile.Write(path, s =>
        {
            s.Write(new byte[100_000]);
            throw new InvalidDataException();
        }));
        Assert.Equal(new byte[] { 9, 9 }, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void LeavesNothingBehindWhenTheTargetIsAFolder()
    {
        string path = _folder.File("folder");
        Directory.CreateDirectory(path);
        Exception? e = Record.Exception(() => AtomicFile.Write(path, s => s.WriteByte(1)));
        Assert.True(e is IOException or UnauthorizedAccessException, e?.ToString());
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void TheOldContentIsThereUntilTheEnd()
    {
        string path = _folder.Write("a.bin", [7]);
        AtomicFile.Write(path, s =>
        {
            s.Write(new byte[50]);
            s.Flush();
            Assert.Equal(new byte[] { 7 }, File.ReadAllBytes(path));
        });
        Assert.Equal(50, new FileInfo(path).Length);
    }
}
