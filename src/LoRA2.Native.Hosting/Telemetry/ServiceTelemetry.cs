using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoRA2.Native.Hosting.Queueing;
using Microsoft.Extensions.Logging;

namespace LoRA2.Native.Hosting.Telemetry;

/// <summary>
/// A service's metrics and spans, under the names of OpenTelemetry's conventions for generative AI where these have one (gen_ai.*), and under <c>lora2.*</c> where not. The adapter is in spans
/// only: a metric with a series for each of a thousand tenants would help nobody.
/// </summary>
internal sealed class ServiceTelemetry : IBatchObserver, IDisposable
{
    private static readonly ActivitySource Activities = new(LoRA2Telemetry.ActivitySourceName);
    private readonly string model;
    private readonly ILogger logger;
    private readonly Meter meter;
    private readonly bool ownsMeter;
    private readonly Histogram<double> duration;
    private readonly Histogram<long> tokens;
    private readonly Histogram<double> wait;
    private readonly Histogram<double> batchTime;
    private readonly Histogram<long> batchTokens;
    private readonly Histogram<long> batchTexts;
    private readonly Counter<long> cutTexts;
    private readonly KeyValuePair<string, object?> modelTag;
    private volatile bool isOver;

    public ServiceTelemetry(string model, ILogger logger, IMeterFactory? meters)
    {
        this.model = model;
        this.logger = logger;
        modelTag = new("gen_ai.request.model", model);
        ownsMeter = meters is null;
        meter = meters?.Create(LoRA2Telemetry.MeterName) ?? new Meter(LoRA2Telemetry.MeterName);
        var seconds = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };
        var powers = new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 16384, 65536] };
        duration = meter.CreateHistogram("gen_ai.server.request.duration", "s", "Time from a call to its answer.", tags: null, advice: seconds);
        tokens = meter.CreateHistogram("gen_ai.client.token.usage", "{token}", "Tokens of a call's texts.", tags: null, advice: powers);
        wait = meter.CreateHistogram("lora2.queue.wait", "s", "Time a text waits for its batch.", tags: null, advice: seconds);
        batchTime = meter.CreateHistogram("lora2.batch.duration", "s", "Time a batch takes.", tags: null, advice: seconds);
        batchTokens = meter.CreateHistogram("lora2.batch.tokens", "{token}", "Tokens of a batch, padding counted.", tags: null, advice: powers);
        batchTexts = meter.CreateHistogram("lora2.batch.texts", "{text}", "Texts of a batch.", tags: null, advice: powers);
        cutTexts = meter.CreateCounter<long>("lora2.texts.cut", "{text}", "Texts that were longer than the model takes, and cut.");
    }

    /// <summary>Begins to show what waits and what is loaded. Listeners ask from the moment on which a gauge is there, so that what they are told by has to be whole by then.</summary>
    public void Watch(Func<(int Items, long Tokens)> waiting, Func<int> adapters)
    {
        meter.CreateObservableUpDownCounter("lora2.queue.texts", () => Shown(() => waiting().Items), "{text}", "Texts that wait.");
        meter.CreateObservableUpDownCounter("lora2.queue.tokens", () => Shown(() => waiting().Tokens), "{token}", "Tokens of the texts that wait.");
        meter.CreateObservableUpDownCounter("lora2.adapters", () => Shown(adapters), "{adapter}", "Adapters that are loaded.");
    }

    /// <summary>Does a call under a span, and measures it.</summary>
    /// <param name="operation">The operation: embeddings, classify or rerank.</param>
    /// <param name="adapter">Whose it is, or null.</param>
    /// <param name="texts">Its number of texts.</param>
    /// <param name="call">Does it, and returns its tokens and its texts that were cut with the answer.</param>
    public async Task<T> Measure<T>(string operation, string? adapter, int texts, Func<Task<(T Answer, long Tokens, int Cut)>> call)
    {
        using Activity? activity = Activities.StartActivity($"{operation} {model}", ActivityKind.Internal);
        activity?.SetTag("gen_ai.operation.name", operation).SetTag("gen_ai.provider.name", LoRA2Telemetry.ProviderName).SetTag("gen_ai.request.model", model).SetTag("lora2.texts", texts);
        if (adapter is not null) activity?.SetTag("lora2.adapter", adapter);
        long start = Stopwatch.GetTimestamp();
        var tags = new TagList { modelTag, new("gen_ai.operation.name", operation), new("gen_ai.provider.name", LoRA2Telemetry.ProviderName) };
        try
        {
            (T answer, long used, int cut) = await call().ConfigureAwait(false);
            activity?.SetTag("gen_ai.usage.input_tokens", used).SetTag("lora2.texts.cut", cut);
            if (cut > 0) cutTexts.Add(cut, modelTag);
            duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, tags);
            tags.Add("gen_ai.token.type", "input");
            tokens.Record(used, tags);
            return answer;
        }
        catch (Exception e)
        {
            string type = e.GetType().FullName!;
            activity?.SetTag("error.type", type).SetStatus(ActivityStatusCode.Error, e.Message);
            tags.Add("error.type", type);
            duration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, tags);
            if (e is QueueFullException or TimeoutException) HostingLog.Refused(logger, model, texts, e.Message);
            throw;
        }
    }

    public void Waited(TimeSpan time) => wait.Record(time.TotalSeconds, modelTag);

    public void Computing(int items, long paddedTokens)
    {
        batchTexts.Record(items, modelTag);
        batchTokens.Record(paddedTokens, modelTag);
    }

    public void Computed(TimeSpan time) => batchTime.Record(time.TotalSeconds, modelTag);

    public void Failed(Exception reason) => HostingLog.Failed(logger, reason, model);

    /// <summary>A factory disposes of its meters by itself, at its own end; until then the gauges show nothing.</summary>
    public void Dispose()
    {
        isOver = true;
        if (ownsMeter) meter.Dispose();
    }

    private Measurement<T>[] Shown<T>(Func<T> value)
        where T : struct
        => isOver ? [] : [new Measurement<T>(value(), modelTag)];
}
