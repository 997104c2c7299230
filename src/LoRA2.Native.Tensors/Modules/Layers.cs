using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>y = x Wᵀ + b: weight [out, in], bias [out].</summary>
public sealed class Linear : Module
{
    private readonly Parameter weight;
    private readonly Parameter? bias;

    /// <summary>Starts uniform within 1/√in, as PyTorch's.</summary>
    public Linear(int inputs, int outputs, ParameterRandom random, bool bias = true, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(random);
        double bound = inputs == 0 ? 0 : 1 / Math.Sqrt(inputs);
        weight = AddParameter("weight", Initializers.Uniform(Tensor.Empty([outputs, inputs], dtype), random.Next(), -bound, bound));
        if (bias) this.bias = AddParameter("bias", Initializers.Uniform(Tensor.Empty([outputs], dtype), random.Next(), -bound, bound));
    }

    /// <summary>[.., in] to [.., out].</summary>
    public override Tensor Forward(Tensor x) => Ops.Linear(x, weight.Value, bias?.Value);
}

/// <summary>Rows of a table by ids: weight [vocabulary, width].</summary>
public sealed class Embedding : Module
{
    private readonly Parameter weight;
    private readonly int paddingId;

    /// <summary>Starts normal, the row of <paramref name="paddingId"/> 0; that row gets no gradient. −1 for none.</summary>
    public Embedding(int vocabulary, int width, ParameterRandom random, int paddingId = -1, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(random);
        this.paddingId = paddingId;
        weight = AddParameter("weight", Initializers.Normal(Tensor.Empty([vocabulary, width], dtype), random.Next()));
        if (paddingId < 0) return;
        if (dtype == DType.Float64) weight.Value.AsSpan<double>().Slice(paddingId * width, width).Clear();
        else weight.Value.AsSpan<float>().Slice(paddingId * width, width).Clear();
    }

    /// <summary>Ids (Int32 or Int64) of any shape to [ids' shape, width].</summary>
    public override Tensor Forward(Tensor x) => Ops.Embedding(weight.Value, x.To(DType.Int32), paddingId);
}

/// <summary>Drops elements while training.</summary>
public sealed class Dropout(double probability, ulong seed) : Module
{
    private uint step;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor x) => IsTraining && probability > 0 ? Ops.Dropout(x, new DropoutMask(probability, seed, step++, 0)) : x;
}

/// <summary>Long short-term memory over [length, batch, in], with the names of PyTorch's <c>nn.LSTM</c>.</summary>
public sealed class Lstm : Module
{
    private readonly List<Parameter[]> weights = [];
    private readonly int hidden;
    private readonly bool bidirectional;
    private readonly bool batchFirst;
    private RecurrentWeights[] last = [];

    /// <summary>Starts uniform within 1/√hidden, as PyTorch's.</summary>
    public Lstm(int inputs, int hidden, ParameterRandom random, int layers = 1, bool bidirectional = false, bool batchFirst = false, DType dtype = DType.Float32)
    {
        ArgumentNullException.ThrowIfNull(random);
        (this.hidden, this.bidirectional, this.batchFirst) = (hidden, bidirectional, batchFirst);
        double bound = 1 / Math.Sqrt(hidden);
        for (int layer = 0; layer < layers; layer++)
        {
            for (int direction = 0; direction < (bidirectional ? 2 : 1); direction++)
            {
                int width = layer == 0 ? inputs : hidden * (bidirectional ? 2 : 1);
                string end = $"_l{layer}{(direction == 1 ? "_reverse" : "")}";
                Parameter Of(string name, Shape shape) => AddParameter(name + end, Initializers.Uniform(Tensor.Empty(shape, dtype), random.Next(), -bound, bound));
                weights.Add([Of("weight_ih", [4 * hidden, width]), Of("weight_hh", [4 * hidden, hidden]), Of("bias_ih", [4 * hidden]), Of("bias_hh", [4 * hidden])]);
            }
        }
    }

    /// <summary>The states of the last layer from zeros, both directions side by side.</summary>
    public override Tensor Forward(Tensor x) => Run(x).Sequence;

    /// <summary>The states of the last layer, and the last states of every layer and direction; from zeros where no states are given.</summary>
    public (Tensor Sequence, Tensor Hidden, Tensor Cell) Run(Tensor x, Tensor? state = null, Tensor? cell = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Shape shape = [weights.Count, x.Shape[batchFirst ? 0 : 1], hidden];
        return Ops.Lstm(x, state ?? Tensor.Zeros(shape, x.DType, x.Device), cell ?? Tensor.Zeros(shape, x.DType, x.Device), Weights(), bidirectional, batchFirst);
    }

    /// <summary>The tensors of the parameters: the same list as long as they are the same.</summary>
    private RecurrentWeights[] Weights()
    {
        RecurrentWeights[] found = last;
        bool same = found.Length == weights.Count;
        for (int i = 0; same && i < found.Length; i++)
        {
            Parameter[] own = weights[i];
            same = found[i].Input == own[0].Value && found[i].Hidden == own[1].Value && found[i].InputBias == own[2].Value && found[i].HiddenBias == own[3].Value;
        }

        return same ? found : last = [.. weights.Select(w => new RecurrentWeights(w[0].Value, w[1].Value, w[2].Value, w[3].Value))];
    }
}
