using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>What an adapter's shape and labels are is in the header of its tensors' file, and nothing more is read for it.</summary>
public sealed class AdapterHeaderTests : IDisposable
{
    private static readonly string Case = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AFileOfAnySizeSaysItsLabelsAndSettings()
    {
        // Without its tensors it takes no room on the disk: all of them are a hole.
        Write([7, 16], 3L << 30);
        Assert.Equal(7, AdapterFolder.LabelsIn(folder.Path, Config));
        Assert.Equal(HeadTraining.Classifier, AdapterFolder.SettingsIn(folder.Path).Head);
    }

    [Fact]
    public void ALabelCountThatIsNoneIsRefusedInASentence()
    {
        Write([1L << 33, 0], 16);
        Assert.Contains("has 8589934592 rows", Assert.Throws<InputException>(() => AdapterFolder.LabelsIn(folder.Path, Config)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100)]
    public void AFileThatEndsInItsHeaderIsRefused(int length)
    {
        Write([7, 16], 16);
        using (FileStream file = File.OpenWrite(folder.File(AdapterFolder.WeightsFile))) file.SetLength(length);
        Assert.Contains(AdapterFolder.WeightsFile, Assert.Throws<InputException>(() => AdapterFolder.LabelsIn(folder.Path, Config)).Message, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => AdapterFolder.SettingsIn(folder.Path));
    }

    private static EncoderConfig Config => EncoderConfigReader.FromFolder(Path.Combine(Case, "base"));

    /// <summary>A head's weight of a shape, and another tensor of a size.</summary>
    private void Write(long[] head, long bytes)
    {
        File.Copy(Path.Combine(Case, "a", AdapterFolder.ConfigFile), folder.File(AdapterFolder.ConfigFile));
        long ofHead = 4 * head.Aggregate((x, y) => x * y);
        var writer = new SafetensorsWriter(new Dictionary<string, string> { ["lora2_frozen_modules"] = "pre_classifier" });
        writer.Add("base_model.model.classifier.weight", SafetensorsDType.F32, head, stream => Skip(stream, ofHead));
        writer.Add("large", SafetensorsDType.U8, [bytes], stream => Skip(stream, bytes));
        using FileStream file = File.Create(folder.File(AdapterFolder.WeightsFile));
        writer.Write(file);
    }

    private static void Skip(Stream stream, long bytes)
    {
        stream.SetLength(stream.Position + bytes);
        stream.Position += bytes;
    }
}
