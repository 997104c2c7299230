namespace LoRA2.Native.Tests.Shared;

/// <summary>A test with a folder that nobody may write to, not even who may write everywhere: it is skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class LockedFactAttribute : FactAttribute
{
    public LockedFactAttribute()
    {
        if (!Directory.Exists(Folder)) Skip = $"there is no {Folder} here, where the system allows no file";
    }

    /// <summary>A folder of the kernel's: it is no disk, and takes no files of others.</summary>
    public static string Folder => "/sys/kernel";
}
