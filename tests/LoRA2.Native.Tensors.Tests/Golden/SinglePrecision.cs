namespace LoRA2.Native.Tensors.Tests.Golden;

/// <summary>Samples whose numbers single precision does not hold: PyTorch's float32 misses its own float64 by more than the tolerance there too.</summary>
internal static class SinglePrecision
{
    private static readonly Dictionary<string, string> Reasons = new();

    public static bool IsTooHard(OpSample sample) => Reasons.ContainsKey(sample.Op);
}
