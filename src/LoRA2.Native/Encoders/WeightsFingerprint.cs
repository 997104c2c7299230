using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Encoders;

/// <summary>
/// Tells a base model's weights from others of the same shapes: SHA-256 of every parameter's name and of up to 256 of its values, spread over it. Training, merging or
/// another source change values everywhere; to read every one would make loading slower.
/// </summary>
internal static class WeightsFingerprint
{
    private const int Samples = 256;

    /// <summary>The fingerprint of parameters' names and values, float32 on the CPU, as they were loaded.</summary>
    public static string Of(IEnumerable<(string Name, Tensor Value)> parameters)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<float> sampled = stackalloc float[Samples];
        foreach ((string name, Tensor value) in parameters)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {value.Shape} "));
            ReadOnlySpan<float> values = value.AsSpan<float>();
            int count = Math.Min(Samples, values.Length);
            for (int i = 0; i < count; i++) sampled[i] = values[(int)((long)i * values.Length / count)];
            hash.AppendData(MemoryMarshal.AsBytes(sampled[..count]));
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
