using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Tokenizers;

namespace LoRA2.Native.Peers.Onnx;

/// <summary>Times a sentence encoder on ONNX Runtime: token ids of one shape, or a file of texts to vectors. The options and the answers are those of our own `encode`.</summary>
internal sealed class Encode : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions run = new();
    private readonly string[] inputs;
    private readonly string[] outputs;

    private Encode(string model, int threads)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, IntraOpNumThreads = threads, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.set_denormal_as_zero", "1");
        session = new InferenceSession(model, options);
        inputs = [.. session.InputMetadata.Keys];
        outputs = [session.OutputMetadata.Keys.First()];
    }

    public static void Run(string[] args)
    {
        var options = new Dictionary<string, string> { ["model"] = "", ["vocabulary"] = "", ["threads"] = "2", ["batch"] = "1", ["length"] = "32", ["texts"] = "", ["warmup"] = "50", ["serve"] = "false", ["passes"] = "0", ["vectors"] = "" };
        for (int i = 0; i + 1 < args.Length; i += 2) options[options.ContainsKey(args[i][2..]) ? args[i][2..] : throw new ArgumentException($"there is no option {args[i]}")] = args[i + 1];
        int Int(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);
        using var encode = new Encode(options["model"], Int("threads"));
        double ready = Environment.CpuUsage.TotalTime.TotalSeconds;
        (int batch, int length) = (Int("batch"), Int("length"));
        long[] ids = [.. Enumerable.Range(0, batch * length).Select(i => 1000L + (i * 7919 % 29000))], mask = new long[ids.Length];
        Array.Fill(mask, 1);
        string[] texts = options["texts"].Length == 0 ? [] : File.ReadAllLines(options["texts"]);
        BertTokenizer? tokenizer = texts.Length == 0 ? null : BertTokenizer.Create(options["vocabulary"], new BertOptions { LowerCaseBeforeTokenization = true, RemoveNonSpacingMarks = true });
        float[][] vectors = new float[texts.Length][];
        int tokens = batch * length;
        var cpu = new List<double>();
        var seconds = new List<double>();
        for (int i = 0; i < Int("passes"); i++) Timed();
        if (options["serve"] == "true")
        {
            for (int i = 0; i < Int("warmup"); i++) Timed();
            Console.WriteLine("ready");
            while (Console.ReadLine() is not null)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                double elapsed = Timed();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed:r} {(Environment.CpuUsage.TotalTime - before).TotalSeconds:r}"));
            }
        }

        if (options["vectors"].Length > 0) File.WriteAllBytes(options["vectors"], MemoryMarshal.AsBytes<float>([.. vectors.SelectMany(vector => vector)]).ToArray());
        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["tokens"] = tokens,
            ["peak_memory_mb"] = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0,
            ["cpu_seconds_until_loaded"] = ready,
            ["cpu_seconds"] = cpu.Take(1000),
            ["seconds"] = seconds.Take(1000),
        }));

        double Timed()
        {
            double before = Environment.CpuUsage.TotalTime.TotalSeconds;
            long start = Stopwatch.GetTimestamp();
            if (tokenizer is null) encode.Pass(ids, mask, batch, length, static (_, _) => { });
            else tokens = encode.Texts(texts, tokenizer, batch, length, vectors);
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            seconds.Add(elapsed);
            cpu.Add(Environment.CpuUsage.TotalTime.TotalSeconds - before);
            return elapsed;
        }
    }

    public void Dispose()
    {
        run.Dispose();
        session.Dispose();
    }

    private void Pass(long[] ids, long[] mask, int batch, int length, Action<ReadOnlySpan<float>, int> use)
    {
        long[] shape = [batch, length];
        using OrtValue idValue = OrtValue.CreateTensorValueFromMemory(ids, shape), maskValue = OrtValue.CreateTensorValueFromMemory(mask, shape);
        using OrtValue types = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], shape);
        OrtValue[] values = [.. inputs.Select(name => name.Contains("mask", StringComparison.Ordinal) ? maskValue : name.Contains("type", StringComparison.Ordinal) ? types : idValue)];
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, inputs, values, outputs);
        ReadOnlySpan<float> hidden = results[0].GetTensorDataAsSpan<float>();
        use(hidden, hidden.Length / ids.Length);
    }

    /// <summary>Texts to vectors: batches of similar length, padded to their longest; the mean of the hidden states, of length 1.</summary>
    private int Texts(string[] texts, BertTokenizer tokenizer, int batch, int length, float[][] vectors)
    {
        IReadOnlyList<int>[] encoded = [.. texts.Select(text => tokenizer.EncodeToIds(text, length, out _, out _))];
        int[] order = [.. Enumerable.Range(0, texts.Length).OrderBy(i => encoded[i].Count)];
        foreach (int[] part in order.Chunk(batch))
        {
            int longest = part.Max(i => encoded[i].Count);
            long[] ids = new long[part.Length * longest], mask = new long[ids.Length];
            for (int row = 0; row < part.Length; row++)
            {
                IReadOnlyList<int> own = encoded[part[row]];
                for (int i = 0; i < own.Count; i++) (ids[(row * longest) + i], mask[(row * longest) + i]) = (own[i], 1);
            }

            Pass(ids, mask, part.Length, longest, (hidden, width) =>
            {
                for (int row = 0; row < part.Length; row++)
                {
                    var vector = new float[width];
                    for (int i = 0; i < encoded[part[row]].Count; i++) TensorPrimitives.Add(vector, hidden.Slice(((row * longest) + i) * width, width), vector);
                    TensorPrimitives.Divide(vector, TensorPrimitives.Norm<float>(vector), vector);
                    vectors[part[row]] = vector;
                }
            });
        }

        return encoded.Sum(ids => ids.Count);
    }
}
