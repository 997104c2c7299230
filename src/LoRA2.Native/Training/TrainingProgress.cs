using LoRA2.Native.Data;

namespace LoRA2.Native.Training;

/// <summary>Where a run stands after a step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps of the run.</param>
/// <param name="Epoch">Epochs done, with fraction.</param>
/// <param name="Loss">The step's task loss.</param>
/// <param name="Regulariser">The step's mean orthogonality loss, before γ; 0 without.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="GradientNorm">Norm of the step's gradient, before clipping.</param>
/// <param name="TokensPerSecond">Real tokens a second since the run started or was resumed.</param>
/// <param name="Remaining">Time left at that pace.</param>
/// <param name="Budget">Singular values the budget allows, or null without a budget.</param>
/// <param name="Evaluation">The evaluation made after this step, or null.</param>
public readonly record struct TrainingProgress(
    int Step, int TotalSteps, double Epoch, double Loss, double Regulariser, double LearningRate, double GradientNorm, double TokensPerSecond, TimeSpan Remaining, int? Budget, Evaluation? Evaluation);

/// <summary>The score of one evaluation during a run.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Epoch">Epochs done, with fraction.</param>
/// <param name="Metrics">The metrics, the primary one first.</param>
/// <param name="TrainingLoss">Mean task loss since the evaluation before.</param>
public sealed record EvaluationPoint(int Step, double Epoch, IReadOnlyList<MetricValue> Metrics, double TrainingLoss);

/// <summary>How a run ended.</summary>
/// <param name="Best">The evaluation whose weights the model has now, or null without development data.</param>
/// <param name="History">Every evaluation.</param>
/// <param name="Steps">Steps done.</param>
/// <param name="StoppedEarly">Whether patience ran out.</param>
/// <param name="FinalLoss">Task loss of the last step.</param>
/// <param name="Tokens">Real tokens seen since the start or the last resume.</param>
/// <param name="Duration">Time since then, evaluations included.</param>
/// <param name="TrainingTime">Time since then, evaluations left out.</param>
public sealed record TrainingResult(
    EvaluationPoint? Best, IReadOnlyList<EvaluationPoint> History, int Steps, bool StoppedEarly, double FinalLoss, long Tokens, TimeSpan Duration, TimeSpan TrainingTime)
{
    /// <summary>Real tokens a second of training.</summary>
    public double TokensPerSecond => TrainingTime > TimeSpan.Zero ? Tokens / TrainingTime.TotalSeconds : 0;
}

/// <summary>The run could not go on: the loss is no number.</summary>
public sealed class TrainingException(string message, Exception? inner = null) : Exception(message ?? throw new ArgumentNullException(nameof(message)), inner)
{
    /// <summary>Whether every one of several processes throws it, after the same step.</summary>
    internal bool IsOfAll { get; init; }
}
