using LoRA2.Native.Embeddings;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;

namespace LoRA2.Native.Inference;

/// <summary>
/// One base model, many adapters: the frozen weights are in memory once, and packed once; an adapter of any method and rank, with its own head, labels and length, costs what its own tensors
/// weigh. Adapters are put here, replaced and taken away while requests run, and the rows of one batch may be different adapters'.
/// </summary>
/// <remarks>
/// <para>
/// Threads: every member may be called from any number of threads at once. A call of <see cref="Answer"/> or <see cref="Predict(IReadOnlyList{AdapterRequest}, int, CancellationToken)"/> takes one
/// version of each adapter that it names when it begins, and keeps it to its end: whatever is put or removed meanwhile, no answer is a mix of two. A version that was replaced, removed or put out of
/// memory is freed when the last call that uses it has ended. <see cref="Dispose"/> waits for the calls that have begun, which end with their answers; those that come later throw
/// <see cref="ObjectDisposedException"/>, also with an <see cref="AdapterLease"/> taken before. A call that is cancelled ends with <see cref="OperationCanceledException"/> before its next batch: a batch is never broken off.
/// </para>
/// <para>
/// Answers: alone in its batches an adapter gives the bits that <see cref="TextClassifier"/> gives with it, wherever that computes the same products (LoRA, rsLoRA, AdaLoRA, SoRA, VeRA, DoRA,
/// BitFit, LoRA2 with k ≤ r; the others' factors are multiplied in another order); what shares its batches changes an answer by no more than float32's rounding, as padding does.
/// </para>
/// </remarks>
/// <example><code>
/// using var host = AdapterHost.Load("all-MiniLM-L6-v2");
/// host.Put("tickets", "adapters/tickets");
/// host.Put("reviews", "adapters/reviews");
/// IReadOnlyList&lt;Prediction&gt; answers = host.Predict([new("tickets", "My parcel never arrived."), new("reviews", "A good film.")]);
/// </code></example>
public sealed class AdapterHost : IDisposable
{
    private readonly SequenceClassifier model;
    private readonly AdapterVersion own;
    private readonly InputException? whyNotOwn;
    private AdapterVersion? vectors;
    private readonly AdapterReader reader;
    private readonly AdapterShelf shelf;

    private AdapterHost(SequenceClassifier model, Tokenizer tokenizer, AdapterVersion own, InputException? whyNotOwn, AdapterVersion? vectors, AdapterReader reader, AdapterShelf shelf)
    {
        (this.model, Tokenizer, this.own, this.whyNotOwn, this.vectors, this.reader, this.shelf) = (model, tokenizer, own, whyNotOwn, vectors, reader, shelf);
        Config = model.Config;
    }

    /// <summary>The base model's shape.</summary>
    public EncoderConfig Config { get; }

    /// <summary>The base model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>What the model predicts without an adapter, by the head of its own folder; null where that has none.</summary>
    public TaskDescription? OwnTask => whyNotOwn is null ? own.Task : null;

    /// <summary>The adapters, in the names' order.</summary>
    public IReadOnlyList<HostedAdapter> Adapters => shelf.All;

    /// <summary>Whether the model's files are those that it was loaded from, which adapters' heads may take tensors of.</summary>
    internal bool HasItsFiles
    {
        get
        {
            try
            {
                return reader.HasBase;
            }
            catch (InputException)
            {
                return false;
            }
        }
    }

    /// <summary>What is to be known of the model's files, each a sentence, see <see cref="SequenceClassifier.Warnings"/>.</summary>
    public IReadOnlyList<string> Warnings => model.Warnings;

