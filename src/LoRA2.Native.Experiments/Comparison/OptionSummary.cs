namespace LoRA2.Native.Experiments.Comparison;

/// <summary>Options in words, without repeating what several have in common.</summary>
internal sealed class OptionSummary
{
    public OptionSummary(ComparisonPlan plan)
    {
        Everywhere = Common(plan.Methods.SelectMany(method => plan.Tasks.Select(task => method.Options[task.Name])));
        Methods = [.. plan.Methods.Select(method => new MethodOptions(method.Name, plan, method, Everywhere))];
    }

    /// <summary>What every run has.</summary>
    public IReadOnlyList<RunOption> Everywhere { get; }

    public IReadOnlyList<MethodOptions> Methods { get; }

    public static string Text(IEnumerable<RunOption> options) => string.Join(", ", options) is { Length: > 0 } text ? text : "finetune's defaults";

    private static RunOption[] Common(IEnumerable<IReadOnlyList<RunOption>> sets)
    {
        IReadOnlyList<RunOption>[] all = [.. sets];
        return [.. all[0].Where(option => all.All(set => set.Contains(option)))];
    }

    /// <summary>A method's options beyond what every run has.</summary>
    internal sealed class MethodOptions
    {
        public MethodOptions(string name, ComparisonPlan plan, ComparedMethod method, IReadOnlyList<RunOption> everywhere)
        {
            Name = name;
            RunOption[] common = Common(plan.Tasks.Select(task => method.Options[task.Name]));
            Own = [.. common.Except(everywhere)];
            OfTasks = [.. plan.Tasks.Select(task => (task.Name, (IReadOnlyList<RunOption>)[.. method.Options[task.Name].Except(common)])).Where(pair => pair.Item2.Count > 0)];
        }

        public string Name { get; }

        public IReadOnlyList<RunOption> Own { get; }

        public IReadOnlyList<(string Task, IReadOnlyList<RunOption> Options)> OfTasks { get; }

        public string Text => string.Join("; ", (string[])[OptionSummary.Text(Own), .. OfTasks.Select(pair => $"on {pair.Task} {OptionSummary.Text(pair.Options)}")]);
    }
}
