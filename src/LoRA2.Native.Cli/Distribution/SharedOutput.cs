using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LoRA2.Native.Cli.Text;
using LoRA2.Native.Communication;
using LoRA2.Native.Encoders;
using LoRA2.Native.Experiments;
using LoRA2.Native.Files;
using LoRA2.Native.Training;

namespace LoRA2.Native.Cli.Distribution;

/// <summary>
/// A file of answers to the lines of another, which several processes make in shards of so many lines: in a folder beside it, each whole or not at all, so that the same
/// command goes on where it was stopped. Process 0 puts them together in the input's order when all are there.
/// </summary>
internal sealed class SharedOutput : IDisposable
{
    private const string ManifestFile = "answers-of.txt";
    private const string ShardEnding = ".answers";
    private const string Arithmetic = "arithmetic";
    private const int HeaderBytes = 4;

    private readonly Communicator communicator;
    private readonly string path;
    private readonly string folder;
    private FileStream? held;

    /// <param name="communicator">The processes.</param>
    /// <param name="path">The file that is made.</param>
    /// <param name="identity">Everything that the answers depend on: what is there of others is made anew.</param>
    /// <exception cref="InputException">A process has another input, model or arithmetic, or does not see the folder; or the folder is not of such a file, or another run makes it.</exception>
    public SharedOutput(Communicator communicator, string path, string identity)
    {
        (this.communicator, this.path, folder) = (communicator, path, path + ".shards");
        IReadOnlyList<string> all = communicator.AllGatherText(identity);
        for (int rank = 1; rank < all.Count; rank++)
        {
            if (all[rank] != all[0]) throw new InputException($"{communicator.NameOf(rank)} has {Difference(all[rank], all[0])}");
        }

        string token = $".{Guid.NewGuid():N}";
        communicator.OnFirst(() => Prepare(identity, token));
        token = communicator.AllGatherText(token)[0];
        communicator.Agree(File.Exists(Path.Combine(folder, token)) ? null : $"{communicator.NameOf(communicator.Rank)} does not see the folder of --output '{path}'; one that all processes see was expected");
        communicator.OnFirst(() => File.Delete(Path.Combine(folder, token)));
    }

    /// <summary>A text of everything that answers depend on, a line for each.</summary>
    public static string IdentityOf(string input, SequenceClassifier model, ModelLocation location, IEnumerable<string> options)
    {
        using FileStream file = TextFile.Open(input);
        string[] lines =
        [
            $"input {Convert.ToHexString(SHA256.HashData(file))}",
            $"model {model.Fingerprint}{HashesOf(location.Model, ".json", ".txt", ".model")}",
            $"adapter{(location.Adapter is { } adapter ? HashesOf(adapter, ".json", ".txt", ".model", ".safetensors", ".bin") : "")}",
            $"{Arithmetic} {RunFingerprint.ArithmeticOf(model)}",
            $"options {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', options))))}",
        ];
        return string.Join('\n', lines);
    }

    /// <summary>Makes the shards of this process that are not there yet, and waits for the others'.</summary>
    /// <param name="input">The file of lines.</param>
    /// <param name="size">Lines of a shard.</param>
    /// <param name="parse">Reads a line.</param>
    /// <param name="answer">Writes what some lines are answered; returns how many were cut.</param>
    /// <param name="assemble">Process 0 writes the file of all shards, in their order.</param>
    /// <returns>How many lines were cut; in process 0 alone.</returns>
    /// <exception cref="InputException">A line is wrong.</exception>
    public int Make<T>(string input, int size, Func<LineReader, byte[], T> parse, Func<IReadOnlyList<T>, Stream, int> answer, Action<IEnumerable<Stream>, Stream> assemble)
    {
        string? wrong = null;
        int shards = 0;
        try
        {
            shards = MakeOwn(input, size, parse, answer);
        }
        catch (InputException e)
        {
            wrong = e.Message;
        }

        communicator.Agree(wrong);
        int cut = 0;
        communicator.OnFirst(() =>
        {
            AtomicFile.Write(path, output => assemble(Shards(shards, some => cut += some), output));
            Remove();
        });
        return cut;
    }