    /// <summary>Loads a HuggingFace folder.</summary>
    /// <param name="modelFolder">The model's folder. It has to stay as it is: adapters' heads may take tensors of it that the model by itself has no use for.</param>
    /// <param name="precision">The precision of the encoder's matrix products.</param>
    /// <param name="options">How adapters are kept; null for all in memory.</param>
    /// <exception cref="InputException">A file is missing or damaged, or an option is out of its range.</exception>
    public static AdapterHost Load(string modelFolder, Precision precision = Precision.Float32, AdapterHostOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFolder);
        options ??= new AdapterHostOptions();
        if (options.MaxResident < 1) throw new InputException($"at most {options.MaxResident} adapters in memory were asked for; at least 1 can be");
        if (options.MaxResidentBytes < 1) throw new InputException($"at most {options.MaxResidentBytes} bytes of adapters in memory were asked for; at least 1 can be");
        SentenceFolder sentences = SentenceFolder.Read(modelFolder);
        string transformer = sentences.Transformer;
        TaskDescription? task = TaskDescription.Read(transformer);
        EncoderConfig? config = null;
        SequenceClassifier model = SequenceClassifier.FromFolder(
            transformer,
            found =>
            {
                config = found;
                return LoadedModel.Fitted(found, null, transformer, task, null);
            },
            precision: precision);
        try
        {
            model.FreezeBase();
            Tokenizer tokenizer = Tokenizer.FromFolder(transformer);
            model.Check(tokenizer);
            var reader = new AdapterReader(sentences, model, config!, tokenizer, options);
            TaskDescription described = task ?? TextModel.Described(model.Config);
            AdapterVersion own = AdapterVersion.OfBase(model, described, TextModel.LengthOf(model.Config, tokenizer, described, options.MaxLength));
            InputException? whyNotOwn = WhyNot(modelFolder, model, described);
            bool embeds = SentenceFolder.Exists(modelFolder) || options.Pooling is not null || (options.EmbedsWithoutHead && whyNotOwn is not null);
            return new AdapterHost(model, tokenizer, own, whyNotOwn, embeds ? reader.Embedder() : null, reader, new AdapterShelf(reader.Read, options));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Puts an adapter here, or in the place of the one of that name, at once for all requests that begin later. The folder is read and checked whole before: when it has a fault, all stays as it
    /// was.
    /// </summary>
    /// <param name="name">What requests call it.</param>
    /// <param name="adapterFolder">The adapter's folder. Where adapters may be put out of memory it has to stay as it is.</param>
    /// <exception cref="InputException">A file is missing or damaged, or the adapter does not fit the model.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    public HostedAdapter Put(string name, string adapterFolder)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        using ModelAccess.Lease held = model.Hold();
        return shelf.Put(name, adapterFolder);
    }

