using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cli;

/// <summary>What a run really computes with, in words.</summary>
internal static class Arithmetic
{
    /// <summary>The precision and what computes it: "int8 on vectors (Vector256)".</summary>
    public static string Of(Precision precision, DeviceOption device) =>
        device.Device == Device.Cpu ? Compute.Describe(precision) : $"{precision.ToString().ToLowerInvariant()} on {device.Description}";

    /// <summary>Says what a precision that was asked for runs as, and where the program was compiled for less than the processor has.</summary>
    public static void Note(TextWriter notes, string? asked, DeviceOption device)
    {
        if (asked is not null) notes.WriteLine($"lora2: note: {Of(PrecisionOption.Parse(asked), device)}");
        if (device.Device == Device.Cpu && Compute.Shortfall is { } shortfall) notes.WriteLine($"lora2: note: {shortfall}");
    }
}
