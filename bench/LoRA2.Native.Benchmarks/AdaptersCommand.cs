using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// What many adapters on one base model cost, as Markdown: memory of 1, 8, 100 and 1,000 of rank 8 on all six matrices with heads of 8 labels, against what their own tensors weigh; and the speed of
/// batches, on one thread, whose rows are of one adapter, of a few, and of 100 at random, against a <see cref="TextClassifier"/> with one, taking turns. Options: <c>--model DIR</c>, <c>--method NAME</c>,
/// <c>--rounds N</c>, <c>--most N</c> adapters.
/// </summary>
internal static class AdaptersCommand
{
    private const int Labels = 8, Batch = 32, Tenants = 100;

    public static void Run(string[] args)
    {
        (string model, string method, int rounds, int most) = ("", "lora", 15, 1000);
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--model") model = args[i + 1];
            else if (args[i] == "--method") method = args[i + 1];
            else if (args[i] == "--rounds") rounds = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else if (args[i] == "--most") most = int.Parse(args[i + 1], CultureInfo.InvariantCulture);
            else throw new ArgumentException($"'{args[i]}' is not an option; --model, --method, --rounds and --most are");
        }

        string folder = Directory.CreateTempSubdirectory("lora2-bench-").FullName;
        try
        {
            string[] adapters = [.. Enumerable.Range(0, 8).Select(seed => Draw(model, Path.Combine(folder, $"{seed}"), method, seed))];
            using AdapterHost host = AdapterHost.Load(model);
            host.Put("0", adapters[0]);
            Compute.Threads = 1;
            Memory(host, adapters, most);
            foreach (int length in (int[])[16, 64, 128]) Speed(host, model, adapters[0], length, rounds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Memory(AdapterHost host, string[] adapters, int most)
    {
        string[] texts = Texts(64);
        // The passes' own memory, and what the just-in-time compiler takes, are not the adapters'.
        for (int i = 0; i < 20; i++) host.Predict([.. texts.Select(text => new AdapterRequest("0", text))]);
        long own = host.Find("0")!.Bytes;
        host.Remove("0");
        long before = Resident();
        Console.WriteLine($"the base with the passes' memory: {Mebibytes(before)} MiB resident; an adapter's own tensors: {Mebibytes(own)} MiB\n");
        Console.WriteLine("| adapters | their tensors MiB | resident MiB beyond the base | ratio | managed MiB |\n| --- | --- | --- | --- | --- |");
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        int put = 0;
        foreach (int count in (int[])[1, 8, 100, 1000])
        {
            if (count > most) break;
            for (; put < count; put++) host.Put($"{put}", adapters[put % adapters.Length]);
            long resident = Resident() - before, tensors = host.Adapters.Sum(adapter => adapter.Bytes);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {count} | {Mebibytes(tensors)} | {Mebibytes(resident)} | {resident / (double)tensors:f3} | {Mebibytes(GC.GetTotalMemory(forceFullCollection: true) - managed)} |"));
        }

        Console.WriteLine();
    }

    private static void Speed(AdapterHost host, string model, string adapter, int length, int rounds)
    {
        using TextClassifier alone = TextClassifier.Load(model, adapter);
        string[] texts = Texts(length);
        var random = new Random(length);
        AdapterRequest[] Of(Func<int, int> tenant) => [.. texts.Select((text, i) => new AdapterRequest($"{tenant(i)}", text))];
        Example[] examples = [.. texts.Select(text => new Example(text))];
        double Rate(Action pass)
        {
            // Processor time: others' work on the machine counts for neither side.
            TimeSpan start = Environment.CpuUsage.TotalTime, taken = default;
            int passes = 0;
            for (; taken.TotalSeconds < 0.3 || passes == 0; passes++)
            {
                pass();
                taken = Environment.CpuUsage.TotalTime - start;
            }

            return passes * Batch / taken.TotalSeconds;
        }

        int tenants = Math.Min(Tenants, host.Adapters.Count);
        var turns = new Turns
        {
            { "a classifier with one adapter", () => Rate(() => alone.Predict(examples, Batch)) },
            { "one adapter", () => Rate(() => host.Predict(Of(_ => 0), Batch)) },
            { "4 adapters", () => Rate(() => host.Predict(Of(i => i % 4), Batch)) },
            { $"{tenants} adapters at random", () => Rate(() => host.Predict(Of(_ => random.Next(tenants)), Batch)) },
        };
        turns.Run(rounds);
        Console.WriteLine($"| {Batch} texts a batch, some {length} tokens each | texts per second of processor time, median (quartiles) | ratio to one adapter |\n| --- | --- | --- |");
        foreach (string name in turns.Names) Console.WriteLine($"| {name} | {turns.Rate(name, "f0")} | {turns.Ratio(name, "one adapter")} |");
        Console.WriteLine();
    }

    /// <summary>Words that are tokens by themselves.</summary>
    private static string[] Texts(int length)
    {
        string[] words = ["the", "house", "water", "where", "never", "book", "city", "money", "order", "late"];
        var random = new Random(3);
        return [.. Enumerable.Range(0, Batch).Select(_ => string.Join(' ', Enumerable.Range(0, length - 2).Select(_ => words[random.Next(words.Length)])))];
    }

    private static string Draw(string modelFolder, string folder, string name, int seed)
    {
        AdapterMethod method = AdapterMethods.Named(name);
        string[] labels = [.. Enumerable.Range(0, Labels).Select(label => $"label {label}")];
        using SequenceClassifier model = SequenceClassifier.FromFolder(modelFolder, config => config with { Labels = Labels, LabelNames = labels }, (ulong)seed);
        var settings = new AdapterSettings { Method = method };
        model.Attach(settings, (ulong)seed);
        var random = new Random(seed);
        foreach (Parameter parameter in model.Adapters().SelectMany(adapter => adapter.Parameters))
        {
            foreach (ref float value in parameter.Value.AsSpan<float>()) value += (random.NextSingle() - 0.5f) / 20;
        }

        AdapterFolder.Save(model, settings, modelFolder, folder, new SavedBeside { Task = new TaskDescription(name, labels, 128, [Metric.Accuracy]) });
        return folder;
    }

    private static long Resident()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Environment.WorkingSet;
    }

    private static string Mebibytes(long bytes) => (bytes / 1048576.0).ToString("f1", CultureInfo.InvariantCulture);
}