    /// <summary>Takes an adapter away; false where there is none of that name. Calls that have begun end with it.</summary>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    public bool Remove(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        using ModelAccess.Lease held = model.Hold();
        return shelf.Remove(name);
    }

    /// <summary>The adapter of that name, or null.</summary>
    public HostedAdapter? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return shelf.Find(name);
    }

    /// <summary>Answers one text or pair.</summary>
    /// <inheritdoc cref="Predict(IReadOnlyList{AdapterRequest}, int, CancellationToken)" path="/exception"/>
    public Prediction Predict(string? adapter, string text, string? pair = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Predict([new AdapterRequest(adapter, text, pair)])[0];
    }

    /// <summary>As <see cref="Answer"/>, where all have to have a prediction.</summary>
    /// <param name="requests">The texts, each with its adapter's name.</param>
    /// <param name="batchSize">Texts computed together.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="InputException">There is no adapter of a name, its folder is not what it was, it makes vectors, or it gives no finite answer.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Prediction> Predict(IReadOnlyList<AdapterRequest> requests, int batchSize = 32, CancellationToken cancellation = default) =>
        [.. Answer(requests, batchSize, cancellation).Select(answer => answer.Error is { } error ? throw new InputException(error.Message, error) : answer.Prediction ?? throw new InputException("the adapter makes vectors of texts and says nothing of them"))];

    /// <summary>Answers texts of any adapters, in batches of similar length; one whose adapter is at fault says so and leaves the others their answers.</summary>
    /// <param name="requests">The texts, each with its adapter's name.</param>
    /// <param name="batchSize">Texts computed together, whichever adapters they are for.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <returns>In the requests' order.</returns>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<AdapterAnswer> Answer(IReadOnlyList<AdapterRequest> requests, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using ModelAccess.Lease held = model.Hold();
        var named = new NamedAdapters(this);
        try
        {
            var answers = new AdapterAnswer[requests.Count];
            var texts = new List<(int Request, AdapterTokens Tokens, bool IsCut)>();
            for (int i = 0; i < answers.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                AdapterRequest request = requests[i];
                if (request.Text is null) throw new ArgumentException($"request {i} has no text", nameof(requests));
                if (named.Take(request.Adapter, out InputException? fault) is { } lease) texts.Add((i, Tokenise(lease, request, out bool isCut), isCut));
                else answers[i] = new AdapterAnswer(null, null, fault, 0);
            }

            IReadOnlyList<AdapterOutput> outputs = Compute([.. texts.Select(text => text.Tokens)], batchSize, cancellation);
            foreach ((int place, (int request, AdapterTokens tokens, bool isCut)) in texts.Index()) answers[request] = Interpret(tokens, outputs[place], isCut);
            return answers;
        }
        finally
        {
            named.Release();
        }
    }

    /// <summary>Takes the version of an adapter that there is now, for texts that are computed later (<see cref="Compute"/>); to be disposed of.</summary>
    /// <param name="adapter">The adapter's name; null for the model without one, by the head of its own folder, or as a vector where it has none but a pooling.</param>
    /// <exception cref="InputException">There is no adapter of that name, its folder is not what it was, or the model has nothing to answer with.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    public AdapterLease Take(string? adapter)
    {
        using ModelAccess.Lease held = model.Hold();
        if (adapter is not null) return new AdapterLease(adapter, shelf.Take(adapter));
        AdapterVersion? version = whyNotOwn is null ? own : vectors;
        return version is null ? throw new InputException(whyNotOwn!.Message, whyNotOwn) : new AdapterLease(null, version.Retain());
    }

    /// <summary>The model without an adapter as what makes vectors, whatever head it has besides; null where its folder is not sentence-transformers' and no pooling was asked for.</summary>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    public AdapterLease? TakeEmbedder()
    {
        using ModelAccess.Lease held = model.Hold();
        return vectors is null ? null : new AdapterLease(null, vectors.Retain());
    }

    /// <summary>Computes tokens of any adapters, in batches of similar length; one whose adapter is at fault says so and leaves the others their outputs.</summary>
    /// <param name="texts">The tokens, each with who answers.</param>
    /// <param name="batchSize">Texts computed together, whichever adapters they are for.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <returns>In the texts' order.</returns>
    /// <exception cref="InputException">A token is none of the model's, or there are more than it takes.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed, or a lease was given back.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<AdapterOutput> Compute(IReadOnlyList<AdapterTokens> texts, int batchSize = 32, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using ModelAccess.Lease held = model.Hold();
        return new AdapterPass(model, texts).Run(batchSize, cancellation);
    }

    /// <summary>Frees the model and all adapters, when the calls that are under way have ended; what is on lease is freed with its lease.</summary>
    public void Dispose()
    {
        model.Dispose();
        shelf.Clear();
        Interlocked.Exchange(ref vectors, null)?.Release();
    }

    private AdapterTokens Tokenise(AdapterLease lease, in AdapterRequest request, out bool isCut)
    {
        List<int> ids = [], typeIds = [];
        string text = lease.Embeds is { } settings ? settings.TextOf(request.Text, settings.DefaultPrompt is { } prompt ? settings.Prompts[prompt] : "") : request.Text;
        isCut = Tokenizer.EncodePair(text, request.Pair, lease.MaxLength, ids, typeIds);
        return new AdapterTokens(lease, ids, typeIds);
    }

    private static AdapterAnswer Interpret(in AdapterTokens tokens, AdapterOutput output, bool isCut)
    {
        (AdapterLease lease, int count) = (tokens.Adapter, tokens.Ids.Count);
        if (output.Error is not null) return new AdapterAnswer(null, null, output.Error, lease.Version);
        return lease.Embeds is not null
            ? new AdapterAnswer(null, new TextVector(output.Values, count, isCut), null, lease.Version)
            : new AdapterAnswer(lease.Task.Kind.Interpret(output.Values, lease.Task.LabelNames, isCut) with { Tokens = count, Logits = output.Values }, null, null, lease.Version);
    }

    /// <summary>One lease for each name of a call, or its fault.</summary>
    private sealed class NamedAdapters(AdapterHost host)
    {
        // The model without an adapter has the key null in its tuple, which is another than the empty name.
        private readonly Dictionary<ValueTuple<string?>, (AdapterLease? Lease, InputException? Fault)> known = [];

        public AdapterLease? Take(string? adapter, out InputException? fault)
        {
            var name = new ValueTuple<string?>(adapter);
            if (!known.TryGetValue(name, out (AdapterLease? Lease, InputException? Fault) found)) known[name] = found = Taken(adapter);
            fault = found.Fault;
            return found.Lease;
        }

        public void Release()
        {
            foreach ((AdapterLease? lease, _) in known.Values) lease?.Dispose();
        }

        private (AdapterLease? Lease, InputException? Fault) Taken(string? adapter)
        {
            try
            {
                return (host.Take(adapter), null);
            }
            catch (InputException e)
            {
                return (null, e);
            }
        }
    }

    /// <summary>Why the model can't answer without an adapter, or null when it can.</summary>
    private static InputException? WhyNot(string folder, SequenceClassifier model, TaskDescription task)
    {
        try
        {
            model.RequireComplete();
            return task.Kind.AnswersTexts ? null : new InputException($"'{folder}': the model's task is {task.Kind} ({task.Kind.Title}); one whose answers are of whole texts was expected");
        }
        catch (InputException e)
        {
            return e;
        }
    }
}
