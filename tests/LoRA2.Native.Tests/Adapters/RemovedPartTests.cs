using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.Serialization;
using LoRA2.Native.Tests.Shared;

namespace LoRA2.Native.Tests.Adapters;

/// <summary>
/// Adapters of PEFT's whose start was taken out of the weights (PiSSA, OLoRA) and that were saved without being converted. The part is found here in another way than in the library: one singular
/// value after the other by power iteration, and Householder's QR decomposition.
/// </summary>
public sealed class RemovedPartTests : IDisposable
{
    private const int Rank = 3;
    private const double Alpha = 4.5;
    private readonly TemporaryFolder folder = new();
    private readonly SmallModel small = new();

    public void Dispose()
    {
        small.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData("pissa", false, false)]
    [InlineData("pissa", true, false)]
    [InlineData("olora", false, false)]
    [InlineData("OLoRA", true, false)]
    [InlineData("pissa", false, true)]
    [InlineData("olora", true, true)]
    public void AnAdapterThatWasNotTrainedLeavesTheModelAsItWas(string start, bool rankStabilised, bool dora)
    {
        float[] before = small.HiddenStates();
        Write(start, rankStabilised, dora, change: 0);
        AdapterSettings settings = AdapterFolder.Load(small.Model, folder.Path);
        Near(before, small.HiddenStates(), 2e-5f);
        Assert.Equal((2 * Rank, dora), (((LoRAMethod)settings.Method).Rank, settings.Method is DoRAMethod));
    }

    [Theory]
    [InlineData("pissa", false)]
    [InlineData("olora", true)]
    public void ATrainedOneAddsWhatWasTrainedAndIsThatWhenItIsSavedAgain(string start, bool rankStabilised)
    {
        double scale = Write(start, rankStabilised, dora: false, change: 0.3);
        float[][] weights = [.. Targets().Select(layer => layer.Weight.Value.ToArray<float>())];
        AdapterFolder.Load(small.Model, folder.Path);
        foreach ((LinearLayer layer, float[] weight) in Targets().Zip(weights))
        {
            // W − s B₀ A₀ + s (B₀ + change) A₀, where B₀ A₀ is the part: W + s · change · 1 A₀.
            using var scope = new TensorScope();
            var adapter = (LoRAAdapter)layer.Adapter!;
            (Tensor a, Tensor b) = adapter.LowRank();
            float[] update = Ops.Scale(Ops.MatMul(b, a), adapter.Scale).ToArray<float>();
            double[][] start0 = Start(start, weight, layer.Outputs, layer.Inputs, scale).A;
            for (int row = 0; row < layer.Outputs; row++)
            {
                for (int column = 0; column < layer.Inputs; column++)
                    Assert.Equal(scale * 0.3 * start0.Sum(factor => factor[column]), update[(row * layer.Inputs) + column], 5e-5);
            }
        }

        float[] hidden = small.HiddenStates();
        using var again = new TemporaryFolder();
        AdapterFolder.Save(small.Model, AdapterFolder.SettingsIn(folder.Path), "base", again.Path);
        Assert.DoesNotContain("init_lora_weights\": \"", File.ReadAllText(again.File("adapter_config.json")), StringComparison.Ordinal);
        AdapterFolder.Load(small.Model, again.Path);
        Assert.Equal(hidden, small.HiddenStates());
    }

    [Fact]
    public void ARankThatTheWeightHasNotIsRefused()
    {
        Write("pissa", false, false, 0, rank: 17);
        Assert.Contains("the adapter's rank is 17, and the weight has 16 rows and 16 columns", Assert.Throws<InputException>(() => AdapterFolder.Load(small.Model, folder.Path)).Message, StringComparison.Ordinal);
    }

    private IEnumerable<LinearLayer> Targets() => small.Model.AdaptableLayers.Where(layer => layer.Name.EndsWith("query_proj", StringComparison.Ordinal));

