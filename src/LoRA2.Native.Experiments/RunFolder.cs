using LoRA2.Native.Adapters;
using LoRA2.Native.Files;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Experiments;

/// <summary>A folder with a run: its record, its report, its checkpoint while it is not finished, and the adapter or model that it made.</summary>
/// <param name="path">The folder; it need not exist.</param>
public sealed class RunFolder(string path)
{
    /// <summary>The run's options, history and results; of one set with the adapter or model.</summary>
    public const string RecordFile = "training.json";

    /// <summary>The page about the run, finished or not. Not among the results that are refused to be lost: a run that failed leaves one too.</summary>
    public const string ReportFile = "report.html";

    /// <summary>There as long as a run is under way or was killed: what else is in the folder may be an earlier run's.</summary>
    public const string UnfinishedFile = ".unfinished";

    private const string CheckpointFile = "checkpoint.safetensors";
    private const string LockFile = ".lock";

    // What opening a file that another process holds ends with, on Linux, macOS and Windows.
    private const int EAgain = 11;
    private const int EAgainOfMac = 35;
    private const int SharingViolation = 32;

    // What readers ask for first comes first: without it nobody takes the others for a result.
    private static readonly string[] ResultFiles =
    [
        AdapterFolder.ConfigFile, "config.json", RecordFile, AdapterFolder.WeightsFile, SafetensorsFolder.SingleFile, SafetensorsFolder.IndexFile, TaskDescription.FileName,
    ];

    private readonly string path = path ?? throw new ArgumentNullException(nameof(path));

    /// <summary>The folder's full path.</summary>
    public string FullPath => Path.GetFullPath(path);

    /// <summary>The file of the checkpoint that a run goes on from.</summary>
    public string Checkpoint => Path.Combine(path, CheckpointFile);

    /// <summary>The file of the <see cref="RunRecord"/>.</summary>
    public string Record => Path.Combine(path, RecordFile);

    /// <summary>The file of the <see cref="Reporting.RunReport"/>.</summary>
    public string Report => Path.Combine(path, ReportFile);

    /// <summary>The folder of the curves for TensorBoard.</summary>
    public string TensorBoard => Path.Combine(path, "tensorboard");

    /// <summary>Whether there is a checkpoint.</summary>
    public bool HasCheckpoint => File.Exists(Checkpoint);

    /// <summary>Whether a run there came to its end.</summary>
    public bool IsFinished => File.Exists(Record) && !HasCheckpoint && !File.Exists(Unfinished);

    private string Unfinished => Path.Combine(path, UnfinishedFile);

    /// <summary>The name of a file there that is a result; null when there is none.</summary>
    public string? Result => Array.Find(ResultFiles, name => File.Exists(Path.Combine(path, name)));

    /// <summary>Makes the folder and keeps other processes from writing to it until the result is disposed.</summary>
    /// <exception cref="InputException">Another process writes to it.</exception>
    public FileStream Hold() => TryHold() ?? throw new InputException($"{path}: another process writes to this folder; wait for it, or choose another folder");

    /// <summary>As <see cref="Hold"/>, or null when another process writes to the folder.</summary>
    public FileStream? TryHold()
    {
        OutputPlace.Make(path);
        try
        {
            return new FileStream(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is EAgain or EAgainOfMac or SharingViolation)
        {
            return null;
        }
        catch (FileNotFoundException e)
        {
            throw OutputPlace.NoFile(path, path, e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw OutputPlace.Denied(path, path, e);
        }
    }

    /// <summary>Takes away what says that a run is finished or may be resumed.</summary>
    public void Reset()
    {
        Disk.Current.Delete(Record);
        RemoveCheckpoint();
    }

    /// <summary>
    /// Begins a run in the folder, which is held: from now on until <see cref="Finish"/> nothing here says that a run is finished. An earlier result stays until then.
    /// </summary>
    public void Begin()
    {
        AtomicFile.RemoveLeftovers(path);
        if (!File.Exists(Unfinished)) AtomicFile.Write(Unfinished, _ => { });
    }

    /// <summary>The run's result is there and whole.</summary>
    public void Finish()
    {
        RemoveCheckpoint();
        Disk.Current.Delete(Unfinished);
    }

    /// <summary>What is to be saved with an adapter or model, instead of all that an earlier run left.</summary>
    /// <param name="task">What it was fine-tuned for; null when nobody knows.</param>
    /// <param name="record">The <see cref="RunRecord"/> of the run that made it, or null.</param>
    public static SavedBeside Beside(TaskDescription? task, byte[]? record = null)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>();
        if (record is not null) files.Add(RecordFile, record);
        return new SavedBeside { Task = task, Files = files, Replaced = ResultFiles };
    }

    /// <summary>Takes the checkpoint away.</summary>
    public void RemoveCheckpoint() => Disk.Current.Delete(Checkpoint);
}
