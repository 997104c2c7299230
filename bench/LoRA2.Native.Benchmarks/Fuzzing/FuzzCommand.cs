using System.Diagnostics;
using System.Globalization;
using LoRA2.Native.Files;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>
/// <c>fuzz [--cases N] [--seconds S] [--seed N] [--target NAME] [--fixtures DIR] [--show]</c>: mutated files to every reader. A case is right when it is accepted, and means the same
/// when it is saved again, or is refused by an <see cref="InputException"/> of one line. Any other exception is counted, and its case kept beside the current folder.
/// </summary>
internal static class FuzzCommand
{
    private const int LongestMessage = 1000;

    private static string? lastRefusal;

    public static int Run(string[] args)
    {
        string Option(string name, string fallback) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : fallback;
        long cases = long.Parse(Option("--cases", "1000000"), CultureInfo.InvariantCulture);
        double seconds = double.Parse(Option("--seconds", "1e9"), CultureInfo.InvariantCulture);
        int seed = int.Parse(Option("--seed", "1"), CultureInfo.InvariantCulture);
        string wanted = Option("--target", "");
        FuzzTarget[] targets = [.. FuzzTargets.Of(Option("--fixtures", Path.Combine("tests", "Fixtures"))).Where(target => wanted.Length == 0 || target.Name == wanted)];
        string work = Directory.CreateTempSubdirectory("lora2-fuzz-").FullName;
        var clock = Stopwatch.StartNew();
        int failures = 0;
        try
        {
            foreach (FuzzTarget target in targets)
            {
                (long accepted, long refused, long slowest) = (0, 0, 0);
                double until = clock.Elapsed.TotalSeconds + ((seconds - clock.Elapsed.TotalSeconds) / (targets.Length - Array.IndexOf(targets, target)));
                long share = Math.Max(1, (cases + targets.Length - 1) / targets.Length), number = 0;
                for (; number < share && clock.Elapsed.TotalSeconds < until; number++)
                {
                    long before = Stopwatch.GetTimestamp();
                    switch (One(target, new Random(unchecked((int)((seed * 1_000_003L) + number))), work, number))
                    {
                        case true:
                            accepted++;
                            break;
                        case false:
                            refused++;
                            break;
                        default:
                            failures++;
                            break;
                    }

                    slowest = Math.Max(slowest, (long)Stopwatch.GetElapsedTime(before).TotalMilliseconds);
                }

                if (args.Contains("--show")) Console.WriteLine($"  the last refusal: {lastRefusal}");
                Console.WriteLine($"{target.Name,-18} {number,9:N0} cases: {accepted,9:N0} accepted, {refused,9:N0} refused, slowest {slowest:N0} ms");
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        Console.WriteLine($"{failures} failures in {clock.Elapsed.TotalSeconds:F0} s");
        return failures == 0 ? 0 : 1;
    }

    /// <summary>Whether it was accepted; null for a failure, which is told.</summary>
    private static bool? One(FuzzTarget target, Random random, string work, long number)
    {
        string folder = Path.Combine(work, "case");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        string mutated = Path.Combine(folder, target.File);
        byte[] bytes;
        if (target.Draw is not null)
        {
            bytes = target.Draw(random);
            if (random.Next(2) == 0) bytes = new Mutator(random).Mutate(bytes);
        }
        else
        {
            string[] corpus = [.. target.Corpus.Where(source => File.Exists(Path.Combine(source, target.File)))];
            string from = corpus[random.Next(corpus.Length)];
            foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                string copy = Path.Combine(folder, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }

            File.SetAttributes(mutated, FileAttributes.Normal);
            bytes = new Mutator(random).Mutate(File.ReadAllBytes(mutated));
            File.Delete(mutated);
        }

        File.WriteAllBytes(mutated, bytes);
        try
        {
            target.Read(folder);
            return true;
        }
        catch (InputException e) when (e.Message.Length <= LongestMessage && !e.Message.AsSpan().ContainsAny('\n', '\r'))
        {
            lastRefusal = e.Message;
            return false;
        }
        catch (Exception e)
        {
            string kept = $"fuzz-{target.Name}-{number}-{Path.GetFileName(target.File)}";
            File.WriteAllBytes(kept, bytes);
            Console.WriteLine($"{target.Name}, case {number} (kept as {kept}): {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")[..Math.Min(300, e.Message.ReplaceLineEndings(" ").Length)]}");
            Console.WriteLine(e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("LoRA2", StringComparison.Ordinal)));
            return null;
        }
    }
}
