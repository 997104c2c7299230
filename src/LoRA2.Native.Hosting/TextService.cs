using System.Diagnostics;
using System.Diagnostics.Metrics;
using LoRA2.Native.Data;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Hosting.Models;
using LoRA2.Native.Hosting.Queueing;
using LoRA2.Native.Hosting.Telemetry;
using LoRA2.Native.Inference;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoRA2.Native.Hosting;

/// <summary>
/// A model with its adapters that answers many callers at a time: their texts wait in one bounded queue and are computed in batches. Any number of threads may call. A call that is cancelled
/// ends at once, and what it asked for is not computed if it still waits. Disposal refuses further calls and ends when those that were taken are answered.
/// </summary>
/// <example><code>
/// await using var service = TextService.Load(new LoRA2Options { ModelFolder = "bert-base", Adapters = { ["intents"] = "my-adapter" } });
/// Prediction answer = await service.PredictAsync("My parcel never arrived.", request: new TextRequest { Adapter = "intents" });
/// </code></example>
public sealed class TextService : IAsyncDisposable, IDisposable
{
    /// <summary>Characters that are tokenized on the caller's thread; more are left to the thread pool.</summary>
    private const int CharactersAtOnce = 1 << 14;

    private const string Rerank = "rerank";

    private readonly ILogger logger;
    private readonly SharedModel model;
    private readonly BatchQueue<QueuedText> queue;
    private readonly ServiceTelemetry telemetry;
    private readonly TimeSpan deadline;
    private int ended;

    private TextService(string name, SharedModel model, LoRA2Options options, ILogger logger, IMeterFactory? meters)
    {
        Name = name;
        this.model = model;
        this.logger = logger;
        deadline = options.Deadline;
        ModelFolder = options.ModelFolder;
        Precision = options.Precision.ToString().ToLowerInvariant();
        MaxQueuedTexts = options.MaxQueuedTexts;
        telemetry = new ServiceTelemetry(name, logger, meters);
        Limits = new BatchLimits(options.MaxBatchTokens, options.MaxBatchTexts, options.MaxQueuedTexts, options.Workers ?? Math.Max(1, Environment.ProcessorCount / Compute.Threads));
        queue = new BatchQueue<QueuedText>(Limits, model.Answer, telemetry);
        telemetry.Watch(() => queue.Waiting, () => model.Adapters.Count);
    }

    /// <summary>What the model is called.</summary>
    public string Name { get; }

    /// <summary>The names of the adapters that answer at the moment, in order.</summary>
    public IReadOnlyList<string> Adapters => [.. model.Adapters.Select(static adapter => adapter.Name)];

    /// <summary>Texts that wait.</summary>
    public int QueuedTexts => queue.Waiting.Items;

    /// <summary>Texts that may wait.</summary>
    public int MaxQueuedTexts { get; }

    /// <summary>Whether calls are taken: it was not disposed of.</summary>
    public bool IsOpen => !queue.IsClosed;

    /// <summary>The model's folder, as it was given.</summary>
    internal string ModelFolder { get; }

    /// <summary>Whether the model's files are those that it was loaded from; some adapters can't be added without them.</summary>
    internal bool HasItsFiles => model.HasItsFiles;

    internal BatchLimits Limits { get; }

