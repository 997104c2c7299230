using System.Text.Json;
using LoRA2.Native.Communication;
using LoRA2.Native.Experiments;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Files;

namespace LoRA2.Native.Cli.Distribution;

/// <summary>
/// A comparison whose cells several processes make, each the next one that nobody has begun: who is the first to make a cell's file in a folder that all see has it.
/// </summary>
internal sealed class SharedComparison : IDisposable
{
    private const string ClaimsFolder = ".claims-";

    private readonly Communicator communicator;
    private readonly string claims;
    private FileStream? held;

    /// <exception cref="InputException">A process does not see the folder, or another comparison writes to it.</exception>
    public SharedComparison(Communicator communicator, string output)
    {
        this.communicator = communicator;
        claims = Path.Combine(output, communicator.AllGatherText($"{ClaimsFolder}{Guid.NewGuid():N}")[0]);
        communicator.OnFirst(() =>
        {
            held = new RunFolder(output).Hold();
            // Only what a comparison that was killed has left: nobody else is at work here.
            foreach (string left in Directory.EnumerateDirectories(output, ClaimsFolder + "*").Where(IsClaims)) Directory.Delete(left, recursive: true);
            Directory.CreateDirectory(claims);
        });
        communicator.Agree(Directory.Exists(claims) ? null : $"{communicator.NameOf(communicator.Rank)} does not see the folder of --output '{output}'; one that all processes see was expected");
        Share = new ComparisonShare(communicator.IsFirst, Claim);
    }

    /// <summary>This process's share.</summary>
    public ComparisonShare Share { get; }

    /// <summary>Waits for the others, and takes what they made.</summary>
    public ComparisonEnd Complete(ComparisonRun run, ComparisonEnd end, Action<ComparisonTable> write)
    {
        Dictionary<string, string> own = run.Table.Outcomes.Where(outcome => outcome.Failure is not null).ToDictionary(outcome => outcome.Cell.Folder, outcome => outcome.Failure!);
        IReadOnlyList<string> ends = communicator.AllGatherText(end == ComparisonEnd.Cancelled ? "cancelled" : JsonSerializer.Serialize(own, FailureJson.Default.DictionaryStringString));
        if (ends.Contains("cancelled")) return ComparisonEnd.Cancelled;
        Dictionary<string, string> failures = ends.SelectMany(text => JsonSerializer.Deserialize(text, FailureJson.Default.DictionaryStringString)!).ToDictionary();
        end = run.Complete(failures);
        write(run.Table);
        return end;
    }

    public void Dispose()
    {
        if (communicator.IsFirst && Directory.Exists(claims)) Directory.Delete(claims, recursive: true);
        held?.Dispose();
    }

    private static bool IsClaims(string folder) => Guid.TryParseExact(Path.GetFileName(folder)[ClaimsFolder.Length..], "N", out _);

    private bool Claim(Cell cell)
    {
        string name = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(cell.ToString())));
        try
        {
            new FileStream(Path.Combine(claims, name), FileMode.CreateNew).Dispose();
            return true;
        }
        catch (IOException) when (File.Exists(Path.Combine(claims, name)))
        {
            return false;
        }
    }
}

/// <summary>Failures by the folder of their cell.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class FailureJson : System.Text.Json.Serialization.JsonSerializerContext;
