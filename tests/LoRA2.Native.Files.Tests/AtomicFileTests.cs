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

    [LinkFact]
    public void ALinkStaysAndWhatItLeadsToIsReplaced()
    {
        Directory.CreateDirectory(_folder.File("b/c"));
        Directory.CreateSymbolicLink(_folder.File("a"), "b/c");
        string link = _folder.File("a/link"), target = _folder.File("b/target");
        File.CreateSymbolicLink(link, "../second");
        File.CreateSymbolicLink(_folder.File("b/second"), target);
        foreach (byte content in new byte[] { 1, 2 })
        {
            AtomicFile.Write(link, s => s.WriteByte(content));
            Assert.Equal([content], File.ReadAllBytes(target));
        }

        Assert.Equal("../second", new FileInfo(link).LinkTarget);
        Assert.Equal([_folder.File("b/c"), _folder.File("b/second"), target], Directory.GetFileSystemEntries(_folder.File("b")).Order(StringComparer.Ordinal));
        Assert.Equal([_folder.File("b/c/link")], Directory.GetFileSystemEntries(_folder.File("b/c")));
    }

    [LinkFact]
    public void LinksInACircleAreRefused()
    {
        File.CreateSymbolicLink(_folder.File("a"), "b");
        File.CreateSymbolicLink(_folder.File("b"), "a");
        Assert.Contains("more than 40 others", Assert.Throws<InputException>(() => AtomicFile.Write(_folder.File("a"), s => s.WriteByte(1))).Message, StringComparison.Ordinal);
        Assert.Equal("b", new FileInfo(_folder.File("a")).LinkTarget);
    }

    [PipeFact]
    public void APipeIsNotReplacedByAFile()
    {
        string pipe = _folder.Pipe("pipe");
        Assert.Equal($"{pipe}: is a named pipe, expected a file.", Assert.Throws<InputException>(() => AtomicFile.Write(pipe, s => s.WriteByte(1))).Message);
        using var set = new FileSet(_folder.Path, "pipe");
        Assert.Equal($"{pipe}: is a named pipe, expected a file.", Assert.Throws<InputException>(() => set.Add("pipe", new byte[1])).Message);
        Assert.True(RegularFile.IsStream(pipe));
    }

    [PipeFact]
    public async Task APipeGetsTheBytesThatAreStreamed()
    {
        string pipe = _folder.Pipe("pipe");
        Task<byte[]> reader = Task.Run(() => File.ReadAllBytes(pipe));
        AtomicFile.WriteOrStream(pipe, s => s.Write([1, 2]));
        Assert.Equal([1, 2], await reader);
        Assert.True(RegularFile.IsStream(pipe));
        string file = _folder.File("file");
        AtomicFile.WriteOrStream(file, s => s.Write([3]));
        Assert.Equal([3], File.ReadAllBytes(file));
    }

    [LinkFact]
    public void AFileIsTheSameByEveryLink()
    {
        string one = _folder.Write("one", [1]), other = _folder.Write("other", [1]), link = _folder.File("link");
        Assert.True(RegularFile.AreSame(one, _folder.File("./one")));
        Assert.False(RegularFile.AreSame(one, other));
        Assert.False(RegularFile.AreSame(_folder.File("none"), one));
        File.CreateSymbolicLink(link, "one");
        Assert.True(RegularFile.AreSame(link, one));
        // What a device is told it does not keep: reading it and writing to it is no mistake.
        Assert.False(RegularFile.AreSame("/dev/null", "/dev/null") && OperatingSystem.IsLinux());
    }
}
