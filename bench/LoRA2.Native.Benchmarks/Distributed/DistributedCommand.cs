using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LoRA2.Native.Adapters;
using LoRA2.Native.Communication;
using LoRA2.Native.Data;
using LoRA2.Native.Distributed;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Families;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

namespace LoRA2.Native.Benchmarks.Distributed;

/// <summary>
/// Training steps by the processes that mpirun started, or by one: <c>distributed TOKENIZER [--method M] [--steps N] [--threads T] [--layers L] [--hidden H] [--batch B] [--parts P]</c>.
/// Process 0 prints a line of JSON: seconds of each step, bytes a step against those of what is trained, and what of the communication lay inside the backward pass.
/// </summary>
internal static class DistributedCommand
{
    private const int Warmup = 3;

    public static void Run(string[] args)
    {
        string Asked(string name, string usual) => Array.IndexOf(args, "--" + name) is var at and >= 0 ? args[at + 1] : usual;
        int Number(string name, int usual) => int.Parse(Asked(name, usual.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        Compute.Threads = Number("threads", 1);
        using MpiCommunicator? joined = Launch.Detected is null ? null : MpiCommunicator.Join();
        TracedCommunicator? traced = joined is { Size: > 1 } ? new TracedCommunicator(joined) : null;
        string method = Asked("method", "lora2");
        int steps = Number("steps", 8), batch = Number("batch", 16), hidden = Number("hidden", 384);
        var options = new TrainingOptions
        {
            Adapter = new AdapterSettings { Method = AdapterMethods.Named(method) },
            BatchSize = batch,
            Accumulation = Number("parts", 8),
            MaxSteps = steps + Warmup,
        };
        var config = new BertConfig
        {
            VocabularySize = Number("vocabulary", 8064),
            Layers = Number("layers", 6),
            HiddenSize = hidden,
            Heads = hidden / 32,
            IntermediateSize = 4 * hidden,
            Labels = 8,
            Task = TaskKinds.Classification,
        };
        using SequenceClassifier model = SequenceClassifier.Create(config, 1);
        model.Attach(options.Adapter, 1);
        var random = new Random(1);
        string[] words = ["parcel", "thank", "refund", "never", "the", "arrived", "of", "service", "November", "cheers"];
        Example[] examples = [.. Enumerable.Range(0, batch * 4).Select(i => new Example(string.Join(' ', Enumerable.Range(0, 60).Select(_ => words[random.Next(words.Length)])), null, i % 8))];
        TokenizedDataset data = TokenizedDataset.Create("parcels", examples, Tokenizer.FromFolder(args[0]), model.Config, 64);
        using var trainer = new Trainer(model, options, data, null, [Metric.Accuracy], communicator: traced ?? (Communicator?)joined);
        var meter = new Meter(traced);
        trainer.Run(progress: meter);
        if (joined is { IsFirst: false }) return;
        double[] seconds = [.. meter.Seconds.Skip(Warmup)];
        long trained = 4L * model.Parameters.Where(parameter => parameter.IsTrainable).Sum(parameter => (long)parameter.Count);
        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["method"] = method,
            ["processes"] = joined?.Size ?? 1,
            ["threads"] = Compute.Threads,
            ["seconds"] = seconds,
            ["trained_bytes"] = trained,
            ["sent_bytes"] = meter.Sent.Skip(Warmup).LastOrDefault(),
            ["buckets"] = meter.Buckets,
            ["hidden_share"] = meter.Hidden,
        }));
    }

    private sealed class Meter(TracedCommunicator? traced) : IProgress<TrainingProgress>
    {
        private long last = Stopwatch.GetTimestamp();
        private long sent;

        public List<double> Seconds { get; } = [];

        public List<long> Sent { get; } = [];

        /// <summary>Exchanges of the last step.</summary>
        public int Buckets { get; private set; }

        /// <summary>Of the last step's time in communication, what lay before the last bucket was handed over: while the backward pass went on.</summary>
        public double Hidden { get; private set; }

        public void Report(TrainingProgress value)
        {
            long now = Stopwatch.GetTimestamp();
            Seconds.Add(Stopwatch.GetElapsedTime(last, now).TotalSeconds);
            last = now;
            if (traced is null) return;
            Sent.Add(traced.BytesSent - sent);
            sent = traced.BytesSent;
            (string Call, long Bytes, long Begin, long End)[] exchanges = [.. traced.Calls.Where(call => call.Call == "exchange")];
            Buckets = exchanges.Length;
            double all = traced.Calls.Sum(call => (double)(call.End - call.Begin));
            double before = exchanges.Length == 0 ? 0 : traced.Calls.Where(call => call.End <= exchanges[^1].Begin).Sum(call => (double)(call.End - call.Begin));
            Hidden = all == 0 ? 0 : before / all;
            traced.Clear();
        }
    }
}
