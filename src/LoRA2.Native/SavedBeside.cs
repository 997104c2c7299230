using LoRA2.Native.Files;

namespace LoRA2.Native;

/// <summary>What is saved with an adapter or a model as one set of files: all of them are the new ones, or none is.</summary>
public sealed record SavedBeside
{
    /// <summary>What the model was fine-tuned for, as <see cref="TaskDescription.FileName"/>; null for none.</summary>
    public TaskDescription? Task { get; init; }

    /// <summary>Further files by name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>Names of files that an earlier result left: those that are not written go.</summary>
    public IReadOnlyList<string> Replaced { get; init; } = [];

    /// <summary>Adds these files to a set and puts it in the folder.</summary>
    /// <param name="set">With the adapter or the model.</param>
    /// <param name="others">As <see cref="Replaced"/>, of whoever saves.</param>
    internal void Commit(FileSet set, params IEnumerable<string> others)
    {
        if (Task is not null) set.Add(TaskDescription.FileName, Task.Bytes());
        foreach ((string name, ReadOnlyMemory<byte> bytes) in Files) set.Add(name, bytes);
        set.Commit(Replaced.Concat(others));
    }
}
