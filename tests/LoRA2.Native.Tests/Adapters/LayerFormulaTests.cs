using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.LowRank;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>Each method's layer against its formula, written out in double precision from the tensors that PEFT would have.</summary>
public sealed class LayerFormulaTests
{
    private const int Inputs = 16, Outputs = 24, Rank = 3;

    private readonly Philox random = new(11);
    private ulong drawn;

    [Fact]
    public void LoRAAndRsLoRA()
    {
        (double[,] a, double[,] b) = (Draw(Rank, Inputs), Draw(Outputs, Rank));
        Assert.Equal(2.0, new LoRAMethod { Rank = 4, Alpha = 8 }.Scale);
        Assert.Equal(4.0, new LoRAMethod { Rank = 4, Alpha = 8, Scaling = LoRAScaling.RankStabilised }.Scale);
        Check(layer => new LoRAAdapter(layer.Name, Of(a), Of(b), 0.75), weight => Plus(weight, Product(b, a), 0.75));
    }

    [Fact]
    public void AdaLoRA()
    {
        (double[,] a, double[,] e, double[,] b) = (Draw(Rank, Inputs), Draw(Rank, 1), Draw(Outputs, Rank));
        Check(layer => new AdaLoRAAdapter(layer.Name, Of(a), Of(e), Of(b), 0.75), weight => Plus(weight, Product(b, Rows(a, e)), 0.75));
    }

    [Fact]
    public void SoRA()
    {
        (double[,] a, double[,] gate, double[,] b) = (Draw(Rank, Inputs), Draw(Rank, 1), Draw(Outputs, Rank));
        Check(layer => new SoRAAdapter(layer.Name, Of(a), Of(gate), Of(b), 0.75), weight => Plus(weight, Product(b, Rows(a, gate)), 0.75));
    }

    [Fact]
    public void LoRAXS()
    {
        (double[,] a, double[,] r, double[,] b) = (Draw(Rank, Inputs), Draw(Rank, Rank), Draw(Outputs, Rank));
        Check(layer => new LoRAXSAdapter(layer.Name, Of(a), Of(b), Of(r), 0.75), weight => Plus(weight, Product(b, Product(r, a)), 0.75));
    }

    /// <summary>The layer takes the first columns of A and the first rows of B.</summary>
    [Fact]
    public void VeRA()
    {
        (double[,] a, double[,] b, double[,] d, double[,] outer) = (Draw(Rank, Inputs + 3), Draw(Outputs + 5, Rank), Draw(Rank, 1), Draw(Outputs, 1));
        var partA = new double[Rank, Inputs];
        var partB = new double[Outputs, Rank];
        for (int i = 0; i < Rank; i++)
        {
            for (int j = 0; j < Inputs; j++) partA[i, j] = a[i, j];
            for (int j = 0; j < Outputs; j++) partB[j, i] = b[j, i];
        }

        Check(layer => new VeRAAdapter(layer, new VeRAProjections(Of(a), Of(b), 0), Of(d), Of(outer)), weight => Plus(weight, Product(Rows(partB, outer), Rows(partA, d)), 1));
    }

    [Fact]
    public void DoRA()
    {
        (double[,] a, double[,] b, double[,] m) = (Draw(Rank, Inputs), Draw(Outputs, Rank), Draw(Outputs, 1));
        Check(
            layer => new DoRAAdapter(layer.Name, Of(a), Of(b), Ops.Reshape(Of(m), Outputs).Clone(), 0.75),
            weight =>
            {
                double[,] updated = Plus(weight, Product(b, a), 0.75);
                double[,] norms = Norms(updated);
                var factors = new double[Outputs, 1];
                for (int j = 0; j < Outputs; j++) factors[j, 0] = m[j, 0] / norms[j, 0];
                return Rows(updated, factors);
            });
    }

    /// <summary>The norm is a constant to the gradient: with y = c ∘ (x (W + s B A)ᵀ), c = m / n fixed, ∂m = Σ ȳ ∘ (y / m), ∂B = s (c ∘ ȳ)ᵀ x Aᵀ, ∂A = s ((c ∘ ȳ) B)ᵀ x.</summary>
    [Fact]
    public void DoRAsNormTakesNoGradient()
    {
        using var scope = new TensorScope();
        using var small = new SmallModel(1, Inputs, Outputs);
        LinearLayer layer = Layer(small);
        (double[,] a, double[,] b, double[,] m) = (Draw(Rank, Inputs), Draw(Outputs, Rank), Draw(Outputs, 1));
        (double[,] x, double[,] gradient) = (Draw(5, Inputs), Draw(5, Outputs));
        using var adapter = new DoRAAdapter(layer.Name, Of(a), Of(b), Ops.Reshape(Of(m), Outputs).Clone(), 0.5);
        using (var tape = new Tape())
        {
            tape.Backward(adapter.Forward(Of(x), layer.Weight.Value, layer.Bias!.Value), Of(gradient));
        }

        double[,] updated = Plus(Double(layer.Weight.Value), Product(b, a), 0.5);
        double[,] norms = Norms(updated);
        var factors = new double[Outputs, 1];
        var byNorm = new double[Outputs, 1];
        for (int j = 0; j < Outputs; j++) (factors[j, 0], byNorm[j, 0]) = (m[j, 0] / norms[j, 0], 1 / norms[j, 0]);
        double[,] scaled = Flip(Rows(Flip(gradient), factors));
        Close(Product(Flip(scaled), Product(x, Flip(a))), adapter.Parameters[1].Value.Grad!, 0.5);
        Close(Product(Flip(Product(scaled, b)), x), adapter.Parameters[0].Value.Grad!, 0.5);
        double[,] unit = Product(x, Flip(Rows(updated, byNorm)));
        var dm = new double[Outputs, 1];
        for (int j = 0; j < Outputs; j++)
        {
            for (int i = 0; i < 5; i++) dm[j, 0] += gradient[i, j] * unit[i, j];
        }

        Close(dm, adapter.Parameters[2].Value.Grad!, 1);
    }

