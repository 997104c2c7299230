using LoRA2.Native.Cli.Comparison;
using LoRA2.Native.Experiments.Comparison;
using LoRA2.Native.Experiments.Reproduction;

namespace LoRA2.Native.Cli.Reproduction;

/// <summary>A reproduction from the plan to what a person sees in the end.</summary>
internal sealed class PaperSession(PaperPlan plan, ComparisonRequest request, ICellRunner runner, StandardStreams streams)
{
    private readonly TextWriter human = request.Json ? streams.Error : streams.Output;
    private readonly PaperResult result = new(plan, runner);

    /// <summary>Makes the runs, if there is a model, and shows ours beside the paper's.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public int Run()
    {
        if (plan.Model is null)
        {
            Show(ComparisonTable.Of(plan.Comparison, []));
            return ExitCode.Done;
        }

        var files = new ReproductionFiles(request.Output, plan.Table, result);
        (int code, ComparisonTable table) = new ComparisonSession(request, runner, streams).Run(plan.Comparison, files.Write);
        if (code == ExitCode.Interrupted) return code;
        human.WriteLine();
        Show(table);
        human.WriteLine($"saved        {files.Markdown}, {files.Csv}, {files.Page}");
        return code;
    }

    private void Show(ComparisonTable table)
    {
        human.Write(result.Markdown(table));
        if (request.Json) ReproductionJson.Write(streams.OutputBytes, plan.Table, result, table);
    }
}
