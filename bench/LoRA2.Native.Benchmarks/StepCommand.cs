using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Cuda;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Times one whole training step (forward, backward, AdamW), or an inference, of a DeBERTa-v3-shaped encoder with random weights, and prints one
/// JSON object. Options come as <c>--name value</c>; <c>--serve true</c> runs a step for each line on standard input (bench/turns.py).
/// </summary>
internal static class StepCommand
{
    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string>
        {
            ["model"] = "deberta",
            ["method"] = "lora",
            ["layers"] = "12",
            ["hidden"] = "768",
            ["intermediate"] = "3072",
            ["heads"] = "12",
            ["vocabulary"] = "8000",
            ["batch"] = "8",
            ["length"] = "128",
            ["rank"] = "8",
            ["outer-rank"] = "8",
            ["device"] = "cpu",
            ["threads"] = "2",
            ["steps"] = "3",
            ["warmup"] = "1",
            ["dropout"] = "0.1",
            ["dtype"] = "float32",
            ["recompute"] = "false",
            ["record"] = "true",
            ["regularise"] = "false",
            ["serve"] = "false",
        };
        for (int i = 0; i < args.Length; i++)
        {
            string name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : throw new ArgumentException($"'{args[i]}' is not an option");
            if (!options.ContainsKey(name)) throw new ArgumentException($"there is no option --{name}; there are {string.Join(", ", options.Keys)}");
            options[name] = i + 1 < args.Length ? args[++i] : throw new ArgumentException($"--{name} has no value");
        }

        int Int(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);
        if (!Enum.TryParse(options["dtype"], ignoreCase: true, out Precision precision))
            throw new ArgumentException($"--dtype is {options["dtype"]}; {string.Join(", ", Enum.GetNames<Precision>()).ToLowerInvariant()} can be");
        Compute.Threads = Int("threads");
        double dropout = double.Parse(options["dropout"], CultureInfo.InvariantCulture);
        EncoderConfig family = options["model"] switch
        {
            "deberta" => new DebertaV2Config(),
            "roberta" => new RobertaConfig(),
            _ => throw new ArgumentException($"--model is {options["model"]}; deberta, roberta can be"),
        };
        using CudaDevice? gpu = options["device"] switch
        {
            "cpu" => null,
            "cuda" => CudaDevice.Open(),
            _ => throw new ArgumentException($"--device is {options["device"]}; cpu, cuda can be"),
        };
        EncoderConfig config = family with
        {
            VocabularySize = Int("vocabulary"),
            Layers = Int("layers"),
            HiddenSize = Int("hidden"),
            IntermediateSize = Int("intermediate"),
            Heads = Int("heads"),
            HiddenDropout = dropout,
            AttentionDropout = dropout,
        };
        long creation = Stopwatch.GetTimestamp();
        using SequenceClassifier model = SequenceClassifier.Create(config, 1, precision);
        TimeSpan created = Stopwatch.GetElapsedTime(creation);
        bool inference = options["method"] == "inference";
        if (inference) model.FreezeBase();
        else model.Attach(new AdapterSettings { Method = Method(options), Head = HeadTraining.Classifier }, 2);
        model.MoveTo(gpu ?? Device.Cpu);
        using AdamWOptimizer? optimizer = inference ? null : new AdamWOptimizer([new([.. model.Parameters.Where(parameter => parameter.IsTrainable)], 0.01)]);
        AdapterMethod? whole = !inference && bool.Parse(options["regularise"]) ? Method(options) : null;
        SingularValueAdapter[] scored = whole is null ? [] : [.. model.Adapters().OfType<SingularValueAdapter>()];
        int values = scored.Sum(adapter => adapter.SingularValues.Count);
        using RankAllocator? allocator = scored.Length == 0 ? null : new RankAllocator(scored, new BudgetSchedule(values, values / 2, 0, 0, 1000, 10));
        Adapter[] adapters = [.. model.Adapters()];
        (int batch, int length) = (Int("batch"), Int("length"));
        using Tensor ids = Tensor.From([.. Enumerable.Range(0, batch * length).Select(i => 5 + (i * 7919 % (config.VocabularySize - 5)))], [batch, length]);
        using Tensor mask = Tensor.Full([batch, length], 1, DType.Int32);
        using Tensor labels = Tensor.From([.. Enumerable.Range(0, batch).Select(i => i % 2)], [batch]);
        var context = new ForwardContext { IsTraining = !inference, Seed = 3, Recompute = bool.Parse(options["recompute"]) };
        // On a device everything is there already, and a step is recorded once.
        EncoderBatch given = model.Prepare(new EncoderBatch(ids, mask)).To(model.Device);
        Tensor targets = labels.To(model.Device);
        Dictionary<bool, DeviceProgram>? recordings = model.Device.Records && bool.Parse(options["record"]) ? [] : null;
        var seconds = new List<double>(4096);
        long allocated = 0;
        int done = 0;
        double firstStep = 0;
        while (done < Int("warmup")) Timed();
        allocated = 0;
        seconds.Clear();
        if (bool.Parse(options["serve"])) Serve.Lines(Timed);
        else for (int i = 0; i < Int("steps"); i++) Timed();
        Print(options, seconds, batch * length, allocated / Math.Max(1, seconds.Count), firstStep, gpu);

