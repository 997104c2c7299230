using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Adapters;

/// <summary>Adapters that were merged into a model's weights, and the weights' original bits. Disposing of it frees both and leaves the model merged.</summary>
public sealed class MergedAdapters : IDisposable
{
    private readonly List<(LinearLayer Layer, Adapter Adapter, Tensor Original)> merged = [];

    private readonly SequenceClassifier model;
    private bool disposed;

    internal MergedAdapters(SequenceClassifier model)
    {
        this.model = model;
        using ModelAccess.Lease change = model.Change();
        model.RememberFingerprint();
        foreach (LinearLayer layer in model.LinearLayers)
        {
            if (layer.Adapter is not Adapter adapter) continue;
            using var scope = new TensorScope();
            Tensor original = scope.Detach(layer.Weight.Value.Clone());
            layer.Weight.Replace(scope.Detach(Ops.Contiguous(adapter.Merged(original.To(DType.Float32)))));
            layer.Adapter = null;
            merged.Add((layer, adapter, original));
        }
    }

    /// <summary>Puts back every weight, bit for bit, and the adapters.</summary>
    /// <exception cref="ObjectDisposedException">They were freed, or the model was.</exception>
    public void Unmerge()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        using ModelAccess.Lease change = model.Change();
        foreach ((LinearLayer layer, Adapter adapter, Tensor original) in merged)
        {
            layer.Weight.Replace(original);
            layer.Adapter = adapter;
        }

        merged.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        foreach ((_, Adapter adapter, Tensor original) in merged)
        {
            adapter.Dispose();
            original.Dispose();
        }

        merged.Clear();
    }
}