    /// <summary>Lets other runs have the folder.</summary>
    public void Dispose() => held?.Dispose();

    private static string HashesOf(string folder, params string[] endings)
    {
        var text = new StringBuilder();
        foreach (string part in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Where(part => endings.Contains(Path.GetExtension(part)) && Path.GetFileName(part) != RunFolder.RecordFile))
        {
            using FileStream content = TextFile.Open(part);
            text.Append(' ').Append(Convert.ToHexString(SHA256.HashData(content)));
        }

        return text.ToString();
    }

    /// <summary>What a process has that process 0 has otherwise, for the end of a sentence.</summary>
    private static string Difference(string there, string here)
    {
        (string own, string first) = there.Split('\n').Zip(here.Split('\n')).First(lines => lines.First != lines.Second);
        string what = own.Split(' ')[0];
        return what == Arithmetic
            ? $"other {own}, which rounds differently from process 0's {first[(Arithmetic.Length + 1)..]}; the same everywhere was expected (LORA2_SIMD and LORA2_BF16 choose among what a processor has)"
            : $"{(what == "options" ? "other" : "another")} {what} than process 0; the same everywhere was expected";
    }

    private int MakeOwn<T>(string input, int size, Func<LineReader, byte[], T> parse, Func<IReadOnlyList<T>, Stream, int> answer)
    {
        using FileStream file = TextFile.Open(input);
        var lines = new LineReader(file, input);
        int shard = 0;
        for (bool more = true; more; shard++)
        {
            bool isOwn = shard % communicator.Size == communicator.Rank && !File.Exists(FileOf(shard));
            var some = new List<T>();
            int read = 0;
            while (read < size && (more = lines.TryRead(out ReadOnlySpan<byte> line)))
            {
                read++;
                if (isOwn) some.Add(parse(lines, line.ToArray()));
            }

            if (read == 0) break;
            if (isOwn) Write(FileOf(shard), some, answer);
        }

        return shard;
    }

    private static void Write<T>(string file, List<T> some, Func<IReadOnlyList<T>, Stream, int> answer)
    {
        using var answers = new MemoryStream();
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, answer(some, answers));
        AtomicFile.Write(file, stream =>
        {
            stream.Write(header);
            stream.Write(answers.GetBuffer().AsSpan(0, (int)answers.Length));
        });
    }

    private IEnumerable<Stream> Shards(int count, Action<int> cut)
    {
        byte[] header = new byte[HeaderBytes];
        for (int shard = 0; shard < count; shard++)
        {
            using FileStream file = File.OpenRead(FileOf(shard));
            file.ReadExactly(header);
            cut(BinaryPrimitives.ReadInt32LittleEndian(header));
            yield return file;
        }
    }

    private string FileOf(int shard) => Path.Combine(folder, shard.ToString("D8", CultureInfo.InvariantCulture) + ShardEnding);

    private void Prepare(string identity, string token)
    {
        string manifest = Path.Combine(folder, ManifestFile);
        // What begins with a dot a run that was killed may have left before there was a manifest.
        if (Directory.Exists(folder) && !File.Exists(manifest) && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.')))
            throw new InputException($"{folder}: this folder, where the answers would be made, is there and holds something else (it has no {ManifestFile}); move it away, or choose another --output");
        held = new RunFolder(folder).Hold();
        AtomicFile.RemoveLeftovers(folder);
        if (File.Exists(manifest) && File.ReadAllText(manifest) != identity) RemoveShards();
        AtomicFile.Write(manifest, stream => stream.Write(Encoding.UTF8.GetBytes(identity)));
        File.WriteAllText(Path.Combine(folder, token), "");
    }

    /// <summary>Takes away what was made here, and the folder when nothing else is there.</summary>
    private void Remove()
    {
        RemoveShards();
        File.Delete(Path.Combine(folder, ManifestFile));
        held!.Dispose();
        if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
    }

    private void RemoveShards()
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*" + ShardEnding).Where(file => Path.GetFileNameWithoutExtension(file) is { Length: >= 8 } name && name.All(char.IsAsciiDigit))) File.Delete(file);
    }
}