    /// <summary>Loads a model and its adapters.</summary>
    /// <param name="options">Which, and what the service holds itself to.</param>
    /// <param name="logging">Where it logs, or null.</param>
    /// <param name="meters">What makes its meter; null for a meter of its own.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InputException">A file is missing or damaged, or an adapter does not fit the model.</exception>
    public static TextService Load(LoRA2Options options, ILoggerFactory? logging = null, IMeterFactory? meters = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (LoRA2OptionsValidator.Failures(options) is [var first, ..]) throw new ArgumentException(first, nameof(options));
        ILogger logger = logging?.CreateLogger<TextService>() ?? (ILogger)NullLogger.Instance;
        string name = options.ModelName ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.ModelFolder)));
        if (options.Threads is { } threads) Compute.Threads = threads;
        long start = Stopwatch.GetTimestamp();
        SharedModel model = new SharedModel(options, name);
        TextService? service = null;
        try
        {
            string[] abilities;
            using (Tenant alone = model.Tenant(null)) abilities = [.. Abilities(alone)];
            service = new TextService(name, model, options, logger, meters);
            HostingLog.Loaded(logger, name, options.ModelFolder, Stopwatch.GetElapsedTime(start).TotalMilliseconds, abilities.Length == 0 ? "answers by adapters only" : string.Join(", ", abilities), service.Limits.Workers, service.Limits.BatchTokens, Compute.Threads, Compute.Describe(options.Precision));
            foreach (string doubt in model.Doubts) HostingLog.ModelDoubted(logger, name, doubt);
            foreach ((string adapter, string folder) in options.Adapters) service.Put(adapter, folder);
            return service;
        }
        catch
        {
            if (service is not null) service.Dispose();
            else model.Dispose();
            throw;
        }
    }

    /// <summary>Whether the model, or an adapter, predicts labels or numbers of whole texts.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    public bool Predicts(string? adapter = null) => TaskOf(adapter) is not null;

    /// <summary>Whether the model, or an adapter, makes vectors.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    public bool Embeds(string? adapter = null) => adapter is null ? model.OwnVectors : model.Find(adapter).Task.Kind is EmbeddingsTask;

    /// <summary>What the model, or an adapter, predicts; null where it predicts nothing.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    public TaskDescription? TaskOf(string? adapter = null) => adapter is null ? model.OwnTask : model.Find(adapter).Task is { Kind: not EmbeddingsTask } task ? task : null;

    /// <summary>What a model says of one text or pair.</summary>
    /// <inheritdoc cref="PredictAsync(IReadOnlyList{Example}, TextRequest?, CancellationToken)"/>
    public Task<Prediction> PredictAsync(string text, string? pair = null, TextRequest? request = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Single(PredictAsync([new Example(text, pair)], request, cancellation));
    }

    /// <summary>What a model says of texts or pairs, in their order.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    /// <exception cref="InputException">The adapter's folder, which was to be read again, is not what it was; or the model's own answer overflows, or its tokenizer is another's.</exception>
    /// <exception cref="NotSupportedException">The model predicts nothing.</exception>
    /// <exception cref="TextTooLongException">A text is too long, and was not to be cut.</exception>
    /// <exception cref="QueueFullException">Too many texts wait already.</exception>
    /// <exception cref="TimeoutException">There was no answer in time.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The service was disposed.</exception>
    public Task<IReadOnlyList<Prediction>> PredictAsync(IReadOnlyList<Example> examples, TextRequest? request = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(examples);
        return Answers(AnswerAsync("classify", examples, request ?? new TextRequest(), cancellation));
    }

    /// <summary>The vector of a text.</summary>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, TextRequest?, CancellationToken)"/>
    public Task<TextVector> EmbedAsync(string text, TextRequest? request = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Single(EmbedAsync([text], request, cancellation));
    }

    /// <summary>The vectors of texts, in their order.</summary>
    /// <exception cref="NotSupportedException">The model makes no vectors.</exception>
    /// <exception cref="ArgumentException">There is no such prompt, or there are not so many dimensions.</exception>
    /// <inheritdoc cref="PredictAsync(IReadOnlyList{Example}, TextRequest?, CancellationToken)"/>
    public Task<IReadOnlyList<TextVector>> EmbedAsync(IReadOnlyList<string> texts, TextRequest? request = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        request ??= new TextRequest();
        return EmbedAsync(texts.Sum(static text => (long)text.Length), texts.Count, (tenant, i) =>
        {
            EmbeddingSettings settings = tenant.Embeds!;
            return tenant.Tokenise(TextWork.Embed, settings.TextOf(texts[i], PromptOf(tenant, settings, request.Prompt)), null, request.Truncates, i);
        }, request, cancellation);
    }

    /// <summary>The texts that fit a query best, the best first; of equal ones the earlier.</summary>
    /// <exception cref="NotSupportedException">The model is no reranker: it has one output, or two classes of which the second is that a text fits.</exception>
    /// <inheritdoc cref="PredictAsync(IReadOnlyList{Example}, TextRequest?, CancellationToken)"/>
    public Task<IReadOnlyList<RankedText>> RankAsync(string query, IReadOnlyList<string> texts, TextRequest? request = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(texts);
        return Ranked(FitAsync(query, texts, request ?? new TextRequest(), cancellation));
        static async Task<IReadOnlyList<RankedText>> Ranked(Task<IReadOnlyList<Prediction>> answers) => TextReranker.Ranked(await answers.ConfigureAwait(false));
    }

    /// <summary>The tokens of a text or pair, special ones among them; nothing is cut. An adapter, whose tokens are the model's, stays in memory or out of it.</summary>
    /// <exception cref="UnknownAdapterException">There is no such adapter.</exception>
    /// <exception cref="ObjectDisposedException">The service was disposed.</exception>
    public PlacedInput Tokenize(string text, string? pair = null, string? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ObjectDisposedException.ThrowIf(queue.IsClosed, this);
        if (adapter is not null) model.Find(adapter);
        return model.Tokenizer.EncodePlaced(text, pair);
    }

    /// <summary>Adds an adapter, or puts it in another's place, while calls are answered: each by the one that was there when it came.</summary>
    /// <param name="name">What calls will name it by.</param>
    /// <param name="folder">The adapter's folder, in PEFT's layout.</param>
    /// <param name="cancellation">Gives up before it is loaded.</param>
    /// <returns>Whether it has replaced one.</returns>
    /// <exception cref="InputException">The folder is damaged, the adapter does not fit the model, or the name is the model's; nothing has changed then.</exception>
    /// <exception cref="ArgumentException">The name is no name for an adapter.</exception>
    public Task<bool> PutAdapterAsync(string name, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!AdapterNames.IsName(name)) throw new ArgumentException($"an adapter was to be called {Quote.Name(name)}; {AdapterNames.Rule} was expected", nameof(name));
        return Task.Run(() => Put(name, folder), cancellation);
    }

    /// <summary>Takes an adapter away; calls that have come are still answered by it.</summary>
    /// <returns>Whether there was one.</returns>
    public bool RemoveAdapter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!model.Remove(name)) return false;
        HostingLog.AdapterRemoved(logger, Name, name);
        return true;
    }

    /// <summary>Refuses further calls, answers those that were taken, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        await queue.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref ended, 1) != 0) return;
        model.Dispose();
        telemetry.Dispose();
        HostingLog.Ended(logger, Name);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>The precision of the encoder's matrix products, by its usual name.</summary>
    internal string Precision { get; }

    /// <summary>Numbers in the model's vectors; null where it makes none.</summary>
    internal int? Dimensions
    {
        get
        {
            using Tenant tenant = model.Tenant(null);
            return tenant.Embeds is null ? null : tenant.Dimensions;
        }
    }

    /// <summary>What is known of the adapters, in the names' order.</summary>
    internal IReadOnlyList<HostedAdapter> Hosted => model.Adapters;

    internal Tenant Tenant(string? adapter) => model.Tenant(adapter);

    /// <summary>What a reranker says of each text beside a query, in the texts' order.</summary>
    internal Task<IReadOnlyList<Prediction>> FitAsync(string query, IReadOnlyList<string> texts, TextRequest request, CancellationToken cancellation) =>
        Answers(AnswerAsync(Rerank, [.. texts.Select(text => new Example(query, text))], request, cancellation));

    /// <summary>As <see cref="PredictAsync(IReadOnlyList{Example}, TextRequest?, CancellationToken)"/>, with what the version that answered predicts: by the time of the answer the adapter may be another.</summary>
    internal Task<(TaskDescription Task, IReadOnlyList<Prediction> Answers)> AnswerAsync(IReadOnlyList<Example> examples, TextRequest request, CancellationToken cancellation) =>
        AnswerAsync("classify", examples, request, cancellation);

    /// <summary>As <see cref="EmbedAsync(IReadOnlyList{string}, TextRequest?, CancellationToken)"/>, of texts that are tokens already.</summary>
    internal Task<IReadOnlyList<TextVector>> EmbedAsync(IReadOnlyList<int[]> tokens, TextRequest request, CancellationToken cancellation) =>
        EmbedAsync(0, tokens.Count, (tenant, i) => tenant.Take(TextWork.Embed, tokens[i], request.Truncates, i), request, cancellation);

    private static IEnumerable<string> Abilities(Tenant tenant)
    {
        if (tenant.Task is { } task) yield return $"predicts ({task.Kind.Name})";
        if (tenant.Embeds is { } settings) yield return $"makes vectors ({PoolingNames.NameOf(settings.Pooling)})";
    }

    private static string PromptOf(Tenant tenant, EmbeddingSettings settings, string? name)
    {
        name ??= settings.DefaultPrompt;
        if (name is null) return "";
        return settings.Prompts.TryGetValue(name, out string? prompt)
            ? prompt
            : throw new ArgumentException($"{tenant.Name} has no prompt {Quote.Name(name)}; {(settings.Prompts.Count == 0 ? "it has none" : $"it has {string.Join(", ", settings.Prompts.Keys)}")}");
    }

    private bool Put(string name, string folder)
    {
        ObjectDisposedException.ThrowIf(queue.IsClosed, this);
        long start = Stopwatch.GetTimestamp();
        try
        {
            if (name == Name) throw new InputException($"an adapter was to be called '{name}', which is the model's own name");
            HostedAdapter adapter = model.Put(name, folder, out bool replaces);
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (replaces) HostingLog.AdapterReplaced(logger, Name, name, folder, milliseconds);
            else HostingLog.AdapterAdded(logger, Name, name, folder, milliseconds);
            foreach (string doubt in AdapterDoubts.Of(adapter)) HostingLog.AdapterDoubted(logger, Name, name, doubt);
            return replaces;
        }
        catch (Exception e)
        {
            HostingLog.AdapterRefused(logger, Name, name, e.Message);
            throw;
        }
    }

    private static async Task<T> Single<T>(Task<IReadOnlyList<T>> answers) => (await answers.ConfigureAwait(false))[0];

    private static async Task<IReadOnlyList<Prediction>> Answers(Task<(TaskDescription, IReadOnlyList<Prediction> Answers)> both) => (await both.ConfigureAwait(false)).Answers;

    private Task<(TaskDescription Task, IReadOnlyList<Prediction> Answers)> AnswerAsync(string operation, IReadOnlyList<Example> examples, TextRequest request, CancellationToken cancellation) =>
        telemetry.Measure(operation, request.Adapter, examples.Count, async () =>
        {
            using Tenant tenant = await TakeAsync(request.Adapter, examples.Count, cancellation).ConfigureAwait(false);
            tenant.Require(TextWork.Predict);
            TaskDescription task = tenant.Task!;
            if (operation == Rerank && TextReranker.WhyNot(task.Kind, task.Outputs) is { } fault) throw new NotSupportedException($"{tenant.Name} {fault}");
            QueuedText[] texts = await ComputeAsync(
                examples.Sum(static example => (long)example.Text.Length + (example.Pair?.Length ?? 0)), examples.Count,
                i => tenant.Tokenise(TextWork.Predict, examples[i].Text, examples[i].Pair, request.Truncates, i), request, cancellation).ConfigureAwait(false);
            // Several numbers need no names, so that only the answers say how many there are.
            if (operation == Rerank && texts.Length > 0 && TextReranker.WhyNot(task.Kind, texts[0].Answer.Length) is { } many) throw new NotSupportedException($"{tenant.Name} {many}");
            IReadOnlyList<Prediction> answers = [.. texts.Select(text => task.Kind.Interpret(text.Answer, task.LabelNames, text.IsCut) with { Tokens = text.Ids.Length, Logits = text.Answer })];
            return ((task, answers), Tokens(texts), Cut(tenant, TextWork.Predict, texts));
        });

    private Task<IReadOnlyList<TextVector>> EmbedAsync(long characters, int count, Func<Tenant, int, QueuedText> tokenise, TextRequest request, CancellationToken cancellation) =>
        telemetry.Measure("embeddings", request.Adapter, count, async () =>
        {
            using Tenant tenant = await TakeAsync(request.Adapter, count, cancellation).ConfigureAwait(false);
            tenant.Require(TextWork.Embed);
            if (request.Dimensions is { } asked && (asked < 1 || asked > tenant.Dimensions))
                throw new ArgumentException($"vectors of {asked} dimensions were asked for; 1 to {tenant.Dimensions} can be");
            QueuedText[] texts = await ComputeAsync(characters, count, i => tokenise(tenant, i), request, cancellation).ConfigureAwait(false);
            bool normalises = request.Normalises ?? tenant.Embeds!.Normalises;
            IReadOnlyList<TextVector> vectors = [.. texts.Select(text => new TextVector(TextVector.First(text.Answer, request.Dimensions ?? text.Answer.Length, normalises), text.Ids.Length, text.IsCut))];
            return (vectors, Tokens(texts), Cut(tenant, TextWork.Embed, texts));
        });

    /// <summary>Who answers a call. An adapter that is not in memory is read on the thread pool; not for more texts than the queue has room for.</summary>
    private Task<Tenant> TakeAsync(string? adapter, int count, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(queue.IsClosed, this);
        if (count > MaxQueuedTexts) throw new ArgumentException($"{count:N0} texts were given at once; at most {MaxQueuedTexts:N0} can be");
        queue.RequireRoom(count);
        return model.IsResident(adapter) ? Task.FromResult(model.Tenant(adapter)) : Task.Run(() => model.Tenant(adapter), cancellation);
    }

    /// <summary>Tokenizes texts, and waits until they are computed.</summary>
    private async Task<QueuedText[]> ComputeAsync(long characters, int count, Func<int, QueuedText> tokenise, TextRequest request, CancellationToken cancellation)
    {
        QueuedText[] Tokenised()
        {
            var texts = new QueuedText[count];
            for (int i = 0; i < count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                texts[i] = tokenise(i);
            }

            return texts;
        }

        QueuedText[] texts = characters > CharactersAtOnce ? await Task.Run(Tokenised, cancellation).ConfigureAwait(false) : Tokenised();
        await queue.RunAsync(texts, request.Deadline ?? deadline, cancellation).ConfigureAwait(false);
        return texts;
    }

    private static long Tokens(QueuedText[] texts) => texts.Sum(static text => (long)text.Ids.Length);

    private int Cut(Tenant tenant, TextWork work, QueuedText[] texts)
    {
        int cut = texts.Count(static text => text.IsCut);
        if (cut > 0) HostingLog.Cut(logger, cut, texts.Length, tenant.MaxLengthFor(work), tenant.Name);
        return cut;
    }
}
