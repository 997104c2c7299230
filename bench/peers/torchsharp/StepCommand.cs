using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace LoRA2.Native.Peers.Torch;

/// <summary>A training step or an inference of a shape with random weights: the options of our own `step`, and bench/turns.py's protocol.</summary>
internal static class StepCommand
{
    public static void Run(Dictionary<string, string> options)
    {
        set_num_threads(Int("threads"));
        random.manual_seed(1);
        bool deberta = options["model"] == "deberta", inference = options["method"] == "inference", casts = options["dtype"] == "bfloat16";
        var shape = new EncoderShape(options["model"], Int("layers"), Int("hidden"), Int("intermediate"), Int("heads"), Int("vocabulary"), deberta ? 0 : 1, deberta ? 1e-7 : 1e-5, 256, 512);
        long creation = Stopwatch.GetTimestamp();
        Weights weights = Weights.Random(shape);
        if (options["method"] == "lora") weights.Attach(Int("rank"));
        if (inference) weights.Freeze();
        if (options["dtype"] == "pure-bfloat16") weights.ToBFloat16();
        TimeSpan created = Stopwatch.GetElapsedTime(creation);
        var encoder = new Encoder(shape, weights) { Dropout = inference ? 0 : double.Parse(options["dropout"], CultureInfo.InvariantCulture), IsCast = casts };
        (int batch, int length) = (Int("batch"), Int("length"));
        Tensor ids = tensor([.. Enumerable.Range(0, batch * length).Select(i => 5L + (i * 7919 % (shape.Vocabulary - 5)))]).reshape(batch, length);
        Tensor labels = tensor([.. Enumerable.Range(0, batch).Select(i => i % 2L)]);
        using optim.Optimizer? optimizer = inference ? null : optim.AdamW(weights.Trainable.Select(pair => pair.Value), lr: 1e-4, weight_decay: 0.01);
        var seconds = new List<double>();
        double first = 0;
        for (int i = 0; i < Int("warmup"); i++) Timed();
        seconds.Clear();
        if (options["serve"] == "true")
        {
            Timed();
            Console.WriteLine("ready");
            while (Console.ReadLine() is not null)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                double elapsed = Timed();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{elapsed:r} {(Environment.CpuUsage.TotalTime - before).TotalSeconds:r}"));
            }
        }
        else
        {
            for (int i = 0; i < Int("steps"); i++) Timed();
        }

        double[] sorted = [.. seconds.Order()];
        Console.WriteLine(JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["engine"] = "TorchSharp",
            ["tokens"] = batch * length,
            ["trainable"] = weights.Trainable.Sum(pair => pair.Value.numel()),
            ["seconds_median"] = sorted.Length == 0 ? 0 : sorted[sorted.Length / 2],
            ["seconds"] = seconds,
            ["seconds_from_start_to_first_step"] = first,
            ["peak_memory_mb"] = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0,
        }));

        int Int(string name) => int.Parse(options[name], CultureInfo.InvariantCulture);

        double Timed()
        {
            long start = Stopwatch.GetTimestamp();
            using (NewDisposeScope())
            {
                if (optimizer is null)
                {
                    using var none = inference_mode();
                    using Autocast.Region cast = Autocast.Begin(casts);
                    encoder.Forward(ids, null, null);
                }
                else
                {
                    Tensor loss;
                    using (Autocast.Begin(casts)) loss = encoder.Forward(ids, null, labels).Loss!;
                    loss.backward();
                    optimizer.step();
                    optimizer.zero_grad();
                    if (!float.IsFinite(loss.item<float>())) throw new InvalidOperationException("the loss is not finite");
                }
            }

            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (first == 0) first = (DateTime.Now - Process.GetCurrentProcess().StartTime - created).TotalSeconds;
            seconds.Add(elapsed);
            return elapsed;
        }
    }
}
