using LoRA2.Native.Adapters;
using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tasks;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Autograd;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Inference;

/// <summary>One adapter as it was read once, for as many passes as ask; the last of its owners frees it.</summary>
internal sealed class AdapterVersion
{
    private readonly Action free;
    private int owners = 1;

    private AdapterVersion(SequenceClassifier model, bool isOwned, TaskDescription task, AdapterSettings settings, int maxLength, long number)
    {
        (Task, Settings, MaxLength, Number, Config, Head) = (task, settings, maxLength, number, model.Config, model.Head);
        Layers = [.. model.AdaptableLayers.Select(layer => layer.Adapter as Adapter)];
        KeepsNothing = model.KeepsNothing;
        // What else of the encoder is its own can't be brought by a pass; nor is it known what a kind of task from outside does with a batch.
        SharesBatches = !isOwned || (model.EncoderParameters().All(parameter => parameter.IsShared) && task.Kind.GetType().Assembly == typeof(TaskKind).Assembly);
        Parameter[] own = [.. model.BaseParameters.Where(parameter => !parameter.IsShared)];
        Bytes = isOwned ? own.Sum(parameter => parameter.Count * (long)parameter.Value.DType.Size()) + model.Adapters().Sum(adapter => adapter.Bytes) : 0;
        if (!SharesBatches) Whole = model;
        if (!isOwned)
        {
            free = static () => { };
        }
        else if (Whole is not null)
        {
            free = model.Dispose;
        }
        else
        {
            // The encoder's layers, which are the base's in other objects, would be a third of a small adapter.
            ILayerAdapter[] adapters = [.. model.LinearLayers.Select(layer => layer.Adapter).OfType<ILayerAdapter>()];
            free = () =>
            {
                foreach (ILayerAdapter adapter in adapters) adapter.Dispose();
                foreach (Parameter parameter in own) parameter.Free();
            };
        }
    }

    /// <summary>What it predicts.</summary>
    public TaskDescription Task { get; }

    /// <summary>Its method and targets.</summary>
    public AdapterSettings Settings { get; }

    /// <summary>Tokens after which its inputs are cut.</summary>
    public int MaxLength { get; }

    /// <summary>Its number among all that were put; 0 for the base model.</summary>
    public long Number { get; set; }

    /// <summary>The adapters by <see cref="LinearLayer.Place"/>.</summary>
    public Adapter?[] Layers { get; }

    /// <summary>The base model's shape with its labels and task.</summary>
    public EncoderConfig Config { get; }

    /// <summary>Its head.</summary>
    public EncoderHead Head { get; }

    /// <summary>A model with its encoder and head, where a pass over rows of several can't bring all that is its own; else null.</summary>
    public SequenceClassifier? Whole { get; }

    /// <summary>Whether a pass over rows of several brings all that is its own.</summary>
    public bool SharesBatches { get; }

    /// <summary>Whether a pass leaves nothing behind with it.</summary>
    public bool KeepsNothing { get; }

    /// <summary>Bytes of its own tensors.</summary>
    public long Bytes { get; }

    /// <summary>The base model by its own head.</summary>
    public static AdapterVersion OfBase(SequenceClassifier model, TaskDescription task, int maxLength) => new(model, isOwned: false, task, new AdapterSettings(), maxLength, 0);

    /// <summary>An adapter's model, which is its own from then on.</summary>
    public static AdapterVersion Of(SequenceClassifier model, TaskDescription task, AdapterSettings settings, int maxLength, long number)
    {
        Fold(model);
        return new AdapterVersion(model, isOwned: true, task, settings, maxLength, number);
    }

    /// <summary>Counts one more owner; by somebody who knows that there is one.</summary>
    public AdapterVersion Retain()
    {
        Interlocked.Increment(ref owners);
        return this;
    }

    /// <summary>Counts one more owner, unless the last has gone.</summary>
    public bool TryRetain()
    {
        int count = Volatile.Read(ref owners);
        while (count > 0)
        {
            int found = Interlocked.CompareExchange(ref owners, count + 1, count);
            if (found == count) return true;
            count = found;
        }

        return false;
    }

    /// <summary>Counts one owner less.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref owners) == 0) free();
    }

    /// <summary>
    /// Makes plain LoRA of low-rank adapters, once: what their forward pass multiplies anew each time (singular values, gates, inner matrices) is multiplied into the factors. VeRA's stay, which
    /// share matrices that are larger than they are.
    /// </summary>
    private static void Fold(SequenceClassifier model)
    {
        using var scope = new TensorScope();
        foreach (LinearLayer layer in model.LinearLayers)
        {
            if (layer.Adapter is not LowRankAdapter adapter || adapter is LoRAAdapter) continue;
            (Tensor a, Tensor b) = adapter.LowRank();
            if (sizeof(float) * ((long)a.Count + b.Count) > adapter.Bytes) continue;
            var folded = new LoRAAdapter(layer.Name, Ops.Contiguous(a).Clone(), Ops.Contiguous(b).Clone(), adapter.Scale);
            folded.MoveTo(model.Device);
            layer.Adapter = folded;
            adapter.Dispose();
        }
    }
}
