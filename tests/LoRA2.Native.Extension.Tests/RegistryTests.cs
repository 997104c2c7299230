using System.Reflection;
using System.Runtime.CompilerServices;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;

namespace LoRA2.Native.Extension.Tests;

public sealed class RegistryTests(Outsiders outsiders) : IClassFixture<Outsiders>
{
    [Fact]
    public void NoAssemblyShowsThisOneItsInternals()
    {
        string self = typeof(RegistryTests).Assembly.GetName().Name!;
        Assembly[] ours = [.. AppDomain.CurrentDomain.GetAssemblies().Where(assembly => assembly.GetName().Name is { } name && name.StartsWith("LoRA2.Native", StringComparison.Ordinal) && name != self)];
        Assert.NotEmpty(ours);
        Assert.All(ours, assembly => Assert.DoesNotContain(assembly.GetCustomAttributes<InternalsVisibleToAttribute>(), friend => friend.AssemblyName == self));
    }

    [Fact]
    public void WhatWasAddedIsFound()
    {
        Assert.Same(outsiders.LogLoss, Metrics.Named("log_loss"));
        Assert.Same(LabelledLines.Format, DataFormats.Of("a.LINES"));
        Assert.Equal("Output scale start 1", AdapterMethods.Named("output-scale").Description);
        Assert.IsType<MeanFormerConfig>(EncoderFamilies.Of("mean-former"));
    }

    [Fact]
    public void ANameIsGivenOnce()
    {
        Refused("log_loss", () => Metrics.Register(new LogLoss()));
        Refused("accuracy", () => Metrics.Register(Metric.OfClasses("accuracy", (_, _) => 0)));
        Refused("labelled lines", () => DataFormats.Register(new DataFormat("labelled lines", [".other"], _ => throw new InputException("never"))));
        Refused(".lines", () => DataFormats.Register(new DataFormat("other", [".other", ".lines"], _ => throw new InputException("never"))));
        Refused("output-scale", () => AdapterMethods.Register(new OutputScaleMethod { Start = 2 }));
        Refused("mean-former", () => EncoderFamilies.Register(new MeanFormerConfig { Layers = 1 }));
    }

    [Theory]
    [InlineData("", "block.#")]
    [InlineData("a..b", "block.#")]
    [InlineData("a", "block_#")]
    [InlineData("a", "block.0")]
    [InlineData("a", "#.#.#")]
    public void AFamilyWhoseModulesCouldNotBeFoundIsRefused(string prefix, string layer)
    {
        var error = Assert.Throws<ArgumentException>(() => EncoderFamilies.Register(new MisplacedConfig(prefix, layer)));
        Assert.Contains(prefix == "a" ? layer : prefix, error.Message, StringComparison.Ordinal);
        Assert.Null(EncoderFamilies.Of("misplaced"));
    }

    [Fact]
    public void ManyThreadsAddAtOnce()
    {
        string[] names = [.. Enumerable.Range(0, 64).Select(i => $"metric{i}")];
        Parallel.ForEach(names, name => Metrics.Register(Metric.OfScores(name, (_, _) => 0)));
        Assert.Empty(names.Except(Metrics.All.Select(metric => metric.Name)));
    }

    private static void Refused(string name, Action register)
    {
        var error = Assert.Throws<ArgumentException>(register);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.Contains("already", error.Message, StringComparison.Ordinal);
    }

    private sealed record MisplacedConfig(string Place, string LayerPlace) : EncoderConfig
    {
        public override string ModelType => "misplaced";

        public override string Title => "Misplaced";

        public override string ClassName => "Misplaced";

        public override string Prefix => Place;

        public override LayerNames Names => new MeanFormerConfig().Names with { Layer = LayerPlace };

        public override EncoderConfig Read(ConfigFields fields) => throw new InputException("never");

        public override Encoder CreateEncoder(ParameterSource source) => throw new InputException("never");

        public override EncoderHead CreateHead(ParameterSource source) => throw new InputException("never");
    }
}
