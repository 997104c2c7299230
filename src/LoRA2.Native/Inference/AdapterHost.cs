using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tasks.Kinds;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tokenizers;
using LoRA2.Native.Training;

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
/// <see cref="ObjectDisposedException"/>. A call that is cancelled ends with <see cref="OperationCanceledException"/> before its next batch: a batch is never broken off.
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
    private readonly AdapterReader reader;
    private readonly AdapterShelf shelf;

    private AdapterHost(SequenceClassifier model, Tokenizer tokenizer, AdapterVersion own, InputException? whyNotOwn, AdapterReader reader, AdapterShelf shelf)
    {
        (this.model, Tokenizer, this.own, this.whyNotOwn, this.reader, this.shelf) = (model, tokenizer, own, whyNotOwn, reader, shelf);
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
        TaskDescription? task = TaskDescription.Read(modelFolder);
        EncoderConfig? config = null;
        SequenceClassifier model = SequenceClassifier.FromFolder(
            modelFolder,
            found =>
            {
                config = found;
                return task is null ? found : found with { Task = task.Kind.ForModel(modelFolder, task.MaxLength), Labels = task.Outputs, LabelNames = task.LabelNames };
            },
            precision: precision);
        try
        {
            model.FreezeBase();
            Tokenizer tokenizer = Tokenizer.FromFolder(modelFolder);
            var reader = new AdapterReader(modelFolder, model, config!, tokenizer, options.MaxLength);
            TaskDescription own = task ?? TextModel.Described(model.Config);
            return new AdapterHost(
                model, tokenizer, AdapterVersion.OfBase(model, own, TextModel.LengthOf(model.Config, tokenizer, own, options.MaxLength)), WhyNot(modelFolder, model, own), reader, new AdapterShelf(reader.Read, options));
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
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(adapterFolder);
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
        cancellation.ThrowIfCancellationRequested();
        var taken = new Dictionary<string, AdapterVersion>();
        var faults = new Dictionary<string, InputException>();
        try
        {
            var versions = new AdapterVersion?[requests.Count];
            var errors = new InputException?[requests.Count];
            for (int i = 0; i < requests.Count; i++)
            {
                if (requests[i].Text is null) throw new ArgumentException($"request {i} has no text", nameof(requests));
                versions[i] = VersionFor(requests[i].Adapter, taken, faults, out errors[i]);
            }

            return new AdapterPass(model, Tokenizer, requests, versions, errors).Run(batchSize, cancellation);
        }
        finally
        {
            foreach (AdapterVersion version in taken.Values) version.Release();
        }
    }

    /// <summary>Frees the model and all adapters, when the calls that are under way have ended.</summary>
    public void Dispose()
    {
        model.Dispose();
        shelf.Clear();
    }

    /// <summary>The version of an adapter, or of the model without one, for the caller to release: for passes over texts that are tokens already.</summary>
    /// <exception cref="InputException">There is no adapter of that name, its folder is not what it was, or the model has no head.</exception>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    internal AdapterVersion Take(string? name)
    {
        using ModelAccess.Lease held = model.Hold();
        return name is not null ? shelf.Take(name) : whyNotOwn is null ? own.Retain() : throw whyNotOwn;
    }

    /// <summary>The model without an adapter as one that makes vectors, for the caller to release before the host is disposed.</summary>
    internal AdapterVersion Vectors(EmbeddingsTask kind)
    {
        using ModelAccess.Lease held = model.Hold();
        return reader.Vectors(kind);
    }

    /// <summary>The heads' outputs for tokenized texts, each by a version that the caller keeps meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">The host was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled, before a batch.</exception>
    internal float[][] Outputs(IReadOnlyList<AdapterVersion> versions, TokenizedDataset data, int batchSize, CancellationToken cancellation)
    {
        using ModelAccess.Lease held = model.Hold();
        return AdapterPass.Outputs(model, versions, data, batchSize, cancellation);
    }

    private AdapterVersion? VersionFor(string? name, Dictionary<string, AdapterVersion> taken, Dictionary<string, InputException> faults, out InputException? error)
    {
        error = null;
        if (name is null)
        {
            error = whyNotOwn;
            return error is null ? own : null;
        }

        if (taken.TryGetValue(name, out AdapterVersion? version)) return version;
        if (faults.TryGetValue(name, out error)) return null;
        try
        {
            return taken[name] = shelf.Take(name);
        }
        catch (InputException e)
        {
            error = faults[name] = e;
            return null;
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
