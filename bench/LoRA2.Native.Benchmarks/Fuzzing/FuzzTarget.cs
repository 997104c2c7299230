namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>Something that reads a file of somebody else's.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="File">The name of the file that is mutated.</param>
/// <param name="Corpus">Folders or files to begin with: each is copied, and its file mutated.</param>
/// <param name="Read">
/// Reads the mutated folder as the project does. What is accepted it saves again and reads once more: that must mean the same, or it throws a
/// <see cref="FuzzException"/>.
/// </param>
internal sealed record FuzzTarget(string Name, string File, IReadOnlyList<string> Corpus, Action<string> Read)
{
    /// <summary>Draws a file that is accepted, instead of one of the corpus; half of them are mutated.</summary>
    public Func<Random, byte[]>? Draw { get; init; }
}

/// <summary>What was accepted did not mean the same when it had been saved again.</summary>
internal sealed class FuzzException(string message) : Exception(message);