    [Fact]
    public void LoRA2sOrthonormalStartIsAtTheRegularisersFloor()
    {
        using var scope = new TensorScope();
        using var small = new SmallModel(1, 16, 24);
        foreach ((int k, int r) in new[] { (3, 5), (5, 3), (4, 4) })
        {
            small.Model.Attach(new AdapterSettings { Method = new LoRA2Method { OuterRank = k, Rank = r, IsOrthonormal = true } }, 1);
            foreach (Adapter adapter in small.Model.Adapters())
                Assert.Equal(2 * Math.Max(0, k - r), Ops.LoRA2Orthogonality([((LoRA2Adapter)adapter).Factors], OrthogonalityKind.Planes).Item(), 1e-5);
            Assert.Equal(
                small.Model.Adapters().Count(), small.Model.Adapters().Select(adapter => adapter.Parameters[0].Value.ToArray<float>()[0]).Distinct().Count());
        }
    }

    private static LinearLayer Layer(SmallModel small) => small.Model.AdaptableLayers.Single(layer => layer.Outputs == Outputs);

    /// <summary>The layer's result and its merged weight are those of the weight that the formula gives.</summary>
    private void Check(Func<LinearLayer, Adapter> create, Func<double[,], double[,]> formula)
    {
        using var scope = new TensorScope();
        using var small = new SmallModel(1, Inputs, Outputs);
        LinearLayer layer = Layer(small);
        using Adapter adapter = create(layer);
        double[,] weight = formula(Double(layer.Weight.Value));
        double[,] x = Draw(7, Inputs);
        Close(Product(x, Flip(weight)), Ops.Subtract(adapter.Forward(Of(x), layer.Weight.Value, layer.Bias!.Value), layer.Bias.Value), 1);
        Close(weight, adapter.Merged(layer.Weight.Value), 1);
    }

    private double[,] Draw(int rows, int columns)
    {
        var values = new double[rows, columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++) values[i, j] = (float)random.NormalAt(drawn++);
        }

        return values;
    }

    private static Tensor Of(double[,] values) => Tensor.From([.. values.Cast<double>().Select(value => (float)value)], [values.GetLength(0), values.GetLength(1)]);

    private static double[,] Double(Tensor tensor)
    {
        float[] flat = tensor.ToArray<float>();
        var values = new double[tensor.Shape[0], tensor.Shape[1]];
        for (int i = 0; i < flat.Length; i++) values[i / tensor.Shape[1], i % tensor.Shape[1]] = flat[i];
        return values;
    }

    private static double[,] Product(double[,] a, double[,] b)
    {
        var product = new double[a.GetLength(0), b.GetLength(1)];
        for (int i = 0; i < a.GetLength(0); i++)
        {
            for (int j = 0; j < b.GetLength(1); j++)
            {
                for (int k = 0; k < b.GetLength(0); k++) product[i, j] += a[i, k] * b[k, j];
            }
        }

        return product;
    }

    private static double[,] Map(double[,] a, Func<int, int, double> value)
    {
        var result = new double[a.GetLength(0), a.GetLength(1)];
        for (int i = 0; i < a.GetLength(0); i++)
        {
            for (int j = 0; j < a.GetLength(1); j++) result[i, j] = value(i, j);
        }

        return result;
    }

    private static double[,] Plus(double[,] a, double[,] b, double factor) => Map(a, (i, j) => a[i, j] + (factor * b[i, j]));

    private static double[,] Rows(double[,] a, double[,] factors) => Map(a, (i, j) => a[i, j] * factors[i, 0]);

    private static double[,] Flip(double[,] a) => Map(new double[a.GetLength(1), a.GetLength(0)], (i, j) => a[j, i]);

    private static double[,] Norms(double[,] a) => Map(new double[a.GetLength(0), 1], (i, _) => Math.Sqrt(Enumerable.Range(0, a.GetLength(1)).Sum(j => a[i, j] * a[i, j])));

    private static void Close(double[,] expected, Tensor found, double factor)
    {
        double[] all = [.. expected.Cast<double>().Select(value => value * factor)];
        double largest = all.Max(Math.Abs);
        Assert.All(found.ToArray<float>().Zip(all), pair => Assert.Equal(pair.Second, pair.First, 1e-5 * largest));
    }
}
