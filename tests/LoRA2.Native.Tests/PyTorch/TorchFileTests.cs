using System.IO.Compression;
using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.PyTorch;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.PyTorch;

/// <summary>What torch.save wrote (tests/Fixtures/pytorch/make.py), against the same values in safetensors.</summary>
public sealed class TorchFileTests : IDisposable
{
    private static readonly string Fixtures = Path.Combine(SharedData.Repository, "tests", "Fixtures", "pytorch");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void EveryTypeAndEveryViewIsReadBitForBit()
    {
        using SafetensorsFile expected = SafetensorsFile.Open(At("views.safetensors"));
        using TorchFile file = TorchFile.Open(At("views.bin"));
        using SafetensorsFile read = SafetensorsFile.Open(folder.Write("views", file.ToSafetensors()));
        AssertSame(expected, read);
        Assert.Equal(14, read.Entries.Count);
    }

    [Fact]
    public void TheModelsDictionaryIsFoundInATrainingProgramsCheckpoint()
    {
        using TorchFile file = TorchFile.Open(At("checkpoint.bin"));
        Assert.Equal(["w"], file.Tensors.Keys);
        using SafetensorsFile expected = SafetensorsFile.Open(At("views.safetensors"));
        Assert.True(expected.GetBytes(expected.GetEntry("plain")).SequenceEqual(file.Read("w")));
    }

    [Theory]
    [InlineData("legacy.bin", "is of the form before PyTorch 1.6")]
    [InlineData("call.bin", "there is a call of posix.system, which is not made")]
    [InlineData("list.bin", "holds no dictionary")]
    [InlineData("compressed.bin", "in the archive is compressed")]
    [InlineData("make.py", "a damaged archive")]
    public void WhatIsNoDictionaryOfTensorsIsRefusedInASentence(string name, string sentence)
    {
        InputException e = Assert.Throws<InputException>(() => TorchFile.Open(At(name)));
        Assert.StartsWith(At(name), e.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOlderModelFolderIsLoaded()
    {
        using SequenceClassifier model = SequenceClassifier.FromFolder(At("bert"));
        Assert.Equal(["classifier.weight", "classifier.bias"], model.InitialisedParameters);
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Fixtures, "..", "onnx", "bert", "weights.safetensors"));
        foreach (Parameter parameter in model.BaseParameters.Where(parameter => parameter.Name.StartsWith("bert.", StringComparison.Ordinal)))
        {
            SafetensorsEntry entry = expected.GetEntry(parameter.Name["bert.".Length..]);
            float[] values = new float[entry.ElementCount];
            expected.ReadFloat32(entry, values);
            Assert.Equal(values, parameter.Value.ToArray<float>());
        }
    }

