using LoRA2.Native.Tensors;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Hosting.Tests;

/// <summary>A tiny BERT with two labels, and two adapters for it that answer differently.</summary>
internal static class TinyTenants
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "tests", "Fixtures", "cases", "05-adapters-in-a-loop");

    public static string Base { get; } = Path.Combine(Folder, "base");

    public static string A { get; } = Path.Combine(Folder, "a");

    public static string B { get; } = Path.Combine(Folder, "b");

    public static string[] Texts { get; } = ["a good film", "a bad film", "good", "bad film bad film a good one", "film"];

    /// <summary>The service of both.</summary>
    public static TextService Load(Action<LoRA2Options>? configure = null)
    {
        var options = new LoRA2Options { ModelFolder = Base, ModelName = "tiny", Adapters = { ["a"] = A, ["b"] = B }, Workers = 2, Precision = Precision.Float32 };
        configure?.Invoke(options);
        return TextService.Load(options);
    }
}
