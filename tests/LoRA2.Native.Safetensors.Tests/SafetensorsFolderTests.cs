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
    [InlineData("""{"weight_map":{"a":"."}}""", "tensor \"a\" maps to \".\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":"c:x"}}""", "tensor \"a\" maps to \"c:x\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{"a":"\u0000"}}""", "tensor \"a\" maps to \"?\", expected the name of a file in the same folder.")]
    [InlineData("""{"weight_map":{}}""", "the weight_map is empty, expected the file of every tensor.")]
    [InlineData("{}", "no weight_map found, expected an object from tensor names to file names.")]
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

    /// <summary>Only the message says that there is a pickle: reading one is asked for elsewhere.</summary>
    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model.bin.index.json")]
    public void APickleInsteadOfWeightsIsNamed(string pickle)
    {
        _folder.Write(pickle, "");
        var e = Assert.Throws<InputException>(() => SafetensorsFolder.Open(_folder.Path));
        Assert.Equal($"{_folder.Path}: no weights found, expected model.safetensors or model.safetensors.index.json in the folder; {pickle} is a pickle: convert it where it comes from "
            + "(transformers' AutoModel….from_pretrained(…).save_pretrained(…, safe_serialization=True)).", e.Message);
    }

    [Fact]
    public void WeightsAreOneFileOrAnIndex()
    {
        Assert.False(SafetensorsFolder.Exists(_folder.Path));
        Index("{}");
        Assert.True(SafetensorsFolder.Exists(_folder.Path));
        // The one file comes first, whatever the index says.
        WriteShard("model.safetensors", "a");
        SafetensorsFolder.Open(_folder.Path).Dispose();
        File.Delete(_folder.File(SafetensorsFolder.IndexFile));
        Assert.True(SafetensorsFolder.Exists(_folder.Path));
    }

    [Fact]
    public void ShardsAreInTheOrderOfTheirNames()
    {
        foreach (string shard in (string[])["b", "B", "a"]) WriteShard(shard, "in " + shard);
        Index("""{"weight_map":{"in b":"b","in a":"a","in B":"B"}}""");
        string index = _folder.File(SafetensorsFolder.IndexFile);
        string[] expected = [_folder.File("B"), _folder.File("a"), _folder.File("b")];
        Assert.Equal(expected, SafetensorsFolder.ShardsIn(index));
        using SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        Assert.Equal(expected, folder.Files.Select(file => file.Path));
        Assert.Equal(["in B", "in a", "in b"], folder.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void AnIndexThatIsNotThere()
    {
        string index = _folder.File("none.json");
        var e = Assert.Throws<InputException>(() => SafetensorsFolder.ShardsIn(index));
        Assert.StartsWith($"{index}: the file cannot be read (", e.Message);
        Assert.EndsWith("'), expected a weight_map.", e.Message);
    }

    [Fact]
    public void NothingIsFoundAfterDispose()
    {
        WriteShard("model.safetensors", "a");
        SafetensorsFolder folder = SafetensorsFolder.Open(_folder.Path);
        (SafetensorsFile file, SafetensorsEntry entry) = folder.Get("a");
        folder.Dispose();
        folder.Dispose();
        Assert.Empty(folder.Files);
        Assert.Throws<ObjectDisposedException>(() => folder.Get("a"));
        Assert.Throws<ObjectDisposedException>(() => folder.TryGet("a", out _, out _));
        Assert.Throws<ObjectDisposedException>(() => file.GetBytes(entry).Length);
    }

    private void Index(string json) => _folder.Write("model.safetensors.index.json", json);

    private void WriteShard(string file, params string[] names)
    {
        var writer = new SafetensorsWriter();
        foreach (string name in names) writer.Add(name, SafetensorsDType.F32, [1], new byte[] { 1, 0, 0, 0 });
        writer.Write(_folder.File(file));
    }
}