    [Fact]
    public void ShardsOfAnOlderModelFolderAreLoaded()
    {
        folder.Write("config.json", File.ReadAllText(At("bert/config.json")));
        folder.Write("pytorch_model-1.bin", File.ReadAllBytes(At("bert/pytorch_model.bin")));
        folder.Write("pytorch_model.bin.index.json", """{"weight_map": {"pooler.dense.bias": "pytorch_model-1.bin"}}""");
        using SequenceClassifier model = SequenceClassifier.FromFolder(folder.Path);
        Assert.Equal(["classifier.weight", "classifier.bias"], model.InitialisedParameters);
        folder.Write("pytorch_model.bin.index.json", """{"weight_map": {"pooler.dense.bias": "pytorch_model-2.bin"}}""");
        Assert.Contains("the shard \"pytorch_model-2.bin\" is missing", Assert.Throws<InputException>(() => SequenceClassifier.FromFolder(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOlderAdapterIsTheSameAsInSafetensors()
    {
        string safe = Directory.CreateDirectory(folder.File("safe")).FullName;
        File.Copy(At("adapter/adapter_config.json"), Path.Combine(safe, "adapter_config.json"));
        File.Copy(At("adapter/expected.safetensors"), Path.Combine(safe, "adapter_model.safetensors"));
        float[] Values(string adapter)
        {
            using SequenceClassifier model = SequenceClassifier.FromFolder(At("bert"));
            Assert.Equal("lora", AdapterFolder.Load(model, adapter).Method.Name);
            Assert.Equal(2, AdapterFolder.LabelsIn(adapter, model.Config));
            return [.. model.Parameters.SelectMany(parameter => parameter.Value.ToArray<float>())];
        }

        Assert.Equal(Values(safe), Values(At("adapter")));
        Assert.Equal(AdapterFolder.FingerprintOf(safe), AdapterFolder.FingerprintOf(At("adapter")));
    }

    [Fact]
    public void DamagedArchivesEndInASentence()
    {
        byte[] whole = File.ReadAllBytes(At("views.bin"));
        for (int length = 0; length < whole.Length; length += 61) Read(whole[..length]);
        var random = new Random(11);
        for (int i = 0; i < 400; i++) Read(Damaged(whole, random));
    }

    [Fact]
    public void DamagedPicklesEndInASentence()
    {
        byte[] pickle;
        using (ZipArchive archive = ZipFile.OpenRead(At("views.bin")))
        {
            using var stream = new MemoryStream();
            archive.GetEntry("views/data.pkl")!.Open().CopyTo(stream);
            pickle = stream.ToArray();
        }

        var random = new Random(12);
        for (int i = 0; i < 4000; i++) Read(i < pickle.Length ? pickle[..i] : Damaged(pickle, random), Pickled);
        void Pickled(string path) => Pickle.Read(path, File.ReadAllBytes(path));
    }

    [Theory]
    // Shape, strides and offset of a view of 24 elements.
    [InlineData(0, new long[] { 5, 5 }, new long[] { 5, 1 })]
    [InlineData(20, new long[] { 5 }, new long[] { 1 })]
    [InlineData(0, new long[] { 1000, 1000 }, new long[] { 0, 0 })]
    [InlineData(0, new long[] { -1 }, new long[] { 1 })]
    [InlineData(0, new long[] { 4 }, new long[] { -1 })]
    [InlineData(-1, new long[] { 4 }, new long[] { 1 })]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 1 })]
    [InlineData(0, new long[] { 2_000_000_000, 2_000_000_000, 2_000_000_000 }, new long[] { 0, 0, 0 })]
    public void AViewBeyondItsStorageIsRefused(long offset, long[] shape, long[] strides)
    {
        object? storage = TorchValues.Storage(new object?[] { "storage", new GlobalName("torch", "FloatStorage"), "0", "cpu", 24L }, Error);
        object?[] arguments = [storage, offset, Array.ConvertAll(shape, extent => (object?)extent), Array.ConvertAll(strides, stride => (object?)stride), false, null];
        Assert.Throws<InputException>(() => TorchValues.Call(new GlobalName("torch._utils", "_rebuild_tensor_v2"), arguments, Error));
        static InputException Error(string what) => new(what);
    }

    private static string At(string name) => Path.Combine(Fixtures, name);

    private void Read(byte[] bytes, Action<string>? read = null)
    {
        string path = folder.Write("damaged.bin", bytes);
        try
        {
            if (read is not null)
            {
                read(path);
                return;
            }

            using TorchFile file = TorchFile.Open(path);
            file.ToSafetensors();
        }
        catch (InputException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    private static byte[] Damaged(byte[] whole, Random random)
    {
        byte[] damaged = [.. whole];
        for (int i = random.Next(4); i >= 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
        return damaged;
    }

    private static void AssertSame(SafetensorsFile expected, SafetensorsFile read)
    {
        Assert.Equal(expected.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal), read.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (SafetensorsEntry entry in expected.Entries)
        {
            SafetensorsEntry found = read.GetEntry(entry.Name);
            Assert.Equal((entry.Type, entry.ShapeText), (found.Type, found.ShapeText));
            Assert.True(expected.GetBytes(entry).SequenceEqual(read.GetBytes(found)), entry.Name);
        }
    }
}
