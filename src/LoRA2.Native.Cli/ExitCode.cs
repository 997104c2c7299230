namespace LoRA2.Native.Cli;

/// <summary>What the process's exit status says.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The run failed.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the input was wrong; nothing was written.</summary>
    public const int WrongInput = 2;

    /// <summary>Interrupted, after saving.</summary>
    public const int Interrupted = 130;
}
