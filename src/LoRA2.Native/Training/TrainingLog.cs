using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Training;

/// <summary>What a run logs.</summary>
internal static partial class TrainingLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "step {Step} of {TotalSteps}: {Metric} {Value}")]
    public static partial void Evaluated(ILogger logger, int step, int totalSteps, string metric, double value);

    [LoggerMessage(Level = LogLevel.Debug, Message = "step {Step} of {TotalSteps}: checkpoint written to {Path}")]
    public static partial void CheckpointWritten(ILogger logger, int step, int totalSteps, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Process} takes {Ratio:F1} times as long as the others, which wait for it")]
    public static partial void SlowProcess(ILogger logger, string process, double ratio);
}
