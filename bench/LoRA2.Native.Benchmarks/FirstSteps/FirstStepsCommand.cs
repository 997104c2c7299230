using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Benchmarks.FirstSteps;

/// <summary>
/// How far the update Δ, and each factor, moves in a method's first hundred steps, predicted (bench/results/first-steps.md) and measured, as Markdown:
/// <c>first-steps [--widths 256,384,768,1024] [--ranks 4,8,16] [--outer-ranks 1,4,8,16] [--threads 2]</c>.
/// </summary>
internal static class FirstStepsCommand
{
    private static readonly LoRA2Method AuthorsLoRA2 = new() { IsOrthonormal = false, InitialDeviation = 0.02, SingularValueRate = 1 };

    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string> { ["widths"] = "256,384,768,1024", ["ranks"] = "4,8,16", ["outer-ranks"] = "1,4,8,16", ["threads"] = "2" };
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            string name = args[i].TrimStart('-');
            if (!options.ContainsKey(name)) throw new ArgumentException($"there is no option {args[i]}; there are --{string.Join(", --", options.Keys)}");
            options[name] = args[i + 1];
        }

        Compute.Threads = int.Parse(options["threads"], CultureInfo.InvariantCulture);
        int[] Numbers(string name) => [.. options[name].Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        foreach (int width in Numbers("widths"))
        {
            var runs = new List<FirstStepsRun>();
            PrintHeading($"Width {width}", ["method", "‖Δ‖ after step 1, predicted", "measured", "over LoRA's", "step 10", "over LoRA's", "step 100", "over LoRA's", "hidden states' movement, step 1", "10", "100", "R before step 1", "10", "100"]);
            foreach (AdapterMethod method in Methods(Numbers("ranks"), Numbers("outer-ranks")))
            {
                runs.Add(FirstStepsRun.Of(method, width));
                PrintLengths(runs[^1], runs.First(other => other.Method is LoRAMethod && other.Method.InitialRank == method.InitialRank));
            }

            PrintFactors(width, runs);
        }
    }

    private static IEnumerable<AdapterMethod> Methods(int[] ranks, int[] outerRanks)
    {
        foreach (int rank in ranks) yield return new LoRAMethod { Rank = rank };
        foreach (int rank in ranks) yield return new SoRAMethod { Rank = rank };
        foreach (int rank in ranks) yield return new AdaLoRAMethod { Rank = rank, IsOrthonormal = false, SingularValueRate = 1 };
        foreach (int rank in ranks) yield return new AdaLoRAMethod { Rank = rank };
        foreach (int rank in ranks) yield return AuthorsLoRA2 with { Rank = rank };
        foreach (int outerRank in outerRanks)
        {
            foreach (int rank in ranks) yield return new LoRA2Method { OuterRank = outerRank, Rank = rank };
        }
    }

    private static void PrintHeading(string title, string[] columns)
    {
        Console.WriteLine($"## {title}");
        Console.WriteLine();
        PrintRow(columns);
        PrintRow(columns.Select(_ => "---"));
    }

    private static void PrintRow(IEnumerable<string> cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

    private static void PrintLengths(FirstStepsRun run, FirstStepsRun lora) => PrintRow(
    [
        Name(run.Method), Text(FirstStepPrediction.Length(run.Method, run.Width)),
        .. run.Measures.SelectMany(measure => (string[])[Text(measure.Value.Length), Text(measure.Value.Length / lora.Measures[measure.Key].Length)]),
        .. run.Measures.Values.Select(measure => Text(measure.Movement)),
        .. run.Measures.Values.Select(measure => Text(measure.Regulariser)),
    ]);

    /// <summary>The runs with LoRA's r nearest to 8, and with LoRA2's k of 1 or 8.</summary>
    private static void PrintFactors(int width, IReadOnlyList<FirstStepsRun> runs)
    {
        int rank = runs.Select(run => run.Method.InitialRank).MinBy(each => Math.Abs(each - 8));
        Console.WriteLine();
        PrintHeading(
            $"Factors at r = {rank}, width {width}",
            ["method", "factor", "gradient over that of LoRA's B, step 1, predicted", "measured", "gradient, step 1", "10", "100", "update over η, step 1", "10", "100", "value, step 1", "10", "100"]);
        double b = runs.First(run => run.Method is LoRAMethod && run.Method.InitialRank == rank).Measures[1].Factors["lora_B"].Gradient;
        foreach (FirstStepsRun run in runs.Where(run => run.Method.InitialRank == rank && run.Method is not LoRA2Method { OuterRank: not (1 or 8) }))
        {
            foreach (string factor in run.Measures[1].Factors.Keys)
            {
                FactorMeasures[] measures = [.. run.Measures.Values.Select(measure => measure.Factors[factor])];
                IEnumerable<double> columns =
                    [FirstStepPrediction.Gradient(run.Method, factor, width), measures[0].Gradient / b, .. measures.Select(measure => measure.Gradient), .. measures.Select(measure => measure.Update / FirstStepsRun.LearningRate), .. measures.Select(measure => measure.Value)];
                PrintRow([Name(run.Method), factor, .. columns.Select(Text)]);
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
