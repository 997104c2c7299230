using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks.FirstSteps;

/// <summary>
/// How far the update Δ, and each factor, moves in a method's first hundred steps, predicted (bench/results/first-steps.md) and measured, as Markdown:
/// <c>first-steps [--widths 256,384] [--threads 2]</c>.
/// </summary>
internal static class FirstStepsCommand
{
    private static readonly LoRA2Method AuthorsLoRA2 = new() { IsOrthonormal = false, InitialDeviation = 0.02, SingularValueRate = 1 };

    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string> { ["widths"] = "256,384,768,1024", ["threads"] = "2" };
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            string name = args[i].TrimStart('-');
            if (!options.ContainsKey(name)) throw new ArgumentException($"there is no option {args[i]}; there are --{string.Join(", --", options.Keys)}");
            options[name] = args[i + 1];
        }

        Compute.Threads = int.Parse(options["threads"], CultureInfo.InvariantCulture);
        int[] widths = [.. options["widths"].Split(',').Select(width => int.Parse(width, CultureInfo.InvariantCulture))];
        Dictionary<int, FirstStepsRun[]> runs = widths.ToDictionary(width => width, width => Methods().Select(method => FirstStepsRun.Of(method, width)).ToArray());
        foreach ((int width, FirstStepsRun[] each) in runs) PrintLengths(width, each);
        foreach ((int width, FirstStepsRun[] each) in runs) PrintFactors(width, each);
    }

    private static IEnumerable<AdapterMethod> Methods()
    {
        int[] ranks = [4, 8, 16];
        foreach (int rank in ranks) yield return new LoRAMethod { Rank = rank };
        yield return new SoRAMethod();
        yield return new AdaLoRAMethod { IsOrthonormal = false, SingularValueRate = 1 };
        foreach (int rank in ranks) yield return new AdaLoRAMethod { Rank = rank };
        yield return AuthorsLoRA2;
        yield return AuthorsLoRA2 with { OuterRank = 1 };
        foreach (int outerRank in new[] { 1, 4, 8, 16 })
        {
            foreach (int rank in ranks) yield return new LoRA2Method { OuterRank = outerRank, Rank = rank };
        }
    }

    private static void PrintLengths(int width, FirstStepsRun[] runs)
    {
        Console.WriteLine($"## Width {width}");
        Console.WriteLine();
        Console.WriteLine("| method | ‖Δ‖ after step 1, predicted | measured | over LoRA's | step 10 | over LoRA's | step 100 | over LoRA's | hidden states' movement at 1 | 10 | 100 | R before 1 | 10 | 100 |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat(" --- |", 14))}");
        foreach (FirstStepsRun run in runs)
        {
            FirstStepsRun lora = runs.First(other => other.Method is LoRAMethod && other.Method.InitialRank == run.Method.InitialRank);
            IEnumerable<string> lengths = run.Measures.SelectMany(measure => (string[])[Text(measure.Value.Length), Text(measure.Value.Length / lora.Measures[measure.Key].Length)]);
            IEnumerable<string> movements = run.Measures.Values.Select(measure => Text(measure.Movement));
            IEnumerable<string> regularisers = run.Measures.Values.Select(measure => Text(measure.Regulariser));
            Console.WriteLine($"| {Name(run.Method)} | {Text(FirstStepPrediction.Length(run.Method, width))} | {string.Join(" | ", lengths.Concat(movements).Concat(regularisers))} |");
        }

        Console.WriteLine();
    }

    private static void PrintFactors(int width, FirstStepsRun[] runs)
    {
        Console.WriteLine($"## Factors, width {width}");
        Console.WriteLine();
        Console.WriteLine("| method | factor | gradient over that of LoRA's B, step 1, predicted | measured | gradient, step 1 | 10 | 100 | update over η, step 1 | 10 | 100 | value, step 1 | 10 | 100 |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat(" --- |", 13))}");
        double b = runs.First(run => run.Method is LoRAMethod { Rank: 8 }).Measures[1].Factors["lora_B"].Gradient;
        foreach (FirstStepsRun run in runs.Where(run => run.Method.InitialRank == 8 && run.Method is not LoRA2Method { OuterRank: 4 or 16 }))
        {
            foreach (string factor in run.Measures[1].Factors.Keys)
            {
                FactorMeasures[] measures = [.. run.Measures.Values.Select(measure => measure.Factors[factor])];
                IEnumerable<double> columns = [measures[0].Gradient / b, .. measures.Select(measure => measure.Gradient), .. measures.Select(measure => measure.Update / FirstStepsRun.LearningRate), .. measures.Select(measure => measure.Value)];
                Console.WriteLine($"| {Name(run.Method)} | {factor} | {Text(FirstStepPrediction.Gradient(run.Method, factor, width))} | {string.Join(" | ", columns.Select(Text))} |");
            }
        }

        Console.WriteLine();
    }

    private static string Name(AdapterMethod method) => method switch
    {
        LoRA2Method lora2 => $"LoRA2 k = {lora2.OuterRank}, r = {lora2.Rank}{(lora2.IsOrthonormal ? "" : ", authors' start")}",
        AdaLoRAMethod adalora => $"AdaLoRA r = {adalora.Rank}{(adalora.IsOrthonormal ? "" : ", authors' start")}",
        _ => $"{method.Title} r = {method.InitialRank}",
    };

    private static string Text(double value) => value == 0 ? "0" : Math.Abs(value) is >= 0.01 and < 10000 ? value.ToString(Math.Abs(value) < 10 ? "0.###" : "0.#", CultureInfo.InvariantCulture) : value.ToString("0.0e+0", CultureInfo.InvariantCulture);
}
