using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Hosting.Telemetry;

/// <summary>What a service writes to its log.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Information, "Model {Model} loaded from {Folder} in {Milliseconds:F0} ms: {Abilities}; {Workers} batches of up to {BatchTokens} tokens at a time, {Threads} threads each, {Arithmetic}")]
    public static partial void Loaded(ILogger logger, string model, string folder, double milliseconds, string abilities, int workers, int batchTokens, int threads, string arithmetic);

    [LoggerMessage(2, LogLevel.Information, "Adapter {Adapter} of model {Model} loaded from {Folder} in {Milliseconds:F0} ms")]
    public static partial void AdapterAdded(ILogger logger, string model, string adapter, string folder, double milliseconds);

    [LoggerMessage(3, LogLevel.Information, "Adapter {Adapter} of model {Model} replaced by {Folder} in {Milliseconds:F0} ms")]
    public static partial void AdapterReplaced(ILogger logger, string model, string adapter, string folder, double milliseconds);

    [LoggerMessage(4, LogLevel.Information, "Adapter {Adapter} of model {Model} removed")]
    public static partial void AdapterRemoved(ILogger logger, string model, string adapter);

    [LoggerMessage(5, LogLevel.Information, "{Cut} of {Texts} texts were longer than the {MaxLength} tokens that {Tenant} takes, and cut there")]
    public static partial void Cut(ILogger logger, int cut, int texts, int maxLength, string tenant);

    [LoggerMessage(6, LogLevel.Warning, "Model {Model} refused {Texts} texts: {Reason}")]
    public static partial void Refused(ILogger logger, string model, int texts, string reason);

    [LoggerMessage(7, LogLevel.Error, "Model {Model} could not compute a text")]
    public static partial void Failed(ILogger logger, Exception exception, string model);

    [LoggerMessage(8, LogLevel.Warning, "Adapter {Adapter} of model {Model} was not taken: {Reason}")]
    public static partial void AdapterRefused(ILogger logger, string model, string adapter, string reason);

    [LoggerMessage(9, LogLevel.Information, "Model {Model} has answered what it took, and ends")]
    public static partial void Ended(ILogger logger, string model);

    [LoggerMessage(10, LogLevel.Warning, "Adapter {Adapter} of model {Model}: {Doubt}")]
    public static partial void AdapterDoubted(ILogger logger, string model, string adapter, string doubt);

    [LoggerMessage(11, LogLevel.Warning, "Model {Model}: {Doubt}")]
    public static partial void ModelDoubted(ILogger logger, string model, string doubt);
}
