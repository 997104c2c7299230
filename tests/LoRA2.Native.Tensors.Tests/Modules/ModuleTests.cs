using LoRA2.Native.Files;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Modules;
using LoRA2.Native.Tensors.Optimizers;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tensors.Tests.Modules;

/// <summary>Modules have PyTorch's names and first values, their gradients are right, and files keep them.</summary>
public sealed class ModuleTests
{
    [Fact]
    public void NamesArePyTorchs()
    {
        using var layer = new TransformerEncoderLayer(4, 2, 8, new ParameterRandom(1));
        Assert.Equal(
            ["self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"],
            layer.NamedParameters.Select(named => named.Name));
        using var lstm = new Lstm(3, 2, new ParameterRandom(1), layers: 2, bidirectional: true);
        Assert.Equal(16, lstm.Parameters.Count());
        Assert.Contains("weight_hh_l1_reverse", lstm.NamedParameters.Select(named => named.Name));
        using var norm = new Sequential(new BatchNorm(3));
        Assert.Equal(["0.running_mean", "0.running_var", "0.num_batches_tracked"], norm.NamedBuffers.Select(named => named.Name));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheGradientsOfAnEncoderLayerAreRight(bool normFirst)
    {
        using var scope = new TensorScope();
        using var layer = new TransformerEncoderLayer(4, 2, 6, new ParameterRandom(3), activation: Activation.Gelu, normFirst: normFirst, dtype: DType.Float64);
        layer.Evaluate();
        Tensor x = new CaseSource(5).Values([2, 3, 4]);
        Tensor mask = Tensor.From([1, 1, 1, 1, 1, 0], [2, 3]);
        GradientCheck.Verify(inputs => layer.Forward(inputs[0], mask), [x]);
    }

    [Fact]
    public void ALayersAttentionIsThatOfItsFormula()
    {
        using var scope = new TensorScope();
        using var attention = new MultiHeadAttention(4, 2, new ParameterRandom(3), DType.Float64);
        Tensor x = new CaseSource(5).Values([2, 3, 4], requiresGrad: false);
        Dictionary<string, Tensor> weights = attention.NamedParameters.ToDictionary(named => named.Name, named => named.Parameter.Value);
        Tensor all = Ops.Linear(x, weights["in_proj_weight"], weights["in_proj_bias"]);
        Tensor[] parts = [.. Ops.Chunk(all, 3, -1).Select(part => Ops.Permute(Ops.Reshape(part, 2, 3, 2, 2), 0, 2, 1, 3))];
        Tensor heads = Ops.ScaledDotProductAttention(parts[0], parts[1], parts[2]).Values;
        Tensor expected = Ops.Linear(Ops.Reshape(Ops.Permute(heads, 0, 2, 1, 3), 2, 3, 4), weights["out_proj.weight"], weights["out_proj.bias"]);
        Assert.True(Ops.Max(Ops.Abs(expected - attention.Forward(x))).Item() < 1e-12);
    }

    [Fact]
    public void DropoutsDropOnlyWhileTraining()
    {
        using var scope = new TensorScope();
        using var dropout = new Dropout(0.5, 7);
        Tensor x = Tensor.Full([1000], 1);
        Assert.InRange(Ops.Sum(Ops.Equal(dropout.Forward(x), 0)).Item(), 400, 600);
        dropout.Evaluate();
        Assert.Equal(x.ToArray<float>(), dropout.Forward(x).ToArray<float>());
    }

    [Fact]
    public void RunningStatisticsAreUsedAfterTraining()
    {
        using var scope = new TensorScope();
        using var norm = new BatchNorm(2, momentum: 1, epsilon: 0, dtype: DType.Float64);
        Tensor x = Tensor.From([1.0, 10, 3, 30], [2, 2]);
        norm.Forward(x);
        norm.Evaluate();
        Assert.Equal([2.0, 20], norm.NamedBuffers.First().Value.ToArray<double>());
        Assert.Equal([2.0, 200], norm.NamedBuffers.ElementAt(1).Value.ToArray<double>());
        Assert.Equal([-1 / Math.Sqrt(2), -10 / Math.Sqrt(200)], norm.Forward(x)[0].ToArray<double>(), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void AFileKeepsAModel()
    {
        using var scope = new TensorScope();
        using var folder = new TemporaryFolder();
        string path = folder.File("model.safetensors");
        using var model = new Sequential(new Conv(1, 2, [3], new ParameterRandom(1)), new BatchNorm(2), new Lambda(x => Ops.Flatten(x, 1)), new Linear(6, 2, new ParameterRandom(2)));
        Tensor x = Tensor.From([1f, -2, 3, 0.5f, 2], [1, 1, 5]);
        model.Forward(Tensor.Full([4, 1, 5], 0.5f));
        model.Evaluate();
        float[] before = model.Forward(x).ToArray<float>();
        model.Save(path);
        using var other = new Sequential(new Conv(1, 2, [3], new ParameterRandom(8)), new BatchNorm(2), new Lambda(x => Ops.Flatten(x, 1)), new Linear(6, 2, new ParameterRandom(9)));
        other.Load(path);
        other.Evaluate();
        Assert.Equal(before, other.Forward(x).ToArray<float>());
        Assert.Equal(1L, other.NamedBuffers.Last().Value.Item());
        using var wider = new Sequential(new Linear(6, 3, new ParameterRandom(1)));
        Assert.Equal($"{path}: tensor '0.weight' has shape [2, 1, 3]; the model's has [3, 6]", Assert.Throws<InputException>(() => wider.Load(path)).Message);
    }

    [Fact]
    public void ASmallNetLearnsXor()
    {
        using var model = new Sequential(new Linear(2, 8, new ParameterRandom(1)), new Activate(Activation.Tanh), new Linear(8, 1, new ParameterRandom(2)));
        using Tensor x = Tensor.From([0f, 0, 0, 1, 1, 0, 1, 1], [4, 2]).Leave(), y = Tensor.From([0f, 1, 1, 0], [4, 1]).Leave();
        using var optimizer = new Adam([new OptimizerGroup([.. model.Parameters])], 0.05);
        double loss = 1;
        for (int step = 0; step < 300; step++)
        {
            using var scope = new TensorScope();
            using var tape = new Tape();
            Tensor error = Ops.MeanSquaredError(model.Forward(x), y);
            tape.Backward(error);
            optimizer.Step();
            optimizer.ClearGradients();
            loss = error.Item();
        }

        Assert.True(loss < 1e-3, $"the loss is {loss}");
    }

    [Fact]
    public void FirstValuesAreThoseOfTheirFormulas()
    {
        using var scope = new TensorScope();
        var random = new ParameterRandom(11);
        Tensor x = Initializers.KaimingNormal(Tensor.Empty([200, 300], DType.Float64), random.Next());
        Assert.Equal(2.0 / 300, Ops.Variance(x).Item(), 3e-4);
        x = Initializers.XavierUniform(Tensor.Empty([200, 300], DType.Float64), random.Next());
        Assert.InRange(Ops.Max(x).Item(), 0.99 * Math.Sqrt(6.0 / 500), Math.Sqrt(6.0 / 500));
        x = Initializers.TruncatedNormal(Tensor.Empty([1000], DType.Float64), random.Next(), low: -1, high: 0.5);
        Assert.InRange(Ops.Min(x).Item(), -1, -0.9);
        Assert.InRange(Ops.Max(x).Item(), 0.4, 0.5);
        x = Initializers.Orthogonal(Tensor.Empty([3, 5], DType.Float64), random.Next(), 2);
        Tensor product = Ops.MatMul(x, x, transposeB: true) - Ops.Diag(Tensor.Full([3], 4, DType.Float64));
        Assert.True(Ops.Max(Ops.Abs(product)).Item() < 1e-12);
        Assert.Equal(Initializers.Normal(Tensor.Empty([7]), new ParameterRandom(4).Next()).ToArray<float>(), Initializers.Normal(Tensor.Empty([7]), new ParameterRandom(4).Next()).ToArray<float>());
    }
}
