namespace LoRA2.Native.Cuda.Kernels.Products;

/// <summary>
/// Where a matrix product goes and what is added to it: c = alpha · product + beta · c + bias + residual, and activated = gelu(c). Matrices are m × n without
/// gaps; flags say which addresses count. Elements of c are counted from <c>first</c>.
/// </summary>
internal readonly unsafe struct ProductOutput(nint c, uint first, nint bias, nint residual, nint activated, int flags, float alpha, float beta, int m, int n)
{
    private const int HasBias = 1;
    private const int HasResidual = 2;
    private const int HasActivated = 4;
    private const int HasVectors = 8;

    private readonly float* c = (float*)c;
    private readonly uint first = first;
    private readonly float* bias = (float*)bias;
    private readonly float* residual = (float*)residual;
    private readonly float* activated = (float*)activated;
    private readonly int flags = flags;
    private readonly float alpha = alpha;
    private readonly float beta = beta;
    public readonly int M = m;
    public readonly int N = n;

    /// <summary>Whether rows may be read and written in fours: n is a multiple of 4 and addresses are of 16.</summary>
    public bool InVectors => (flags & HasVectors) != 0;

    /// <summary>Whether gelu of the result is wanted.</summary>
    public bool IsActivated => (flags & HasActivated) != 0;

    /// <summary>The bias of four columns.</summary>
    public Float4 Bias(int column)
    {
        Float4 value = default;
        if ((flags & HasBias) != 0) value = *(Float4*)(bias + (uint)column);
        return value;
    }

    /// <summary>What is added to the product at an element and the three after it, without the bias.</summary>
    public Float4 Added(int row, int column)
    {
        uint at = ((uint)row * (uint)N) + (uint)column;
        Float4 value = default;
        if (beta != 0)
        {
            Float4 old = *(Float4*)(c + (first + at));
            value = new Float4(beta * old.X, beta * old.Y, beta * old.Z, beta * old.W);
        }

        if ((flags & HasResidual) != 0)
        {
            Float4 old = *(Float4*)(residual + at);
            value = new Float4(value.X + old.X, value.Y + old.Y, value.Z + old.Z, value.W + old.W);
        }

        return value;
    }

    /// <summary>The finished element and the three after it, which are written to c.</summary>
    public Float4 Store(int row, int column, Float4 product, Float4 added, Float4 bias)
    {
        uint at = ((uint)row * (uint)N) + (uint)column;
        var value = new Float4((alpha * product.X) + added.X + bias.X, (alpha * product.Y) + added.Y + bias.Y, (alpha * product.Z) + added.Z + bias.Z, (alpha * product.W) + added.W + bias.W);
        *(Float4*)(c + (first + at)) = value;
        return value;
    }

    /// <summary>Writes gelu of an element and of the three after it.</summary>
    public void Activate(int row, int column, Float4 value)
    {
        uint at = ((uint)row * (uint)N) + (uint)column;
        *(Float4*)(activated + at) = new Float4(Gelu(value.X), Gelu(value.Y), Gelu(value.Z), Gelu(value.W));
    }

    /// <summary>Writes one element.</summary>
    public void Store(int row, int column, float product)
    {
        uint at = ((uint)row * (uint)N) + (uint)column;
        float value = alpha * product;
        if (beta != 0) value += beta * c[first + at];
        if ((flags & HasResidual) != 0) value += residual[at];
        if ((flags & HasBias) != 0) value += bias[(uint)column];
        c[first + at] = value;
        if (IsActivated) activated[at] = Gelu(value);
    }

    private static float Gelu(float x) => x * Single.NormalCdf(x, out _);
}
