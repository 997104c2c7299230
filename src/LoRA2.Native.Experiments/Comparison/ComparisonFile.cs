using LoRA2.Native.Data;
using LoRA2.Native.Files;

namespace LoRA2.Native.Experiments.Comparison;

/// <summary>The JSON file that says what to compare. All of it is checked before anything runs.</summary>
public sealed class ComparisonFile
{
    private static readonly string[] Fields = ["title", "model", "data", "tasks", "seeds", "score", "options", "task-options", "methods"];
    private static readonly string[] MethodFields = ["name", "options", "task-options"];
    private static readonly IReadOnlyDictionary<string, IReadOnlyList<RunOption>> NoTaskOptions = new Dictionary<string, IReadOnlyList<RunOption>>();

    private readonly JsonPlace root;
    private readonly ICellRunner runner;
    private readonly RunOptions runOptions;
    private readonly Dictionary<string, JsonPlace> fields;

    private ComparisonFile(string file, ICellRunner runner)
    {
        root = JsonPlace.Load(file);
        this.runner = runner;
        runOptions = new RunOptions(runner);
        fields = FieldsOf(root, Fields);
    }

    /// <summary>Reads a plan.</summary>
    /// <param name="file">The file; paths in it are relative to its folder.</param>
    /// <param name="runner">Who will make the runs.</param>
    /// <exception cref="InputException">Something is missing or wrong; the message names the file and the place in it.</exception>
    public static ComparisonPlan Load(string file, ICellRunner runner)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(runner);
        return new ComparisonFile(file, runner).Plan();
    }

    private ComparisonPlan Plan()
    {
        string data = Required("data").FullPath();
        if (!Directory.Exists(data)) throw fields["data"].Error($"there is no folder '{data}'; one with GLUE's tasks was expected");
        GlueTask[] tasks = Tasks(data);
        var plan = new ComparisonPlan(
            fields.TryGetValue("title", out JsonPlace title) ? title.Text() : Path.GetFileNameWithoutExtension(root.File), Model(), data, tasks, Seeds(), [], Score());
        IReadOnlyList<RunOption> all = OptionsIn(fields);
        IReadOnlyDictionary<string, IReadOnlyList<RunOption>> ofTasks = TaskOptionsIn(fields);
        var methods = new List<ComparedMethod>();
        foreach (JsonPlace place in Required("methods").Items())
        {
            ComparedMethod method = Method(place, tasks, all, ofTasks);
            if (methods.Find(earlier => earlier.FolderName.Equals(method.FolderName, StringComparison.OrdinalIgnoreCase)) is { } earlier)
                throw place.Error(earlier.Name == method.Name ? $"the name '{method.Name}' comes twice" : $"the name '{method.Name}' would have the folder of '{earlier.Name}', {earlier.FolderName}");
            methods.Add(method);
            Check(plan with { Methods = [method] }, place);
        }

        return plan with { Methods = methods };
    }

    private string Model()
    {
        JsonPlace place = Required("model");
        string path = place.FullPath();
        if (Directory.Exists(path)) return path;
        return runner.FolderOf(place.Text()) is not null ? place.Text() : throw place.Error($"there is no folder '{path}'; a HuggingFace model folder was expected");
    }

    private GlueTask[] Tasks(string data)
    {
        var tasks = new List<GlueTask>();
        foreach (JsonPlace place in Required("tasks").Items())
        {
            GlueTask task = TaskAt(place, place.Text());
            if (tasks.Contains(task)) throw place.Error($"task {task.Name} comes twice");
            foreach (string split in (string[])["train", "dev"])
            {
                string[] files = [Path.Combine(data, task.Files[split]), Path.Combine(data, task.Name, task.Files[split])];
                if (!files.Any(File.Exists)) throw place.Error($"there is no '{files[1]}', the {split} split of {task.Name}");
            }

            tasks.Add(task);
        }

        return [.. tasks];
    }

    private ulong[] Seeds()
    {
        var seeds = new List<ulong>();
        foreach (JsonPlace place in Required("seeds").Items())
        {
            if (place.Value.ValueKind != System.Text.Json.JsonValueKind.Number || !place.Value.TryGetUInt64(out ulong seed)) throw place.Unexpected($"a whole number from 0 to {ulong.MaxValue}");
            if (seeds.Contains(seed)) throw place.Error($"seed {seed} comes twice");
            seeds.Add(seed);
        }

        return [.. seeds];
    }

    private ScoreChoice Score() => !fields.TryGetValue("score", out JsonPlace place) ? ScoreChoice.Best : place.Text() switch
    {
        "best" => ScoreChoice.Best,
        "last" => ScoreChoice.Last,
        _ => throw place.Unexpected("\"best\" or \"last\""),
    };

    private ComparedMethod Method(JsonPlace place, GlueTask[] tasks, IReadOnlyList<RunOption> all, IReadOnlyDictionary<string, IReadOnlyList<RunOption>> ofTasks)
    {
        Dictionary<string, JsonPlace> own = FieldsOf(place, MethodFields);
        string name = own.TryGetValue("name", out JsonPlace named) ? named.Text().Trim() : throw place.Error("'name' is missing; what the method is called in the table was expected");
        if (name.Trim('.').Length == 0 || name.Any(char.IsControl)) throw named.Unexpected("a name");
        IReadOnlyList<RunOption> options = OptionsIn(own);
        IReadOnlyDictionary<string, IReadOnlyList<RunOption>> ownOfTasks = TaskOptionsIn(own);
        return new ComparedMethod(
            name, tasks.ToDictionary(task => task.Name, task => RunOption.Merge(all, ofTasks.GetValueOrDefault(task.Name, []), options, ownOfTasks.GetValueOrDefault(task.Name, []))));
    }

    /// <summary>What the runner would refuse of a method's options together.</summary>
    private void Check(ComparisonPlan plan, JsonPlace place)
    {
        foreach (Cell cell in plan.Cells("cell"))
        {
            try
            {
                runner.AdapterOf(cell.Task, cell.Options);
            }
            catch (InputException e)
            {
                throw place.Error($"{cell.Method} on {cell.Task.Name}: {e.Message}", e);
            }
        }
    }

    private IReadOnlyList<RunOption> OptionsIn(Dictionary<string, JsonPlace> of) => of.TryGetValue("options", out JsonPlace place) ? runOptions.Read(place) : [];

    private IReadOnlyDictionary<string, IReadOnlyList<RunOption>> TaskOptionsIn(Dictionary<string, JsonPlace> of)
    {
        if (!of.TryGetValue("task-options", out JsonPlace place)) return NoTaskOptions;
        var options = new Dictionary<string, IReadOnlyList<RunOption>>();
        foreach ((string name, JsonPlace each) in place.Properties())
        {
            GlueTask task = TaskAt(each, name);
            IReadOnlyList<RunOption> read = runOptions.Read(each);
            // Options of a task that is left out this time may stand there, and are checked as well.
            if (!options.TryAdd(task.Name, read)) throw each.Error($"task {task.Name} comes twice");
        }

        return options;
    }

    private static GlueTask TaskAt(JsonPlace place, string name) =>
        GlueTask.Find(name) ?? throw place.Error($"task '{name}' is unknown; {string.Join(", ", GlueTask.All.Select(task => task.Name))} can be");

    private static Dictionary<string, JsonPlace> FieldsOf(JsonPlace place, string[] known)
    {
        var fields = new Dictionary<string, JsonPlace>(StringComparer.Ordinal);
        foreach ((string name, JsonPlace value) in place.Properties())
        {
            if (!known.Contains(name)) throw value.Error($"this field is unknown; {string.Join(", ", known)} can be");
            fields.Add(name, value);
        }

        return fields;
    }

    private JsonPlace Required(string name) => fields.TryGetValue(name, out JsonPlace place) ? place : throw root.Error($"'{name}' is missing");
}
