using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>Self-attention of several heads over [batch, length, width], with the names of PyTorch's <c>nn.MultiheadAttention</c>: one weight for queries, keys and values.</summary>
public sealed class MultiHeadAttention : Module
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Linear output;
    private readonly int heads;

    /// <summary>Starts as PyTorch's: Xavier's uniform weights, biases 0.</summary>
    /// <exception cref="ArgumentException">The width can't be split into the heads.</exception>
    public MultiHeadAttention(int width, int heads, ParameterRandom random, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (heads < 1 || width % heads != 0) throw new ArgumentException($"MultiHeadAttention: a width of {width} can't be split into {heads} heads");
        this.heads = heads;
        weight = AddParameter("in_proj_weight", Initializers.XavierUniform(Tensor.Empty([3 * width, width], dtype), random.Next()));
        bias = AddParameter("in_proj_bias", Tensor.Zeros([3 * width], dtype));
        output = AddModule("out_proj", new Linear(width, width, random, dtype: dtype));
        using Tensor zeros = Tensor.Zeros([width], dtype);
        output.Parameters.First(parameter => parameter.Name == "bias").Value.CopyFrom(zeros);
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Forward(x, null);

    /// <summary>The same with a mask of the keys, [batch, length] Int32: 0 where not to look.</summary>
    public Tensor Forward(Tensor x, Tensor? mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        int width = x.Shape.Columns;
        Tensor all = Ops.Linear(x, weight.Value, bias.Value);
        Tensor Part(int i) => Ops.Contiguous(Ops.Slice(all, -1, i * width, width));
        return output.Forward(Ops.Attention(Part(0), Part(1), Part(2), new AttentionTerms(heads, 1 / Math.Sqrt(width / heads), mask)));
    }
}

/// <summary>A layer of a transformer encoder over [batch, length, width], with the names of PyTorch's <c>nn.TransformerEncoderLayer</c> (arXiv 1706.03762).</summary>
public sealed class TransformerEncoderLayer : Module
{
    private readonly MultiHeadAttention attention;
    private readonly Linear first;
    private readonly Linear second;
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly Dropout[] dropouts;
    private readonly Activation activation;
    private readonly bool normFirst;

    /// <summary>Makes the layer.</summary>
    /// <param name="width">The width of its input.</param>
    /// <param name="heads">Heads of attention.</param>
    /// <param name="inner">The width between the two linear layers.</param>
    /// <param name="random">What its parameters start from.</param>
    /// <param name="dropout">The probability of each dropout.</param>
    /// <param name="activation">Between the two linear layers.</param>
    /// <param name="normFirst">Whether normalisation comes before each half, not after its sum (arXiv 2002.04745).</param>
    /// <param name="dtype">The type of the parameters.</param>
    public TransformerEncoderLayer(int width, int heads, int inner, ParameterRandom random, double dropout = 0.1, Activation activation = Activation.Relu, bool normFirst = false, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(random);
        (this.activation, this.normFirst) = (activation, normFirst);
        attention = AddModule("self_attn", new MultiHeadAttention(width, heads, random, dtype));
        first = AddModule("linear1", new Linear(width, inner, random, dtype: dtype));
        second = AddModule("linear2", new Linear(inner, width, random, dtype: dtype));
        norm1 = AddModule("norm1", new LayerNorm(width, dtype: dtype));
        norm2 = AddModule("norm2", new LayerNorm(width, dtype: dtype));
        dropouts = [.. Enumerable.Range(0, 3).Select(i => AddModule($"dropout{(i == 0 ? "" : i.ToString(System.Globalization.CultureInfo.InvariantCulture))}", new Dropout(dropout, random.Next().UInt64At(0))))];
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => Forward(x, null);

    /// <summary>The same with a mask of the keys, [batch, length] Int32: 0 where not to look.</summary>
    public Tensor Forward(Tensor x, Tensor? mask)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (normFirst)
        {
            x += dropouts[1].Forward(attention.Forward(norm1.Forward(x), mask));
            return x + dropouts[2].Forward(FeedForward(norm2.Forward(x)));
        }

        x = norm1.Forward(x + dropouts[1].Forward(attention.Forward(x, mask)));
        return norm2.Forward(x + dropouts[2].Forward(FeedForward(x)));
    }

    private Tensor FeedForward(Tensor x) => second.Forward(dropouts[0].Forward(Ops.Activate(first.Forward(x), activation)));
}
