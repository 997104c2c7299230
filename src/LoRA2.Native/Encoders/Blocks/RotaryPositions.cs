using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Encoders.Blocks;

/// <summary>
/// Rotary positions (arXiv 2104.09864): at position p, elements i and i + d/2 of a head's query or key are turned by the angle p θ^(−2i/d). Halves are paired, as in
/// HuggingFace's <c>rotate_half</c>.
/// </summary>
/// <param name="theta">θ.</param>
/// <param name="size">d, the width of a head; even.</param>
internal sealed class RotaryPositions(double theta, int size)
{
    private readonly ByLength cosines = new(length => Table(length, size, theta, Math.Cos)), sines = new(length => Table(length, size, theta, Math.Sin));

    /// <summary>[batch, heads, length, d] → the same, turned.</summary>
    public Tensor Turn(Tensor x)
    {
        (Device device, int length, int half) = (x.Device, x.Shape[2], size / 2);
        Tensor other = Ops.Concat(3, Ops.Scale(Ops.Slice(x, 3, half, half), -1), Ops.Slice(x, 3, 0, half));
        return Ops.Add(Ops.Multiply(x, cosines.On(device, length)), Ops.Multiply(other, sines.On(device, length)));
    }

    private static Tensor Table(int length, int size, double theta, Func<double, double> function)
    {
        Tensor table = Tensor.Empty([length, size]);
        Span<float> values = table.AsSpan<float>();
        for (int position = 0; position < length; position++)
        {
            for (int i = 0; i < size; i++) values[(position * size) + i] = (float)function(position * Math.Pow(theta, -2.0 * (i % (size / 2)) / size));
        }

        return table;
    }
}
