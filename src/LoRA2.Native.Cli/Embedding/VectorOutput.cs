using LoRA2.Native.Files;
using LoRA2.Native.Inference;

namespace LoRA2.Native.Cli.Embedding;

/// <summary>Where vectors are written to, one after the other.</summary>
internal abstract class VectorOutput : IDisposable
{
    private const string Lines = ".jsonl";

    private static readonly (string Ending, Func<Stream, int, VectorOutput> Create)[] Formats =
    [
        (Lines, (stream, _) => new JsonVectorOutput(stream)),
        (".npy", (stream, dimensions) => new NumPyVectorOutput(stream, dimensions)),
        (".safetensors", (stream, dimensions) => new SafetensorsVectorOutput(stream, dimensions)),
    ];

    /// <summary>The endings of the formats, for people.</summary>
    public static string Endings => string.Join(", ", Formats.Select(format => format.Ending));

    /// <summary>What makes the output that a file's ending asks for, on a stream that can seek, for vectors of so many dimensions.</summary>
    /// <exception cref="InputException">The ending is not known.</exception>
    public static Func<Stream, int, VectorOutput> For(string path)
    {
        foreach ((string ending, Func<Stream, int, VectorOutput> create) in Formats)
        {
            if (path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) return create;
        }

        throw new InputException($"--output '{path}' has an ending that is not known; {Endings} can be");
    }

    /// <summary>Whether a file of that ending is written from its beginning to its end, as a pipe must be.</summary>
    public static bool CanStream(string path) => path.EndsWith(Lines, StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes a text's vector.</summary>
    public abstract void Write(TextVector vector);

    /// <summary>Writes what can only be written when all vectors are known.</summary>
    public abstract void Finish();

    public virtual void Dispose()
    {
    }
}
