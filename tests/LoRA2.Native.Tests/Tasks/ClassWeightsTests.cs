using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tests.Shared;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Tasks;

/// <summary>Losses with weights of classes against the ops that PyTorch's own samples of <c>cross_entropy</c> and <c>binary_cross_entropy_with_logits</c> are run by.</summary>
public sealed class ClassWeightsTests : IDisposable
{
    private static readonly EncoderConfig Config = new BertConfig { Layers = 1, HiddenSize = 8, Heads = 2, IntermediateSize = 8, Labels = 3 };
    private static readonly float[] Logits = [0.5f, -1, 2, 1.5f, 0.25f, -0.5f, -2, 3, 0.75f, 1, 1, -1];
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TheWeightedLossOfClassesIsPyTorchsWeightedMean()
    {
        float[] weights = [0.5f, 2, 3];
        int[] labels = [2, 0, 1, 2];
        var kind = new ClassificationTask { Weighting = ClassWeights.Of([.. weights.Select(weight => (double)weight)]) };
        Compare((ClassificationTask)kind.ForTraining(Classes(labels)), Data([.. labels.Select(label => (float[])[label])]),
            logits => Ops.CrossEntropy(logits, Tensor.From(labels, [4]), LossReduction.Mean, Tensor.From(weights, [3])));
    }

