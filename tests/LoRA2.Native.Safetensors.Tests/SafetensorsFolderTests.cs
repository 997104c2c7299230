using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Safetensors.Tests;

public sealed class SafetensorsFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OneFile()
    {
        WriteShard("model.safetensors", "a", "b");
        using SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        Assert.Equal(["a", "b"], folder.Entries.Select(e => e.Name));
        Assert.True(folder.TryGet("a", out SafetensorsFile? file, out SafetensorsEntry? entry));
        Assert.Equal(1, file.GetBytes(entry)[0]);
    }

    [Fact]
    public void Shards()
    {
        WriteShard("m-1.safetensors", "a", "b");
        WriteShard("m-2.safetensors", "c");
        Index("""{"metadata":{"total_size":12},"weight_map":{"c":"m-2.safetensors","a":"m-1.safetensors","b":"m-1.safetensors"}}""");
        using SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        Assert.Equal(2, folder.Files.Count);
        (SafetensorsFile file, SafetensorsEntry entry) = folder.Get("c");
        Assert.EndsWith("m-2.safetensors", file.Path);
        Assert.Equal(1, file.GetBytes(entry)[0]);
        Assert.False(folder.TryGet("d", out _, out _));
        var e = Assert.Throws<InputException>(() => folder.Get("d"));
        Assert.Equal($"{_folder.Path}: there is no tensor \"d\", expected it among the folder's 3 tensors.", e.Message);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"m-3.safetensors"}}""", "the shard \"m-3.safetensors\" is missing, expected it beside the index.")]
    [InlineData("""{"weight_map":{"z":"m-1.safetensors"}}""", "tensor \"z\" is not in m-1.safetensors, expected it there.")]
    [InlineData("""{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}""",
        "tensor \"b\" is not in m-2.safetensors, expected it there.")]
    [InlineData("""{"weight_map":{"a":"../x"}}""", "tensor \"a\" maps to \"../x\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":".."}}""", "tensor \"a\" maps to \"..\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""",
        "tensor \"a\" maps to \"/etc/passwd\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":"..\\x"}}""", "tensor \"a\" maps to \"..\\x\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":""}}""", "tensor \"a\" maps to \"\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":7}}""", "tensor \"a\" maps to Number, expected a file name.")]
    [InlineData("""{"weight_map":{"a":"m-1.safetensors","a":"m-1.safetensors"}}""",
        "tensor \"a\" appears twice in the weight_map, expected once.")]
    [InlineData("""{"weight_map":[]}""", "no weight_map found, expected an object from tensor names to file names.")]
    [InlineData("[]", "no weight_map found, expected an object from tensor names to file names.")]
    [InlineData("{\n\"weight_map\":", "the file is not valid JSON (line 2), expected a weight_map.")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "a string is not valid Unicode, expected JSON in UTF-8.")]
    public void BadIndexes(string json, string message)
    {
        WriteShard("m-1.safetensors", "a", "b");
        WriteShard("m-2.safetensors", "c");
        Index(json);
        var e = Assert.Throws<InputException>(() => SafetensorsFolder.Open(_folder.Path));
        Assert.Equal($"{_folder.File("model.safetensors.index.json")}: {message}", e.Message);
    }

    [Fact]
    public void OneTensorInTwoShards()
    {
        WriteShard("m-1.safetensors", "a");
        WriteShard("m-2.safetensors", "a", "b");
        Index("""{"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}""");
        var e = Assert.Throws<InputException>(() => SafetensorsFolder.Open(_folder.Path));
        Assert.Equal(
            $"{_folder.File("m-2.safetensors")}: tensor \"a\" is also in {_folder.File("m-1.safetensors")}, expected it in one shard.", e.Message);
    }

    [Fact]
    public void NoWeights()
    {
        var e = Assert.Throws<InputException>(() => SafetensorsFolder.Open(_folder.Path));
        Assert.Equal($"{_folder.Path}: no weights found, expected model.safetensors or model.safetensors.index.json in the folder.",
            e.Message);
    }

    private void Index(string json) => _folder.Write("model.safetensors.index.json", json);

    private void WriteShard(string file, params string[] names)
    {
        var writer = new SafetensorsWriter();
        foreach (string name in names) writer.Add(name, SafetensorsDType.F32, [1], new byte[] { 1, 0, 0, 0 });
        writer.Write(_folder.File(file));
    }
}
