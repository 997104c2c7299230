using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Weights;

/// <summary>
/// Tells a base model's weights from others of the same shapes: SHA-256 of every parameter's name and of up to 256 of its values, spread over it. Training, merging or
/// another source change values everywhere; to read every one would make loading slower.
/// </summary>
internal static class WeightsFingerprint
{
    private const int Samples = 256;

    /// <summary>What a parameter adds to the fingerprints of all models that have it; null where it is kept rounded, or elsewhere, and is not what the files have.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its value, as it was loaded.</param>
    public static byte[]? Sample(string name, Tensor value)
    {
        if (value.DType != DType.Float32 || value.Device != Device.Cpu) return null;
        Span<float> sampled = stackalloc float[Samples];
        ReadOnlySpan<float> values = value.AsSpan<float>();
        int count = Math.Min(Samples, values.Length);
        for (int i = 0; i < count; i++) sampled[i] = values[(int)((long)i * values.Length / count)];
        return [.. Encoding.UTF8.GetBytes($"{name} {value.Shape} "), .. MemoryMarshal.AsBytes(sampled[..count])];
    }

    /// <summary>The fingerprint of a model's parameters by what each adds to it; null where one is not known.</summary>
    public static string? Of(IEnumerable<byte[]?> samples)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[]? sample in samples)
        {
            if (sample is null) return null;
            hash.AppendData(sample);
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
