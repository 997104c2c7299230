namespace LoRA2.Native.Tests.Shared;

/// <summary>A test with a named pipe: it is skipped where there is no mkfifo, or where pipes can't be told from files.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PipeFactAttribute : FactAttribute
{
    public PipeFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "named pipes are told from files on Linux alone";
        else if (!File.Exists("/usr/bin/mkfifo") && !File.Exists("/bin/mkfifo")) Skip = "there is no mkfifo here";
    }
}
