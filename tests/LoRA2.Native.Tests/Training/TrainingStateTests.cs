using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tests.Adapters;
using LoRA2.Native.Training;

namespace LoRA2.Native.Tests.Training;

/// <summary>What a run remembers between its steps: the mean loss since the last evaluation, and the best weights.</summary>
public sealed class TrainingStateTests : IDisposable
{
    private readonly SmallModel small = Adapted();
    private readonly TrainingState state = new(new TrainingSeries(8, [], null));

    public void Dispose()
    {
        state.Dispose();
        small.Dispose();
    }

    [Fact]
    public void TheMeanLossIsOfTheStepsSinceTheLastEvaluation()
    {
        Assert.Equal(double.NaN, state.MeanLoss);
        Assert.Equal(double.NaN, state.LastLoss);
        state.Took(3);
        state.Took(6);
        state.Took(0);
        Assert.Equal((3.0, 0.0), (state.MeanLoss, state.LastLoss));
        Evaluate(1, 0.5, mayChoose: false);
        Assert.Equal(double.NaN, state.MeanLoss);
        state.Took(8);
        Assert.Equal(8, state.MeanLoss);
    }

    /// <summary>The weights are those of the evaluation, whatever became of them since; those that were best before are freed.</summary>
    [Fact]
    public void TheBestWeightsAreKeptAndRestored()
    {
        Parameter weight = small.Model.Parameters.First(parameter => parameter.IsTrainable);
        float[] SetTo(float value)
        {
            weight.Value.CopyFrom(Tensor.Full(weight.Value.Shape, value));
            return weight.Value.ToArray<float>();
        }

        SetTo(1);
        Evaluate(1, 0.5);
        WeightSnapshot first = state.Best!;
        float[] better = SetTo(2);
        Evaluate(2, 0.75);
        Assert.Equal((2, 2f), (state.Best!.Step, Assert.Single(state.Best.Predictions)));
        Assert.All(first.Values.Values, value => Assert.Throws<ObjectDisposedException>(() => value.ToArray<float>()));
        SetTo(3);
        Evaluate(3, 0.75);
        SetTo(4);
        Evaluate(4, 0.25);
        Assert.Equal(2, state.Best.Step);
        Assert.Equal(small.Model.Parameters.Where(parameter => parameter.IsTrainable).Select(parameter => parameter.Name).Order(), state.Best.Values.Keys.Order());
        state.Best.Restore(small.Model);
        Assert.Equal(better, weight.Value.ToArray<float>());
        state.Dispose();
        Assert.All(state.Best.Values.Values, value => Assert.Throws<ObjectDisposedException>(() => value.ToArray<float>()));
    }

    /// <summary>Weights over the budget are not chosen however good they are, and are no yardstick for those that may be.</summary>
    [Fact]
    public void EvaluationsThatMayNotChooseAreOnlyRemembered()
    {
        Evaluate(1, 0.9, mayChoose: false);
        Assert.Null(state.Best);
        Evaluate(2, 0.9, mayChoose: false);
        Assert.Equal(0, state.EvaluationsSinceBest);
        Evaluate(3, 0.5);
        Assert.Equal((3, 0), (state.Best!.Step, state.EvaluationsSinceBest));
        Evaluate(4, 0.8, mayChoose: false);
        Evaluate(5, 0.4);
        Assert.Equal((3, 2), (state.Best.Step, state.EvaluationsSinceBest));
        Evaluate(6, 0.6);
        Assert.Equal((6, 0), (state.Best.Step, state.EvaluationsSinceBest));
        Assert.Equal([1, 2, 3, 4, 5, 6], state.History.Select(point => point.Step));
    }

    private static SmallModel Adapted()
    {
        var small = new SmallModel();
        small.Model.Attach(new AdapterSettings { Method = SmallModel.Method("lora") }, 2);
        return small;
    }

    private void Evaluate(int step, double accuracy, bool mayChoose = true) =>
        state.Evaluated(new EvaluationPoint(step, 0, [new MetricValue("accuracy", accuracy)], 0), Metric.Accuracy, small.Model, [step], mayChoose);
}