    private double Write(string start, bool rankStabilised, bool dora, double change, int rank = Rank)
    {
        double scale = rankStabilised ? Alpha / Math.Sqrt(rank) : Alpha / rank;
        File.WriteAllText(folder.File("adapter_config.json"), $$"""
            {"peft_type": "LORA", "r": {{rank}}, "lora_alpha": {{Alpha}}, "target_modules": ["query_proj"], "init_lora_weights": "{{start}}", "use_rslora": {{(rankStabilised ? "true" : "false")}}, "use_dora": {{(dora ? "true" : "false")}}}
            """);
        using var scope = new TensorScope();
        var writer = new SafetensorsWriter();
        foreach (LinearLayer layer in Targets())
        {
            float[] weight = layer.Weight.Value.ToArray<float>();
            (int rows, int columns) = (layer.Outputs, layer.Inputs);
            (double[][] a, double[][] b) = rank > rows ? (Zeros(rank, columns), Zeros(rank, rows)) : Start(start, weight, rows, columns, scale);
            writer.Add($"base_model.model.{layer.Name}.lora_A.weight", Tensor.From(a.SelectMany(row => row).Select(value => (float)value).ToArray(), [rank, columns]));
            writer.Add($"base_model.model.{layer.Name}.lora_B.weight", Tensor.From([.. Enumerable.Range(0, rows).SelectMany(row => b.Select(factor => (float)(factor[row] + change)))], [rows, rank]));
            if (dora) writer.Add($"base_model.model.{layer.Name}.lora_magnitude_vector", Tensor.From([.. weight.Chunk(columns).Select(row => (float)Math.Sqrt(row.Sum(value => (double)value * value)))], [rows]));
        }

        writer.Write(folder.File("adapter_model.safetensors"));
        return scale;
    }

    private static double[][] Zeros(int count, int length) => [.. Enumerable.Range(0, count).Select(_ => new double[length])];

    /// <summary>PEFT's A and B at the start: rows of A, columns of B.</summary>
    private static (double[][] A, double[][] B) Start(string start, float[] weight, int rows, int columns, double scale) =>
        start == "pissa" ? Principal(weight, rows, columns, scale) : Orthonormal(weight, rows, columns);

    private static (double[][] A, double[][] B) Principal(float[] weight, int rows, int columns, double scale)
    {
        double[] rest = Array.ConvertAll(weight, value => (double)value);
        (double[][] a, double[][] b) = (new double[Rank][], new double[Rank][]);
        for (int k = 0; k < Rank; k++)
        {
            double[] right = [.. Enumerable.Range(0, columns).Select(i => Math.Sin(1.7 + (i * (k + 2.3))))], left = [];
            double size = 0;
            for (int step = 0; step < 20000; step++)
            {
                left = [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, columns).Sum(i => rest[(row * columns) + i] * right[i]))];
                double leftSize = Math.Sqrt(left.Sum(value => value * value));
                left = Array.ConvertAll(left, value => value / leftSize);
                double[] next = [.. Enumerable.Range(0, columns).Select(i => Enumerable.Range(0, rows).Sum(row => rest[(row * columns) + i] * left[row]))];
                size = Math.Sqrt(next.Sum(value => value * value));
                next = Array.ConvertAll(next, value => value / size);
                double moved = next.Zip(right, (x, y) => Math.Abs(x - y)).Max();
                right = next;
                if (moved < 1e-14) break;
            }

            for (int row = 0; row < rows; row++)
            {
                for (int i = 0; i < columns; i++) rest[(row * columns) + i] -= size * left[row] * right[i];
            }

            double root = Math.Sqrt(size / scale);
            (a[k], b[k]) = (Array.ConvertAll(right, value => root * value), Array.ConvertAll(left, value => root * value));
        }

        return (a, b);
    }

    private static (double[][] A, double[][] B) Orthonormal(float[] weight, int rows, int columns)
    {
        double[][] r = [.. weight.Chunk(columns).Select(row => Array.ConvertAll(row, value => (double)value))];
        double[][] q = [.. Enumerable.Range(0, rows).Select(i => Enumerable.Range(0, rows).Select(j => i == j ? 1.0 : 0).ToArray())];
        for (int k = 0; k < Rank; k++)
        {
            double[] v = new double[rows];
            for (int i = k; i < rows; i++) v[i] = r[i][k];
            v[k] += Math.CopySign(Math.Sqrt(v.Sum(value => value * value)), v[k]);
            double square = v.Sum(value => value * value);
            for (int column = 0; column < columns; column++)
            {
                double product = 2 * Enumerable.Range(0, rows).Sum(i => v[i] * r[i][column]) / square;
                for (int i = 0; i < rows; i++) r[i][column] -= product * v[i];
            }

            for (int row = 0; row < rows; row++)
            {
                double product = 2 * Enumerable.Range(0, rows).Sum(i => q[row][i] * v[i]) / square;
                for (int i = 0; i < rows; i++) q[row][i] -= product * v[i];
            }
        }

        return (r[..Rank], [.. Enumerable.Range(0, Rank).Select(k => Enumerable.Range(0, rows).Select(row => q[row][k]).ToArray())]);
    }

    private static void Near(float[] expected, float[] found, float tolerance)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], tolerance);
    }
}
