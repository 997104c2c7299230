using System.Runtime.InteropServices;
using System.Text.Json;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Embeddings.Losses;
using LoRA2.Native.Safetensors;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tests.Golden;

/// <summary>Values and gradients of the losses are sentence-transformers', in double and in single precision.</summary>
public sealed class EmbeddingLossGoldenTests
{
    public static TheoryData<string> Names => [.. Losses(16).Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ValueAndGradientsAreTheTraces(string name)
    {
        using var scope = new TensorScope();
        using SafetensorsFile file = SafetensorsFile.Open(GoldenTraces.At("sentence_losses", "tensors.safetensors"));
        using JsonDocument meta = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At("sentence_losses", "losses.json")));
        JsonElement trace = meta.RootElement.GetProperty(name);
        string[] inputs = [.. trace.GetProperty("inputs").EnumerateArray().Select(input => input.GetString()!)];
        (EmbeddingLoss loss, string? labels) = Losses(file.GetEntry("anchor").Shape[1])[name];
        foreach (DType dtype in (DType[])[DType.Float64, DType.Float32])
        {
            double tolerance = dtype == DType.Float64 ? 1e-9 : 3e-4;
            Tensor[] texts = [.. inputs.Select(input => Read(file, input).To(dtype))];
            foreach (Tensor text in texts) text.RequiresGrad = true;
            float[] scores = labels is null ? [] : Array.ConvertAll(Values(file, labels), value => (float)value);
            Tensor targets = loss.Targets(scores, texts[0].Shape[0], dtype);
            using var tape = new Tape();
            Tensor found = loss.Of(texts, targets);
            double expected = trace.GetProperty("loss").GetDouble();
            Assert.Equal(expected, found.Item(), (labels is null ? tolerance : Math.Max(tolerance, 1e-6)) * Math.Max(1, expected));
            tape.Backward(found);
            for (int i = 0; i < inputs.Length; i++)
            {
                double[] gradient = Values(file, $"{name}.grad.{inputs[i]}");
                double scale = gradient.Max(Math.Abs);
                double[] mine = texts[i].Grad!.To(DType.Float64).ToArray<double>();
                // Scores are Float32, in which the trace's are not all exact.
                double allowed = (labels is null ? tolerance : Math.Max(tolerance, 1e-6)) * Math.Max(1, scale);
                for (int e = 0; e < gradient.Length; e++) Assert.Equal(gradient[e], mine[e], allowed);
            }

            if (dtype == DType.Float64) GradientCheck.Verify(tensors => loss.Of(tensors, targets), texts, tolerance: 1e-5);
        }
    }

    [Fact]
    public void EveryLossThatCanBeNamedHasATrace()
    {
        Assert.Equal(EmbeddingLosses.All.Select(loss => loss.Name).Order(), Losses(16).Values.Select(pair => pair.Loss.Name).Distinct().Order());
    }

    [Fact]
    public void ABatchInWhichNothingIsToBeToldApartHasNoLoss()
    {
        using var scope = new TensorScope();
        Tensor one = Tensor.From([1f, 2f, -1f, 0.5f], [2, 2]), other = Tensor.From([0.5f, 1f, 3f, 1f], [2, 2]);
        var cosent = new CoSENTLoss();
        Assert.Equal(0, cosent.Of([one, other], cosent.Targets([0.5f, 0.5f], 2)).Item());
        var hard = new OnlineContrastiveLoss();
        Assert.Equal(0, hard.Of([one, one], hard.Targets([1, 1], 2)).Item(), 1e-6);
        var ranking = new MultipleNegativesRankingLoss();
        Assert.Equal(0, ranking.Of([Ops.Slice(one, 0, 0, 1), Ops.Slice(other, 0, 0, 1)], ranking.Targets([], 1)).Item(), 1e-6);
    }

    private static Dictionary<string, (EmbeddingLoss Loss, string? Labels)> Losses(long width) => new()
    {
        ["mnrl"] = (new MultipleNegativesRankingLoss(), null),
        ["mnrl_hard"] = (new MultipleNegativesRankingLoss(), null),
        ["mnrl_dot"] = (new MultipleNegativesRankingLoss { Scale = 1, Similarity = Similarity.Dot }, null),
        ["mnrl_symmetric"] = (new MultipleNegativesRankingLoss { IsSymmetric = true }, null),
        ["cosine"] = (new CosineSimilarityLoss(), "labels"),
        ["cosent"] = (new CoSENTLoss(), "labels"),
        ["contrastive"] = (new ContrastiveLoss(), "labels_binary"),
        ["online_contrastive"] = (new OnlineContrastiveLoss(), "labels_binary"),
        ["triplet"] = (new TripletLoss(), null),
        ["triplet_cosine"] = (new TripletLoss { IsCosine = true, Margin = 0.5 }, null),
        ["matryoshka_mnrl"] = (new MatryoshkaLoss(new MultipleNegativesRankingLoss(), [(int)width, (int)width / 2, (int)width / 4]), null),
    };

    private static double[] Values(SafetensorsFile file, string name) => MemoryMarshal.Cast<byte, double>(file.GetBytes(file.GetEntry(name))).ToArray();

    private static Tensor Read(SafetensorsFile file, string name) => Tensor.From(Values(file, name), new Shape(Array.ConvertAll(file.GetEntry(name).Shape.ToArray(), extent => (int)extent)));
}
