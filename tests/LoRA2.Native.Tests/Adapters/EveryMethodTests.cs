using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>What must hold of every method in the registry; a new one is found here.</summary>
public sealed class EveryMethodTests
{
    public static TheoryData<string> Names => [.. AdapterMethods.All.Select(method => method.Name)];

    public static TheoryData<string> WithFolders => [.. AdapterMethods.All.Where(method => method.PeftType is not null).Select(method => method.Name)];

    /// <summary>Those in whose adapters a value of a rank takes it out.</summary>
    public static TheoryData<string> WithRanks => [.. AdapterMethods.All.Where(TakesRanksOut).Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AFreshOneLeavesTheHiddenStates(string name)
    {
        using var small = new SmallModel();
        float[] before = small.HiddenStates();
        AdapterMethod method = name == "lora-xs" ? new LoRAXSMethod { Rank = 4 } : SmallModel.Method(name);
        small.Model.Attach(new AdapterSettings { Method = method }, 3);
        double allowed = method switch { LoRAXSMethod => 2e-3, DoRAMethod => 1e-4, _ => 0 };
        Assert.All(small.HiddenStates().Zip(before), pair => Assert.Equal(pair.Second, pair.First, allowed));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TrainingChangesWhatIsTrainedAndNothingElse(string name)
    {
        using var small = new SmallModel();
        AdapterMethod method = SmallModel.Method(name);
        small.Model.Attach(new AdapterSettings { Method = method }, 3);
        Dictionary<Parameter, float[]> before = small.Model.Parameters.ToDictionary(parameter => parameter, parameter => parameter.Value.ToArray<float>());
        float[] logits = small.Logits();
        small.Train(method);
        Assert.NotEqual(logits, small.Logits());
        foreach ((Parameter parameter, float[] values) in before)
        {
            // Softmax does not see what is added to all scores of a row, so a key's bias may have no gradient; rows of ids that are not in the batch neither.
            if (!parameter.IsTrainable) Assert.Equal(values, parameter.Value.ToArray<float>());
            else if (!parameter.Name.Contains("key_proj.bias", StringComparison.Ordinal)) Assert.NotEqual(values, parameter.Value.ToArray<float>());
        }

        Assert.True(small.Model.AdapterParameterCount() > 0);
        Assert.Equal(small.Model.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => parameter.Count), small.Model.AdapterParameterCount() + small.Model.HeadParameterCount());
    }

    [Theory]
    [MemberData(nameof(WithFolders))]
    public void SavedAndLoadedItGivesTheSameLogits(string name)
    {
        using var small = new SmallModel();
        using var folder = new TemporaryFolder();
        AdapterMethod method = SmallModel.Method(name);
        var settings = new AdapterSettings { Method = method };
        small.Model.Attach(settings, 3);
        small.Train(method);
        AdapterFolder.Save(small.Model, settings, "base", folder.Path);

        using var other = new SmallModel();
        AdapterSettings loaded = AdapterFolder.Load(other.Model, folder.Path);
        Assert.Equal(name, loaded.Method.Name);
        Assert.Empty(loaded.UnknownFields);
        Assert.Equal(method.InitialRank, loaded.Method.InitialRank);
        Assert.All(other.Logits().Zip(small.Logits()), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        // What was loaded is saved as it was.
        using var again = new TemporaryFolder();
        AdapterFolder.Save(other.Model, loaded, "base", again.Path);
        Assert.Equal(File.ReadAllBytes(folder.File(AdapterFolder.WeightsFile)), File.ReadAllBytes(again.File(AdapterFolder.WeightsFile)));
    }

    [Theory]
    [MemberData(nameof(WithFolders))]
    public void MergedItGivesTheSameLogitsAndUnmergedTheSameBits(string name)
    {
        using var small = new SmallModel();
        AdapterMethod method = SmallModel.Method(name);
        small.Model.Attach(new AdapterSettings { Method = method }, 3);
        small.Train(method);
        float[] logits = small.Logits();
        float[][] weights = [.. small.Model.AdaptableLayers.Select(layer => layer.Weight.Value.ToArray<float>())];
        using MergedAdapters merged = small.Model.Merge();
        Assert.Empty(small.Model.Adapters());
        Assert.All(small.Logits().Zip(logits), pair => Assert.Equal(pair.Second, pair.First, 2e-5));
        merged.Unmerge();
        Assert.Equal(method.UsesTargets, small.Model.Adapters().Any());
        Assert.Equal(weights, small.Model.AdaptableLayers.Select(layer => layer.Weight.Value.ToArray<float>()));
        Assert.Equal(logits, small.Logits());
    }

    [Theory]
    [MemberData(nameof(WithFolders))]
    public void ALowRankOneIsAPlainLoraToo(string name)
    {
        using var small = new SmallModel();
        AdapterMethod method = SmallModel.Method(name);
        var settings = new AdapterSettings { Method = method };
        small.Model.Attach(settings, 3);
        small.Train(method);
        float[] logits = small.Logits();
        if (method is DoRAMethod or BitFitMethod)
        {
            Assert.Contains("can't be a plain LoRA", Assert.Throws<InputException>(() => PlainLoRA.Convert(small.Model, settings)).Message, StringComparison.Ordinal);
            return;
        }

        AdapterSettings plain = PlainLoRA.Convert(small.Model, settings);
        Assert.All(small.Logits().Zip(logits), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        using var folder = new TemporaryFolder();
        AdapterFolder.Save(small.Model, plain, "base", folder.Path);
        using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(folder.File(AdapterFolder.ConfigFile)));
        Assert.Equal("LORA", config.RootElement.GetProperty("peft_type").GetString());
        Assert.Equal(config.RootElement.GetProperty("r").GetDouble(), config.RootElement.GetProperty("lora_alpha").GetDouble());
        using var other = new SmallModel();
        AdapterFolder.Load(other.Model, folder.Path);
        Assert.All(other.Logits().Zip(logits), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ItsOptionsReadWhatTheyWrite(string name)
    {
        AdapterMethod method = AdapterMethods.Named(name);
        foreach (MethodOption option in method.Options)
        {
            string text = option.TextOf(method);
            Assert.Null(option.WhatIsWrong(text));
            Assert.Equal(method, option.With(method, text));
            Assert.Throws<InputException>(() => option.With(method, "nonsense"));
        }
    }

    [Theory]
    [MemberData(nameof(WithRanks))]
    public void PrunedRanksAreDroppedWhenSaved(string name)
    {
        using var small = new SmallModel();
        using var folder = new TemporaryFolder();
        AdapterMethod method = SmallModel.Method(name);
        var settings = new AdapterSettings { Method = method };
        small.Model.Attach(settings, 3);
        small.Train(method);
        int number = 0;
        foreach (Adapter adapter in small.Model.Adapters())
        {
            // The first matrix loses all, the next one none, and so on.
            Span<float> values = adapter.RankValues!.AsSpan<float>();
            for (int i = 0; i < values.Length; i++) values[i] = i < 4 - (number % 5) ? 0 : 0.5f + i;
            Assert.Equal(number % 5, adapter.EffectiveRank);
            number++;
        }

        AdapterFolder.Save(small.Model, settings, "base", folder.Path);
        using var other = new SmallModel();
        AdapterSettings loaded = AdapterFolder.Load(other.Model, folder.Path);
        Assert.Equal(4, loaded.Method.InitialRank);
        Assert.Equal(small.Model.Adapters().Select(adapter => adapter.EffectiveRank), other.Model.Adapters().Select(adapter => adapter.EffectiveRank));
        Assert.Equal([0, 1, 2, 3, 4], other.Model.Adapters().Take(5).Select(adapter => adapter.RankValues!.Count));
        Assert.All(other.Logits().Zip(small.Logits()), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
    }

    private static bool TakesRanksOut(AdapterMethod method)
    {
        using var small = new SmallModel();
        small.Model.Attach(new AdapterSettings { Method = SmallModel.Method(method.Name) }, 3);
        return small.Model.Adapters().Any(adapter => adapter.RankValues is not null);
    }
}
