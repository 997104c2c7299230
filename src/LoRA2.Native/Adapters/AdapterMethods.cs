using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>The registry of methods: each with its default settings, in the order in which they are listed.</summary>
public static class AdapterMethods
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdapterMethod> All { get; } =
    [
        new LoRA2Method(),
        new LoRAMethod(),
        new AdaLoRAMethod(),
        new SoRAMethod(),
        new LoRAXSMethod(),
        new DoRAMethod(),
        new VeRAMethod(),
        new BitFitMethod(),
        new FullMethod(),
    ];

    /// <summary>The method of that name, with its default settings.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static AdapterMethod Named(string name) =>
        All.FirstOrDefault(method => method.Name == name) ?? throw new InputException($"there is no method '{name}'; there are {string.Join(", ", All.Select(method => method.Name))}");
}
