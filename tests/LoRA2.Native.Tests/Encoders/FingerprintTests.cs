using LoRA2.Native.Adapters;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Inference;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Encoders;

/// <summary>A model's fingerprint is of the weights as they were loaded, whenever it is asked for.</summary>
public sealed class FingerprintTests
{
    private static readonly string Case = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop");

    public static TheoryData<string> Changes => [.. All.Keys];

    private static Dictionary<string, Action<SequenceClassifier>> All { get; } = new()
    {
        ["whole"] = model => model.TrainAll(),
        ["head"] = model => model.TrainHead(HeadTraining.Classifier),
        ["attach"] = model => model.Attach(new AdapterSettings(), 1),
        ["biases"] = model => model.Attach(new AdapterSettings { Method = AdapterMethods.Named("bitfit") }, 1),
        ["load"] = model => AdapterFolder.Load(model, Path.Combine(Case, "a")),
        ["merge"] = model =>
        {
            AdapterFolder.Load(model, Path.Combine(Case, "a"));
            model.Merge().Dispose();
        },
        ["round"] = model => model.FreezeBase(),
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void WhatChangesAModelLeavesItsFingerprint(string change)
    {
        using SequenceClassifier loaded = Model(Precision.Float32), model = Model(change == "round" ? Precision.BFloat16 : Precision.Float32);
        All[change](model);
        foreach (Parameter parameter in model.BaseParameters.Where(parameter => parameter.IsTrainable)) parameter.Value.AsSpan<float>().Fill(1);
        Assert.Equal(loaded.Fingerprint, model.Fingerprint);
    }

    /// <summary>What is written behind the model's back shows that nothing had been read of it before.</summary>
    [Fact]
    public void AModelThatOnlyAnswersHasNoneYet()
    {
        using SequenceClassifier loaded = Model(Precision.Float32), model = Model(Precision.Float32);
        string? expected = loaded.Fingerprint;
        foreach (SequenceClassifier one in (SequenceClassifier[])[loaded, model])
        {
            one.FreezeBase();
            one.BaseParameters[0].Value.AsSpan<float>().Fill(1);
        }

        Assert.Equal(expected, loaded.Fingerprint);
        Assert.NotEqual(expected, model.Fingerprint);
    }

    [Fact]
    public void AnyNumberOfThreadsMayAsk()
    {
        using SequenceClassifier loaded = Model(Precision.Float32), model = Model(Precision.Float32);
        string?[] found = new string?[16];
        Parallel.For(0, found.Length, i =>
        {
            if (i == 3) model.TrainAll();
            found[i] = model.Fingerprint;
        });
        Assert.All(found, one => Assert.Equal(loaded.Fingerprint, one));
    }

    [Fact]
    public void ADisposedModelThatNobodyAskedSaysSo()
    {
        SequenceClassifier asked = Model(Precision.Float32), model = Model(Precision.Float32);
        string? expected = asked.Fingerprint;
        asked.Dispose();
        model.Dispose();
        Assert.Equal(expected, asked.Fingerprint);
        Assert.Throws<ObjectDisposedException>(() => model.Fingerprint);
    }

    /// <summary>With as many labels as the base has, 3, and with others, for which the base's head is none.</summary>
    [Theory]
    [InlineData(2, Precision.Float32)]
    [InlineData(3, Precision.Float32)]
    [InlineData(2, Precision.BFloat16)]
    [InlineData(3, Precision.BFloat16)]
    public void AnAdapterOfAnotherBaseIsFoundOutOnAHost(int labels, Precision precision)
    {
        using var folders = new HostedFolders();
        string adapter = folders.Adapter("own", labels: labels);
        using (AdapterHost host = AdapterHost.Load(folders.Base, precision)) Assert.Empty(host.Put("own", adapter).Settings.Warnings);
        using (SequenceClassifier model = SequenceClassifier.FromFolder(folders.Base))
        {
            foreach (Parameter parameter in model.BaseParameters)
            {
                foreach (ref float value in parameter.Value.AsSpan<float>()) value *= 1.5f;
            }

            ModelFolder.Save(model, folders.Base, folders.Base);
        }

        using AdapterHost other = AdapterHost.Load(folders.Base, precision);
        Assert.Contains("other weights", Assert.Single(other.Put("own", adapter).Settings.Warnings), StringComparison.Ordinal);
    }

    private static SequenceClassifier Model(Precision precision) => SequenceClassifier.FromFolder(Path.Combine(Case, "base"), precision: precision);
}
