using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Safetensors.Tests;

/// <summary>Every way a file can be wrong, with the message it gives.</summary>
public sealed class SafetensorsErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(new byte[0], "the file has 0 bytes, expected at least the 8 of the header length.")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0 }, "the file has 7 bytes, expected at least the 8 of the header length.")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 1 }, "the header length is 0, expected a JSON object of at least 2 bytes.")]
    [InlineData(new byte[] { 9, 0, 0, 0, 0, 0, 0, 0, 1 }, "the header length is 9, expected at most the 1 bytes left in the file.")]
    [InlineData(new byte[] { 0, 0xE1, 0xF5, 5, 0, 0, 0, 0, 1 }, "the header length is 100000000, expected at most the 1 bytes left in the file.")]
    [InlineData(new byte[] { 1, 0xE1, 0xF5, 5, 0, 0, 0, 0, 1 }, "the header length is 100000001, expected at most 100000000 bytes.")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255 },
        "the header length is 18446744073709551615, expected at most 100000000 bytes.")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0, 0, (byte)' ', (byte)'{' }, "the header starts with byte 0x20, expected '{'.")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', 0xFF, (byte)'}' },
        "the header is not valid UTF-8, expected JSON in UTF-8.")]
    public void Prefix(byte[] bytes, string message) => Check(bytes, message);

    [Theory]
    [InlineData("{", "the header is not valid JSON (at byte 9), expected one object.")]
    [InlineData("{}x", "the header is not valid JSON (at byte 10), expected one object.")]
    [InlineData("{} {}", "the header is not valid JSON (at byte 11), expected one object.")]
    [InlineData("""{"\ud800":1}""", "the header has a string that is not valid Unicode, expected JSON in UTF-8.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""",
        "tensor \"a\" appears twice, expected each name once.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}""",
        "tensor \"a\" appears twice, expected each name once.")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "tensor \"a\" has dtype twice, expected once.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}}""", "tensor \"a\" has shape twice, expected once.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"data_offsets":[0,4]}}""",
        "tensor \"a\" has data_offsets twice, expected once.")]
    [InlineData("""{"a":{"shape":[4],"data_offsets":[0,4]}}""", "tensor \"a\" has no dtype, expected dtype, shape and data_offsets.")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,4]}}""", "tensor \"a\" has no shape, expected dtype, shape and data_offsets.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4]}}""", "tensor \"a\" has no data_offsets, expected dtype, shape and data_offsets.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}""",
        "tensor \"a\" has a field \"x\", expected only dtype, shape and data_offsets.")]
    [InlineData("""{"a":[1]}""", "tensor \"a\" is an array, expected an object with dtype, shape and data_offsets.")]
    [InlineData("""{"a\nb":null}""", "tensor \"a?b\" is null, expected an object with dtype, shape and data_offsets.")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""",
        "tensor \"a\" has the unknown dtype \"F31\", expected one of F32, F16, BF16, F64, I64, I32 or another of the format.")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", "tensor \"a\" has a dtype that is a number, expected a string.")]
    [InlineData("""{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""",
        "tensor \"a\" has a shape that is a number, expected an array.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""",
        "tensor \"a\" has -1 in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,4]}}""",
        "tensor \"a\" has -0 in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 1.5 in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 1e0 in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""",
        "tensor \"a\" has a string in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 9223372036854775808 in its shape, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""",
        "tensor \"a\" has a shape whose size in bytes overflows, expected at most 9223372036854775807 bytes.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2305843009213693952],"data_offsets":[0,4]}}""",
        "tensor \"a\" has a shape whose size in bytes overflows, expected at most 9223372036854775807 bytes.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 4 bytes from 0 to 4, expected 9223372036854775807 for U8 [9223372036854775807].")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,5],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 4 bytes from 0 to 4, expected 5 for U8 [1, 1, 1, 1, 1, 1, 1, 5].")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,5],"data_offsets":[1,4]}}""",
        "tensor \"a\" has 3 bytes from 1 to 4, expected 5 for U8 9 dimensions.")]
    [InlineData("""{"a":{"dtype":{},"shape":[4],"data_offsets":[0,4]}}""", "tensor \"a\" has a dtype that is an object, expected a string.")]
    [InlineData("""{"a":{"dtype":"U8","shape":true,"data_offsets":[0,4]}}""", "tensor \"a\" has a shape that is true or false, expected an array.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "tensor \"a\" has 1 data_offsets, expected 2 (begin and end).")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""",
        "tensor \"a\" has 3 data_offsets, expected 2 (begin and end).")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""",
        "tensor \"a\" has -4 in its data_offsets, expected whole numbers from 0 to 9223372036854775807.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""",
        "tensor \"a\" begins at 4 and ends at 0, expected begin <= end.")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,4]}}""",
        "tensor \"a\" has 4 bytes from 0 to 4, expected 8 for F32 [1, 2].")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "tensor \"a\" ends at byte 8 of the data, expected at most the 4 bytes of data the file has (is it truncated?).")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "tensor \"b\" begins at byte 2 and overlaps tensor \"a\", expected it to begin at 3.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "tensor \"b\" begins at byte 2 and leaves a hole after tensor \"a\", expected it to begin at 1.")]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""",
        "tensor \"b\" begins at byte 2 and leaves a hole after the header, expected it to begin at 0.")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""",
        "1 bytes follow tensor \"a\", expected the file to end there.")]
    [InlineData("{}", "4 bytes follow the header, expected the file to end there.")]
    [InlineData("""{"__metadata__":[]}""", "__metadata__ is an array, expected an object of strings.")]
    [InlineData("""{"__metadata__":{"a":1}}""", "__metadata__ key \"a\" is a number, expected a string.")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", "__metadata__ key \"a\" appears twice, expected once.")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "__metadata__ appears twice, expected once.")]
    public void Header(string json, string message) => Check(RawSafetensors.Of(json, 4), message);

    [Fact]
    public void LongNamesAreCut()
    {
        string name = new('n', 1000);
        Check(RawSafetensors.Of($$"""{"{{name}}":1}""", 0),
            $"tensor \"{name[..80]}…\" is a number, expected an object with dtype, shape and data_offsets.");
    }

    [Fact]
    public void MissingFile()
    {
        string path = _folder.File("none.safetensors");
        var e = Assert.Throws<InputException>(() => SafetensorsFile.Open(path));
        Assert.Equal($"{path}: there is no such file, expected a safetensors file.", e.Message);
    }

    [Fact]
    public void FolderInsteadOfFile()
    {
        var e = Assert.Throws<InputException>(() => SafetensorsFile.Open(_folder.Path));
        Assert.StartsWith($"{_folder.Path}: the file cannot be read (", e.Message);
        Assert.EndsWith("), expected a safetensors file.", e.Message);
    }

    [Fact]
    public void DeviceInsteadOfFile()
    {
        if (!OperatingSystem.IsLinux()) return;
        Assert.Equal("/dev/null: is a device, expected a file.", Assert.Throws<InputException>(() => SafetensorsFile.Open("/dev/null")).Message);
    }

    [Fact]
    public void MissingTensor()
    {
        string path = _folder.Write("a.safetensors", RawSafetensors.Of("{}", 0));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal($"{path}: there is no tensor \"w\", expected it among the file's 0 tensors.",
            Assert.Throws<InputException>(() => file.GetEntry("w")).Message);
    }

    [Fact]
    public void KnownButNotLoadable()
    {
        string path = _folder.Write("a.safetensors", RawSafetensors.Of("""{"m":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}}""", 4));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        SafetensorsEntry entry = file.GetEntry("m");
        Assert.Equal("BOOL", entry.Type.FormatName());
        Assert.Equal(4, file.GetBytes(entry).Length);
        var e = Assert.Throws<InputException>(() => file.ReadFloat32(entry, new float[4]));
        Assert.Equal($"{path}: tensor \"m\" has dtype BOOL, expected one of F32, F16, BF16, F64, I64, I32.", e.Message);
        e = Assert.Throws<InputException>(() => file.ReadInt32(entry, new int[4]));
        Assert.Equal($"{path}: tensor \"m\" has dtype BOOL, expected I32 or I64.", e.Message);
    }

    [Fact]
    public void Int64BeyondInt32()
    {
        byte[] bytes = RawSafetensors.Of("""{"m":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8);
        bytes[^3] = 1;
        string path = _folder.Write("a.safetensors", bytes);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var e = Assert.Throws<InputException>(() => file.ReadInt32(file.GetEntry("m"), new int[1]));
        Assert.Equal($"{path}: tensor \"m\" has a number beyond 32 bits, expected -2147483648 to 2147483647.", e.Message);
    }

    private void Check(byte[] bytes, string message)
    {
        string path = _folder.Write("bad.safetensors", bytes);
        var e = Assert.Throws<InputException>(() => SafetensorsFile.Open(path));
        Assert.Equal($"{path}: {message}", e.Message);
    }
}
