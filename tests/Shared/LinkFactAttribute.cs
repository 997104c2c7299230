namespace LoRA2.Native.Tests.Shared;

/// <summary>A test with a symbolic link: it is skipped on Windows, where making one needs a right.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LinkFactAttribute : FactAttribute
{
    public LinkFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = "symbolic links need a right on Windows";
    }
}