    [Fact]
    public void TheWeightedLossOfLabelsIsPyTorchsWithPosWeight()
    {
        float[] weights = [0.5f, 2, 3];
        float[][] labels = [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]];
        var kind = new MultiLabelTask { ClassWeights = [.. weights.Select(weight => (double)weight)] };
        Compare(kind, Data(labels), logits => Ops.BinaryCrossEntropyWithLogits(logits, Tensor.From(labels.SelectMany(row => row).ToArray(), [4, 3]), positiveWeight: Tensor.From(weights, [3])));
    }

    [Fact]
    public void WeightsThatWereAskedForAndNotMadeAreNotPassedOver()
    {
        TokenizedDataset data = Data([[0], [1], [2]]);
        foreach (TaskKind kind in (TaskKind[])[new ClassificationTask { Weighting = ClassWeights.Of([1, 2, 3]) }, new MultiLabelTask { Weighting = ClassWeights.Of([1, 2, 3]) }])
        {
            using SequenceClassifier model = SequenceClassifier.Create(Config with { Task = kind });
            Assert.Contains("ForTraining makes them of the training data", Assert.Throws<InputException>(() => new Trainer(model, new TrainingOptions(), data, null, kind.MetricsFor(3))).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PartsOfABatchWeighWhatTheirClassesDo()
    {
        int[] labels = [2, 0, 1, 2];
        var kind = new ClassificationTask { ClassWeights = [0.5, 2, 3] };
        TokenizedDataset data = Data([.. labels.Select(label => (float[])[label])]);
        double Of(int first, int count, out double terms)
        {
            using var scope = new TensorScope();
            int[] rows = [.. Enumerable.Range(first, count)];
            terms = kind.Terms(data, rows, null);
            return kind.Loss(Tensor.From(Logits.AsSpan(first * 3, count * 3).ToArray(), [count, 3]), kind.Targets(data, rows, default, null)).AsSpan<float>()[0];
        }

        double whole = Of(0, 4, out double all), head = Of(0, 1, out double one), tail = Of(1, 3, out double three);
        Assert.Equal(8.5, all);
        Assert.Equal(whole, ((head * one) + (tail * three)) / all, 1e-6);
    }

    [Fact]
    public void BalancedWeightsAreThoseOfScikitLearnAndOfPosWeight()
    {
        // n / (classes that occur · count): 6 / (2 · 4) and 6 / (2 · 2); the class that never occurs weighs 1.
        Assert.Equal([0.75, 1.5, 1], ((ClassificationTask)new ClassificationTask { Weighting = ClassWeights.Balanced }.ForTraining(Classes(0, 0, 1, 0, 1, 0))).ClassWeights!);
        var several = new Dataset("d", [.. ((float[][])[[1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]).Select(row => new Example("t") { Targets = row })], ["a", "b", "c"]);
        Assert.Equal([3, 1, 1], ((MultiLabelTask)new MultiLabelTask { Weighting = ClassWeights.Balanced }.ForTraining(several)).ClassWeights!);
    }

    [Theory]
    [InlineData("1,2,0.5", 1, 2, 0.5)]
    [InlineData("c=4, B = 2", 1, 2, 4)]
    [InlineData("{\"a\":3,\"c\":0.25}", 3, 1, 0.25)]
    [InlineData("[1,2,3]", 1, 2, 3)]
    public void WeightsAreReadInEveryForm(string text, double first, double second, double third)
    {
        if (text[0] is '{' or '[') text = folder.Write("weights.json", text);
        var kind = (ClassificationTask)((ClassificationTask)new ClassificationTask().Options.Single(option => option.Name == "class-weights").Apply(new ClassificationTask(), text)).ForTraining(Classes(0, 1, 2));
        Assert.Equal([first, second, third], kind.ClassWeights!);
    }

    [Theory]
    [InlineData("often", "option --class-weights is 'often'; balanced, numbers,")]
    [InlineData("1,b=2", "option --class-weights is '1,b=2'")]
    [InlineData("1,0,1", "the weight 0 found, expected a finite number above 0")]
    [InlineData("1,NaN,1", "the weight NaN found")]
    [InlineData("1,2", "2 weights found, expected one for each of 3 labels")]
    [InlineData("a=1,d=2", "a weight for \"d\" found, expected one of a, b, c")]
    [InlineData("a=1,a=2", "names \"a\" twice")]
    [InlineData("a=1,A=2", "\"a\" and \"A\" are the same label")]
    [InlineData("missing.json", "'missing.json' does not exist")]
    [InlineData("{\"a\":\"x\"}", "weights.json: the weight \"\"x\"\" found")]
    [InlineData("3", "1 weights found")]
    public void WeightsThatAreNoneAreRefused(string text, string sentence)
    {
        if (text[0] is '{') text = folder.Write("weights.json", text);
        TaskOption option = new ClassificationTask().Options.Single(option => option.Name == "class-weights");
        Assert.Contains(sentence, Assert.Throws<InputException>(() => option.Apply(new ClassificationTask(), text).ForTraining(Classes(0, 1, 2))).Message, StringComparison.Ordinal);
    }

    private static Dataset Classes(params int[] labels) => new("d", [.. labels.Select(label => new Example("t", Target: label))], ["a", "b", "c"]);

    private static TokenizedDataset Data(float[][] targets)
    {
        var examples = new TokenizedExamples("d", Config);
        foreach (float[] row in targets)
        {
            examples.Ids.Add(1);
            examples.TypeIds.Add(0);
            examples.Close(false, row);
        }

        return new TokenizedDataset(examples);
    }

    private static void Compare(TaskKind kind, TokenizedDataset data, Func<Tensor, Tensor> expected)
    {
        (float Loss, float[] Gradient) Of(Func<Tensor, Tensor> loss)
        {
            using var scope = new TensorScope();
            using var tape = new Tape();
            Tensor logits = Tensor.From(Logits, [4, 3]);
            logits.RequiresGrad = true;
            Tensor value = loss(logits);
            tape.Backward(value);
            return (value.AsSpan<float>()[0], logits.Grad!.AsSpan<float>().ToArray());
        }

        int[] rows = [0, 1, 2, 3];
        (float loss, float[] gradient) = Of(logits => kind.Loss(logits, kind.Targets(data, rows, default, null)));
        (float right, float[] slope) = Of(expected);
        Assert.Equal(right, loss, 1e-6f);
        foreach ((int i, float value) in slope.Index()) Assert.Equal(value, gradient[i], 1e-6f);
    }
}
