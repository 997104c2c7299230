namespace LoRA2.Native.Distributed;

/// <summary>Why processes can't go on together.</summary>
/// <param name="Message">What happened to which of them, in a sentence without its full stop.</param>
/// <param name="ExitCode">The exit code that the process which ended gave, or 1.</param>
/// <param name="IsSaid">Whether another process tells the user: of all only one does.</param>
public sealed record ProcessFailure(string Message, int ExitCode, bool IsSaid)
{
    /// <summary>Whether it is this process that can't go on.</summary>
    public bool IsOwn { get; init; }
}
