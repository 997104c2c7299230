using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tensors.Tests.Cpu;

namespace LoRA2.Native.Tensors.Tests;

/// <summary>Ops of the tokens of a padded batch alone have the rows, the probabilities, the dropped elements and the gradients that they have in the batch.</summary>
[Collection(ThreadCountCollection.Name)]
public sealed class PackedRowsTests
{
    private const int Length = 41, Heads = 2, Width = 10;

    private static readonly int[] Lengths = [1, 41, 7, 33, 2];

    private static readonly DropoutMask Dropout = new(0.3, 5, 2, 9);

    public static TheoryData<DType, Precision, bool> Attentions
    {
        get
        {
            var data = new TheoryData<DType, Precision, bool>();
            foreach (bool disentangled in (bool[])[false, true])
            {
                data.Add(DType.Float64, Precision.Float32, disentangled);
                data.Add(DType.Float32, Precision.Float32, disentangled);
                data.Add(DType.Float32, Precision.BFloat16, disentangled);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Attentions))]
    public void AttentionHasTheBitsOfThePaddedOne(DType type, Precision precision, bool disentangled)
    {
        foreach (SimdPath path in Enum.GetValues<SimdPath>().Where(SimdPaths.IsSupported))
        {
            using var scope = new TensorScope();
            SimdPaths.Forced = path;
            try
            {
                Tensor places = Places(), mask = Tensor.Zeros([Lengths.Length, Length], DType.Int32);
                foreach (long place in places.AsSpan<long>()) mask.AsSpan<int>()[(int)place] = 1;
                int[] starts = [0, .. Lengths.Select((_, i) => Lengths.Take(i + 1).Sum())];
                var padded = new AttentionTerms(Heads, 0.4, mask, disentangled, Dropout, Precision: precision);
                if (disentangled) padded = padded with { PositionOf = [.. Enumerable.Range(0, (2 * Length) - 1).Select(i => i / 3)], PositionKey = Values(6, type, 28, Width), PositionQuery = Values(7, type, 28, Width) };
                AttentionTerms packed = padded with { Mask = null, Starts = Tensor.From(starts, [starts.Length]), Longest = Length };
                Tensor[] whole = [.. Enumerable.Range(1, 3).Select(i => Values(i, type, Lengths.Length, Length, Width))], picked = [.. whole.Select(x => Picked(x, places))];
                Shape shape = [Lengths.Length, Heads, Length, Length];
                Tensor expected = Tensor.Empty(shape, type), found = Tensor.Empty(shape, type);
                Tensor y = Run(picked, packed, found, Picked(Values(4, type, Lengths.Length, Length, Width), places), out Tensor[] gradients);
                // Padding queries of the batch get no gradient here; their rows of y are nobody's.
                Tensor z = Run(whole, padded, expected, OnlyAt(Values(4, type, Lengths.Length, Length, Width), places), out Tensor[] others);
                Assert.Equal(Numbers(Picked(z, places)), Numbers(y));
                for (int i = 0; i < 3; i++) Near(Numbers(Picked(others[i], places)), Numbers(gradients[i]), type, precision);
                for (int i = 3; i < gradients.Length; i++) Near(Numbers(others[i]), Numbers(gradients[i]), type, precision);
                if (disentangled) Assert.Equal(Numbers(expected), Numbers(found));
            }
            finally
            {
                SimdPaths.Forced = null;
            }
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void RowsDropWhatTheyDropInTheirPlaces(DType type)
    {
        using var scope = new TensorScope();
        Tensor places = Places(), x = Values(1, type, Lengths.Length, Length, Width), residual = Values(2, type, Lengths.Length, Length, Width);
        DropoutMask mask = Dropout with { Rows = places };
        Assert.Equal(Numbers(Picked(Ops.Dropout(x, Dropout), places)), Numbers(Ops.Dropout(Picked(x, places), mask)));
        (Tensor gain, Tensor bias) = (Values(3, type, Width), Values(4, type, Width));
        Tensor expected = Ops.AddLayerNorm(x, residual, gain, bias, 1e-5, Dropout), found = Ops.AddLayerNorm(Picked(x, places), Picked(residual, places), gain, bias, 1e-5, mask);
        Assert.Equal(Numbers(Picked(expected, places)), Numbers(found));
    }

    private static Tensor Run(Tensor[] inputs, AttentionTerms terms, Tensor probabilities, Tensor gradient, out Tensor[] gradients)
    {
        using var tape = new Tape();
        Tensor[] wanted = terms.PositionOf is null ? inputs : [.. inputs, terms.PositionKey!, terms.PositionQuery!];
        foreach (Tensor input in wanted)
        {
            input.RequiresGrad = true;
            input.ClearGrad();
        }

        Tensor y = terms.PositionOf is null ? Ops.Attention(inputs[0], inputs[1], inputs[2], terms, probabilities) : Ops.DisentangledAttention(inputs[0], inputs[1], inputs[2], terms, probabilities);
        tape.Backward(y, gradient);
        gradients = [.. wanted.Select(input => input.Grad!.Clone())];
        return y;
    }

    private static Tensor Places()
    {
        long[] places = [.. Lengths.SelectMany((length, text) => Enumerable.Range(0, length).Select(i => (long)((text * Length) + i)))];
        return Tensor.From(places, [places.Length]);
    }

    private static Tensor Picked(Tensor x, Tensor places) => Ops.Reshape(Ops.IndexSelect(Ops.Reshape(x, Lengths.Length * Length, Width), 0, places), places.Count, 1, Width);

    private static Tensor OnlyAt(Tensor x, Tensor places) =>
        Ops.Reshape(Ops.IndexAdd(Tensor.Zeros([Lengths.Length * Length, Width], x.DType), 0, places, Ops.Reshape(Picked(x, places), places.Count, Width)), Lengths.Length, Length, Width);

    private static Tensor Values(int stream, DType type, params int[] extents)
    {
        float[] values = new float[extents.Aggregate(1, (all, extent) => all * extent)];
        new Philox(8, (uint)stream).FillNormal(values, 0, 1);
        return Tensor.From(values, new Shape(extents)).To(type);
    }

    private static double[] Numbers(Tensor x) => x.To(DType.Float64).ToArray<double>();

    private static void Near(double[] expected, double[] found, DType type, Precision precision)
    {
        Assert.Equal(expected.Length, found.Length);
        double tolerance = type == DType.Float64 ? 1e-13 : precision == Precision.Float32 ? 1e-5 : 1e-4;
        double largest = Math.Max(1, expected.Max(Math.Abs));
        foreach ((double one, double other) in expected.Zip(found)) Assert.InRange(Math.Abs(one - other), 0, tolerance * largest);
    }
}
