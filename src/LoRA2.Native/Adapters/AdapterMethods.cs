using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Files;

namespace LoRA2.Native.Adapters;

/// <summary>The registry of methods: each with its default settings, in the order in which they are listed.</summary>
public static class AdapterMethods
{
    private static readonly Lock Gate = new();

    private static AdapterMethod[] all =
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

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AdapterMethod> All => all;

    /// <summary>Adds a method with its default settings, so that the command line and adapters' folders can name it, from here on and on every thread.</summary>
    /// <exception cref="ArgumentException">There is a method of that name or of that <see cref="AdapterMethod.PeftType"/>.</exception>
    public static void Register(AdapterMethod method)
    {
        ArgumentNullException.ThrowIfNull(method);
        lock (Gate)
        {
            if (Array.Exists(all, other => other.Name == method.Name)) throw new ArgumentException($"there is a method named {method.Name} already", nameof(method));
            if (method.PeftType is { } type && Array.Find(all, other => other.PeftType == type) is { } same)
                throw new ArgumentException($"peft_type {type} is {same.Name}'s already: a folder would not say which of the two it is of", nameof(method));
            all = [.. all, method];
        }
    }

    /// <summary>The method of that name, with its default settings.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static AdapterMethod Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(method => method.Name == name) ?? throw new InputException($"there is no method '{name}'; there are {string.Join(", ", All.Select(method => method.Name))}");
    }
}
