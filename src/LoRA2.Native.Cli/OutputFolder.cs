using LoRA2.Native.Adapters;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Cli;

/// <summary>A folder that a command writes its result to, so that an earlier result is not lost by accident.</summary>
internal sealed class OutputFolder(string path)
{
    /// <summary>The run's options, history and results; written last, so it marks a finished run.</summary>
    public const string RecordFile = "training.json";

    /// <summary>The page about the run, finished or not. Not among the results that are refused to be lost: a run that failed leaves one too.</summary>
    public const string ReportFile = "report.html";

    private const string CheckpointFile = "checkpoint.safetensors";
    private const string LockFile = ".lock";

    // What opening a file that another process holds ends with, on Linux, macOS and Windows.
    private const int EAgain = 11;
    private const int EAgainOfMac = 35;
    private const int SharingViolation = 32;

    private static readonly string[] ResultFiles =
    [
        RecordFile, AdapterFolder.ConfigFile, AdapterFolder.WeightsFile, SafetensorsFolder.SingleFile, SafetensorsFolder.IndexFile, "config.json", TaskDescription.FileName,
    ];

    public string FullPath => Path.GetFullPath(path);

    public string Checkpoint => Path.Combine(path, CheckpointFile);

    public string Record => Path.Combine(path, RecordFile);

    public string Report => Path.Combine(path, ReportFile);

    /// <summary>The folder of the curves for TensorBoard.</summary>
    public string TensorBoard => Path.Combine(path, "tensorboard");

    public bool HasCheckpoint => File.Exists(Checkpoint);

    public bool IsFinished => File.Exists(Record) && !HasCheckpoint;

    /// <summary>Refuses a folder with a result, and a path that is no folder.</summary>
    /// <exception cref="InputException">Something would be lost.</exception>
    public void RequireFree(bool overwrite)
    {
        RequireFolder();
        if (overwrite) return;
        if (HasCheckpoint) throw new InputException($"{path}: there is an interrupted run; --resume takes it up, --overwrite discards it");
        if (Array.Find(ResultFiles, name => File.Exists(Path.Combine(path, name))) is { } there)
            throw new InputException($"{path}: there is a result already ({there}); choose another --output, or --overwrite it");
    }

    /// <summary>Refuses a path that is a file.</summary>
    public void RequireFolder()
    {
        for (string? part = FullPath; part is not null; part = Path.GetDirectoryName(part))
        {
            if (File.Exists(part)) throw new InputException($"--output '{path}': '{part}' is a file; a folder was expected");
        }
    }

    /// <summary>Makes the folder and keeps other processes from writing to it until the result is disposed.</summary>
    /// <exception cref="InputException">Another process writes to it.</exception>
    public FileStream Hold() => TryHold() ?? throw new InputException($"{path}: another process writes to this folder; wait for it, or choose another --output");

    /// <summary>As <see cref="Hold"/>, or null when another process writes to the folder.</summary>
    public FileStream? TryHold()
    {
        Directory.CreateDirectory(path);
        try
        {
            return new FileStream(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is EAgain or EAgainOfMac or SharingViolation)
        {
            return null;
        }
    }

    /// <summary>Takes away what says that a run is finished or may be resumed.</summary>
    public void Reset()
    {
        File.Delete(Record);
        RemoveCheckpoint();
    }

    /// <summary>Takes away what an earlier run left and this one does not write.</summary>
    public void RemoveOthers(IReadOnlyCollection<string> written)
    {
        foreach (string name in ResultFiles)
        {
            if (!written.Contains(name)) File.Delete(Path.Combine(path, name));
        }
    }

    public void RemoveCheckpoint() => File.Delete(Checkpoint);
}
