using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Adapters;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>A method of the registry with some of its settings given as texts, as on the command line.</summary>
public sealed record DrawnMethod(string Name, IReadOnlyList<(string Option, string Text)> Settings)
{
    /// <summary>The method with its defaults.</summary>
    internal AdapterMethod Plain => AdapterMethods.Named(Name);

    /// <summary>The method with the settings.</summary>
    internal AdapterMethod Method => Settings.Aggregate(Plain, (method, setting) => method.Options.Single(option => option.Name == setting.Option).With(method, setting.Text));

    public override string ToString() => $"{Name}{string.Concat(Settings.Select(setting => $" --{setting.Option} {setting.Text}"))}";
}

/// <summary>Generators of methods.</summary>
public static class MethodArbitraries
{
    private static readonly string[] Numbers = ["0", "1", "2", "3", "7", "16", "65536", "0.5", "0.001", "-1", "1e-05", "123.25"];

    /// <summary>Every method of the registry, with settings that each option takes; shrunk to fewer settings.</summary>
    public static Arbitrary<DrawnMethod> Methods() => Arb.From(
        from method in Gen.Elements(AdapterMethods.All.ToArray())
        from settings in Gen.CollectToList(method.Options, option => Gen.OneOf(Gen.Constant<string?>(null), Gen.Elements(Values(option))).Select(text => (option.Name, text)))
        select new DrawnMethod(method.Name, [.. settings.Where(setting => setting.text is not null).Select(setting => (setting.Name, setting.text!))]),
        drawn => Enumerable.Range(0, drawn.Settings.Count).Select(at => drawn with { Settings = [.. drawn.Settings.Where((_, i) => i != at)] }));

    private static string?[] Values(MethodOption option) => [.. Numbers.Concat(option.ValueName.Split('|')).Where(text => option.WhatIsWrong(text) is null)];
}
