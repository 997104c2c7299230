using System.Globalization;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Testing;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// <c>gradients [--cases N] [--op NAME]</c>: every op of the catalogue through every check that this machine has, as a Markdown table. A cell has the number of drawn cases that the check was
/// made on, or why it was not made; a failure is told below the table, and is the exit status.
/// </summary>
internal static class GradientsCommand
{
    private const string Device = "on the GPU's interpreter";

    public static int Run(string[] args)
    {
        string Option(string name, string fallback) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : fallback;
        int cases = int.Parse(Option("--cases", "10"), CultureInfo.InvariantCulture);
        string wanted = Option("--op", "");
        var failures = new List<string>();
        Console.WriteLine($"| op | {string.Join(" | ", OpCheck.Names)} | {Device} |");
        Console.WriteLine($"| --- |{string.Concat(Enumerable.Repeat(" --- |", OpCheck.Names.Count + 1))}");
        OpEntry[] ops = [.. OpCatalogue.All.Where(op => wanted.Length == 0 || op.Name == wanted).OrderBy(op => op.Name, StringComparer.Ordinal)];
        foreach (OpEntry op in ops)
        {
            int checkable = Enumerable.Range(0, cases).Count(seed => HasGradient(op, seed));
            IEnumerable<string> cells = OpCheck.Names.Select(check => Cell(op, check, cases, checkable, failures));
            Console.WriteLine($"| {op.Name} | {string.Join(" | ", cells)} | {(op.OnCpuOnly ? "no kernel" : "tests")} |");
        }

        Console.WriteLine();
        Console.WriteLine($"{ops.Length} ops, {failures.Count} failures.");
        foreach (string failure in failures) Console.WriteLine($"- {failure}");
        return failures.Count == 0 ? 0 : 1;
    }

    private static string Cell(OpEntry op, string check, int cases, int checkable, List<string> failures)
    {
        if (checkable == 0) return "no gradient";
        if (check.StartsWith("second", StringComparison.Ordinal) && !op.IsTwiceDifferentiable) return "fused";
        try
        {
            OpCheck.Run(op, check, cases);
            return checkable.ToString(CultureInfo.InvariantCulture);
        }
        catch (OpCheckException wrong)
        {
            failures.Add(wrong.Message);
            return "**failed**";
        }
    }

    private static bool HasGradient(OpEntry op, int seed)
    {
        using var scope = new TensorScope();
        OpCase drawn = op.DrawWithViews(new CaseSource(seed));
        return drawn.Apply(drawn.Inputs).Count > 0 && drawn.Inputs.Any(input => input.RequiresGrad && input.Count > 0);
    }
}
