using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Tells a base model's weights from others of the same shapes: SHA-256 of every parameter's name and of up to 256 of its values, spread over it. Training, merging or
/// another source change values everywhere; to read every one would make loading slower.
/// </summary>
internal static class WeightsFingerprint
{
    private const int Samples = 256;

    /// <summary>The fingerprint of parameters on the CPU, as they were loaded.</summary>
    public static string Of(IEnumerable<Parameter> parameters)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<float> sampled = stackalloc float[Samples];
        foreach (Parameter parameter in parameters)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{parameter.Name} {parameter.Value.Shape} "));
            ReadOnlySpan<float> values = parameter.Value.AsSpan<float>();
            int count = Math.Min(Samples, values.Length);
            for (int i = 0; i < count; i++) sampled[i] = values[(int)((long)i * values.Length / count)];
            hash.AppendData(MemoryMarshal.AsBytes(sampled[..count]));
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