        void Step(uint pass, bool scores)
        {
            using TensorScope scope = model.OpenScope();
            context.Begin(pass);
            if (optimizer is null)
            {
                model.Forward(given, context);
                return;
            }

            using var tape = new Tape();
            tape.Backward(model.Loss(model.Forward(given, context), targets));
            if (whole is { RegulariserWeight: not 0 } && whole.Regulariser(adapters) is { } term) tape.Backward(term, Tensor.Full([], whole.RegulariserWeight, term.DType, term.Device));
            optimizer.Update(scores ? allocator!.ScoredAt(done) : []);
            optimizer.ClearGradients();
        }

        double Timed()
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            long start = Stopwatch.GetTimestamp();
            optimizer?.Prepare(1e-3, 1);
            bool scores = optimizer is not null && allocator is not null && !allocator.ScoredAt(done).IsEmpty;
            if (recordings is null) Step((uint)done, scores);
            else if (recordings.TryGetValue(scores, out DeviceProgram? program)) program.Run((uint)done);
            else (recordings[scores] = model.Device.Record((uint)done, () => Step((uint)done, scores))).Run((uint)done);
            if (optimizer is not null) allocator?.Prune(done);
            done++;
            model.Device.Synchronize();
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (done == 1) firstStep = (DateTime.Now - Process.GetCurrentProcess().StartTime - created).TotalSeconds;
            allocated += GC.GetTotalAllocatedBytes(precise: true) - before;
            seconds.Add(elapsed);
            return elapsed;
        }
    }

    /// <summary>The method with those of the options that are settings of it.</summary>
    private static AdapterMethod Method(Dictionary<string, string> options)
    {
        AdapterMethod method = AdapterMethods.Named(options["method"]);
        foreach (MethodOption setting in method.Options)
        {
            if (options.TryGetValue(setting.Name, out string? value)) method = setting.With(method, value);
        }

        return method;
    }

    private static void Print(Dictionary<string, string> options, List<double> seconds, int tokens, long allocated, double firstStep, CudaDevice? gpu)
    {
        double[] sorted = [.. seconds.Order()];
        double median = (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
        using Process process = Process.GetCurrentProcess();
        using var json = new Utf8JsonWriter(Console.OpenStandardOutput());
        json.WriteStartObject();
        json.WriteNumber("seconds_min", sorted[0]);
        json.WriteNumber("seconds_median", median);
        json.WriteStartArray("seconds");
        foreach (double value in seconds) json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteNumber("tokens", tokens);
        json.WriteNumber("tokens_per_second", tokens / median);
        json.WriteNumber("peak_memory_mb", process.PeakWorkingSet64 / 1048576.0);
        json.WriteNumber("tensor_memory_mb", (gpu?.PeakBytes ?? MemoryPool.Shared.PeakBytesInUse) / 1048576.0);
        if (gpu is not null) json.WriteNumber("device_memory_mb", gpu.ReservedBytes / 1048576.0);
        json.WriteNumber("seconds_from_start_to_first_step", firstStep);
        json.WriteNumber("managed_bytes_per_step", allocated);
        json.WriteString("simd", Compute.SimdPath);
        foreach ((string name, string value) in options) json.WriteString(name, value);
        json.WriteEndObject();
        json.Flush();
        Console.WriteLine();
    }
}
