using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Inference;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Benchmarks;

/// <summary>
/// Times a sentence encoder: token ids of one shape, or a file of texts to vectors; bench/peers/onnxruntime has the same options and answers. <c>--passes N</c> makes N passes first and
/// lists the processor seconds of each, so that the first of a process can be seen; <c>--serve true</c> answers every line with the seconds of a pass (bench/turns.py).
/// </summary>
internal static class EncodeCommand
{
    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string> { ["model"] = "", ["precision"] = "float32", ["threads"] = "2", ["batch"] = "1", ["length"] = "32", ["texts"] = "", ["warmup"] = "50", ["serve"] = "false", ["passes"] = "0", ["vectors"] = "" };
        for (int i = 0; i + 1 < args.Length; i += 2) options[options.ContainsKey(args[i][2..]) ? args[i][2..] : throw new ArgumentException($"there is no option {args[i]}")] = args[i + 1];
        int Int(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);
        Compute.Threads = Int("threads");
        using TextEmbedder embedder = TextEmbedder.Load(options["model"], options: new EmbedderOptions { Precision = Enum.Parse<Precision>(options["precision"], ignoreCase: true) });
        double ready = Environment.CpuUsage.TotalTime.TotalSeconds;
        (int batch, int length) = (Int("batch"), Int("length"));
        using Tensor ids = Tensor.From([.. Enumerable.Range(0, batch * length).Select(i => 1000 + (i * 7919 % 29000))], [batch, length]);
        using Tensor mask = Tensor.Full([batch, length], 1, DType.Int32);
        var given = new EncoderBatch(ids, mask);
        var context = new ForwardContext();
        string[] texts = options["texts"].Length == 0 ? [] : File.ReadAllLines(options["texts"]);
        IReadOnlyList<TextVector> vectors = [];
        var cpu = new List<double>();
        var seconds = new List<double>();
        long allocated = 0;
        for (int i = 0; i < Int("passes"); i++) Timed();
        if (options["serve"] == "true")
        {
            for (int i = 0; i < Int("warmup"); i++) Timed();
            Serve.Lines(Timed);
        }

        if (options["vectors"].Length > 0) File.WriteAllBytes(options["vectors"], MemoryMarshal.AsBytes<float>([.. vectors.SelectMany(vector => vector.Values)]).ToArray());
        using Process process = Process.GetCurrentProcess();
        using var json = new Utf8JsonWriter(Console.OpenStandardOutput());
        json.WriteStartObject();
        json.WriteNumber("tokens", texts.Length == 0 ? batch * length : vectors.Sum(vector => vector.Tokens));
        json.WriteNumber("peak_memory_mb", process.PeakWorkingSet64 / 1048576.0);
        json.WriteNumber("managed_bytes_per_step", allocated);
        json.WriteNumber("cpu_seconds_until_loaded", ready);
        json.WriteString("simd", Compute.SimdPath);
        Write("cpu_seconds", cpu);
        Write("seconds", seconds);
        json.WriteEndObject();
        json.Flush();
        Console.WriteLine();

        double Timed()
        {
            long before = GC.GetTotalAllocatedBytes();
            double cpuBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
            long start = Stopwatch.GetTimestamp();
            if (texts.Length > 0)
            {
                vectors = embedder.Embed(texts, batchSize: batch);
            }
            else
            {
                using TensorScope scope = embedder.Model.OpenScope();
                embedder.Model.Forward(given, context);
            }

            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            cpu.Add(Environment.CpuUsage.TotalTime.TotalSeconds - cpuBefore);
            seconds.Add(elapsed);
            allocated = GC.GetTotalAllocatedBytes() - before;
            return elapsed;
        }

        void Write(string name, List<double> values)
        {
            json.WriteStartArray(name);
            foreach (double value in values.Take(1000)) json.WriteNumberValue(value);
            json.WriteEndArray();
        }
    }
}
