namespace LoRA2.Native.Tensors.Checks;

/// <summary>Draws extents, values and settings for <see cref="OpEntry.Draw"/> from one seed.</summary>
public sealed class CaseSource(int seed)
{
    private static readonly int[] Extents = [0, 1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17];

    private static readonly int[] WideExtents = [15, 17, 31, 32, 33, 47, 61, 64, 67, 70];

    private readonly Random random = new(seed);

    /// <summary>What everything is drawn from: another source with it draws the same.</summary>
    public int Seed => seed;

    /// <summary>The greatest extent, as far as an op allows one so small: a failing case with a low one is easier to read.</summary>
    public int MostExtent { get; init; } = int.MaxValue;

    /// <summary>Factor of every extent, for cases large enough that kernels split them among threads.</summary>
    internal int Enlargement { get; init; } = 1;

    /// <summary>An extent: 0, 1, primes, and numbers around a vector's width, at most <paramref name="most"/>.</summary>
    public int Extent(int most = 17, int least = 0)
    {
        int[] allowed = Array.FindAll(Extents, extent => extent <= most && extent >= least);
        int small = Math.Max(Array.FindLastIndex(allowed, extent => extent <= MostExtent) + 1, 1);
        return Enlargement * allowed[random.Next(small)];
    }

    /// <summary>The same, but one time in eight an extent of 15 to 70, so that loops over whole vectors run, with and without a rest.</summary>
    public int WideExtent(int most = 17, int least = 0)
    {
        int[] wide = Array.FindAll(WideExtents, extent => extent <= MostExtent);
        return Int(0, 7) == 0 && wide.Length > 0 ? Enlargement * wide[random.Next(wide.Length)] : Extent(most, least);
    }

    /// <summary>A shape of 1 to <paramref name="mostAxes"/> axes with at most <paramref name="mostElements"/> elements.</summary>
    public Shape Shape(int mostAxes = 4, int mostElements = 200)
    {
        int[] extents = new int[random.Next(1, mostAxes + 1)];
        int count = 1;
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = Extent(Math.Min(17, Math.Max(mostElements / Math.Max(count, 1), 1)));
            count *= extents[i];
        }

        return new Shape(extents);
    }

    /// <summary>An integer from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public int Int(int least, int most) => random.Next(least, most + 1);

    /// <summary>Heads or tails.</summary>
    public bool Flag() => random.Next(2) == 0;

    /// <summary>A Float64 tensor of normal values that requires a gradient.</summary>
    public Tensor Values(Shape shape, double scale = 1, bool requiresGrad = true)
    {
        double[] values = new double[shape.Elements];
        for (int i = 0; i < values.Length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = scale * radius * Math.Cos(2 * Math.PI * random.NextDouble());
        }

        Tensor tensor = Tensor.From(values, shape);
        tensor.RequiresGrad = requiresGrad;
        return tensor;
    }

    /// <summary>A Float64 tensor of values between two numbers that requires a gradient.</summary>
    public Tensor Uniform(Shape shape, double least, double most)
    {
        double[] values = new double[shape.Elements];
        for (int i = 0; i < values.Length; i++) values[i] = least + ((most - least) * random.NextDouble());
        Tensor tensor = Tensor.From(values, shape);
        tensor.RequiresGrad = true;
        return tensor;
    }

    /// <summary>A Float64 tensor that requires a gradient, whose values lie at least 0.02 apart and away from 0: for functions with corners where values meet.</summary>
    public Tensor Distinct(Shape shape)
    {
        int[] order = [.. Enumerable.Range(0, shape.Elements)];
        random.Shuffle(order);
        Tensor tensor = Tensor.From([.. order.Select(i => ((i - (order.Length / 2)) * 0.05) + 0.025 + (0.01 * random.NextDouble()))], shape);
        tensor.RequiresGrad = true;
        return tensor;
    }

    /// <summary>The same with no value nearer to 0 than <paramref name="margin"/>, for functions that have a corner there.</summary>
    public Tensor ValuesAwayFromZero(Shape shape, double margin = 0.01)
    {
        Tensor tensor = Values(shape);
        foreach (ref double value in tensor.AsSpan<double>())
        {
            if (Math.Abs(value) < margin) value += Math.CopySign(margin, value);
        }

        return tensor;
    }

    /// <inheritdoc/>
    public override string ToString() => $"seed {seed}{(MostExtent == int.MaxValue ? "" : $", extents up to {MostExtent}")}";

    /// <summary>Int32 values from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public Tensor Ids(Shape shape, int least, int most)
    {
        int[] values = new int[shape.Elements];
        for (int i = 0; i < values.Length; i++) values[i] = random.Next(least, most + 1);
        return Tensor.From(values, shape);
    }
}
