using System.Diagnostics;
using System.Globalization;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Tensors.RandomNumbers;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Training steps and passes on a data set's own lengths, with the padding of a batch going through the layers and without, in batches as they are drawn and in the trainer's, which are of like
/// lengths; sides take turns of an epoch. Options: <c>--model DIR</c>, <c>--data DIR</c> (GLUE's folder of a task), <c>--task NAME</c>, <c>--examples N</c>, <c>--batch N</c>, <c>--precision NAME</c>,
/// <c>--method NAME</c>, <c>--rounds N</c>, <c>--threads N</c>, <c>--max-length N</c>.
/// </summary>
internal static class PackingCommand
{
    private const ulong Seed = 7;

    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string> { ["model"] = "", ["data"] = "", ["task"] = "SST-2", ["examples"] = "2048", ["batch"] = "32", ["precision"] = "float32", ["method"] = "lora2", ["rounds"] = "9", ["threads"] = "1", ["max-length"] = "128" };
        for (int i = 0; i + 1 < args.Length; i += 2) options[options.ContainsKey(args[i][2..]) ? args[i][2..] : throw new ArgumentException($"there is no option {args[i]}")] = args[i + 1];
        int Int(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);
        Compute.Threads = Int("threads");
        Dataset all = GlueTask.Get(options["task"]).Load(options["data"], "train");
        using SequenceClassifier model = SequenceClassifier.FromFolder(
            options["model"], config => config with { Labels = all.LabelNames?.Count ?? 1, LabelNames = all.LabelNames }, precision: Enum.Parse<Precision>(options["precision"], ignoreCase: true));
        var settings = new AdapterSettings { Method = AdapterMethods.Named(options["method"]) };
        model.Attach(settings, Seed);
        TokenizedDataset data = TokenizedDataset.Create(options["task"], [.. all.Examples.Take(Int("examples"))], Tokenizer.FromFolder(options["model"]), model.Config, Int("max-length"));
        int[][] drawn = [.. new Philox(Seed, 1).Permutation(data.Count).Chunk(Int("batch"))], alike = BatchPlan.ForEpoch(data, Int("batch"), Seed, 0);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{data.Count} texts of {data.Tokens} tokens, {data.Tokens / (double)data.Count:f1} each. Share of padding: {Padding(data, drawn):p1} in batches of {options["batch"]} as drawn, {Padding(data, alike):p1} in the trainer's.\n"));
        foreach (bool trains in (bool[])[true, false])
        {
            var turns = new Turns();
            foreach ((string name, int[][] batches) in ((string, int[][])[])[("as drawn", drawn), ("of like lengths", alike)])
            {
                foreach (bool padded in (bool[])[true, false])
                    turns.Add($"{name}, {(padded ? "with" : "without")} padding", () => trains ? Train(model, settings, data, batches, padded) : Pass(model, data, batches, padded));
            }

            turns.Run(Int("rounds"));
            Console.WriteLine($"{(trains ? $"Training steps ({options["method"]})" : "Passes without gradients")}, {options["precision"]}, tokens that are none of padding per second of processor time, medians of {options["rounds"]} epochs in turn (quartiles):\n");
            Console.WriteLine("| batches | tokens/s | over the same batches with padding, by round | over those of like lengths with padding |\n| --- | --- | --- | --- |");
            foreach (string name in turns.Names)
                Console.WriteLine($"| {name} | {turns.Rate(name, "f0")} | {turns.Ratio(name, name.Replace("without", "with", StringComparison.Ordinal))} | {turns.Ratio(name, "of like lengths, with padding")} |");
            Console.WriteLine();
        }
    }

    private static double Padding(TokenizedDataset data, int[][] batches) => 1 - (data.Tokens / batches.Sum(batch => (double)batch.Length * batch.Max(data.Length)));

    private static double Train(SequenceClassifier model, AdapterSettings settings, TokenizedDataset data, int[][] batches, bool padded)
    {
        using var optimizer = new AdamWOptimizer([new([.. model.Parameters.Where(parameter => parameter.IsTrainable)], 0.01)]);
        Adapter[] adapters = [.. model.Adapters()];
        var context = new ForwardContext { IsTraining = true, Seed = Seed, KeepsPadding = padded };
        return Rate(data, batches, (batch, number) =>
        {
            context.Begin((uint)number);
            optimizer.Prepare(1e-6, 1);
            using TensorScope scope = model.OpenScope();
            EncoderBatch inputs = model.Config.Kind.Inputs(data, batch, null);
            using var tape = new Tape();
            tape.Backward(model.Loss(model.Forward(inputs, context), model.Config.Kind.Targets(data, batch, inputs, null)));
            if (settings.Method.RegulariserWeight != 0 && settings.Method.Regulariser(adapters) is { } term)
                tape.Backward(term, Tensor.Full([], settings.Method.RegulariserWeight, term.DType, term.Device));
            optimizer.Update([]);
            optimizer.ClearGradients();
        });
    }

    private static double Pass(SequenceClassifier model, TokenizedDataset data, int[][] batches, bool padded)
    {
        var context = new ForwardContext { KeepsPadding = padded };
        return Rate(data, batches, (batch, _) =>
        {
            using TensorScope scope = model.OpenScope();
            model.Forward(model.Config.Kind.Inputs(data, batch, null), context);
        });
    }

    /// <summary>Tokens per second of processor time, by which others' work on the machine counts for neither side.</summary>
    private static double Rate(TokenizedDataset data, int[][] batches, Action<int[], int> step)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        foreach ((int number, int[] batch) in batches.Index()) step(batch, number);
        return data.Tokens / (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }
}
