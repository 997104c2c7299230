using LoRA2.Native.Adapters.Methods;
using LoRA2.Native.Encoders;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Adapters;

/// <summary>Turns the adapters of any low-rank method into plain LoRA ones, for people who only have PEFT.</summary>
public static class PlainLoRA
{
    /// <summary>
    /// Replaces every adapter by a LoRA adapter with the same update: singular values, gates, inner matrices and the scale are folded into B, and ranks that are 0
    /// are left out. PEFT wants one rank for all: the others are filled up with zeros to the largest. Returns the settings to save it with.
    /// </summary>
    /// <exception cref="InputException">The method's update is not of low rank.</exception>
    public static AdapterSettings Convert(SequenceClassifier model, AdapterSettings settings)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(settings);
        using ModelAccess.Lease change = model.Change();
        LinearLayer[] layers = [.. model.AdaptedLayers];
        if (layers.Length == 0 || Array.Exists(layers, layer => layer.Adapter is not LowRankAdapter))
            throw new InputException($"{settings.Method.Title} is not a low-rank update: it can't be a plain LoRA; merge it into the model instead");
        using var scope = new TensorScope();
        (Tensor A, Tensor B)[] factors = Array.ConvertAll(layers, layer => Folded((LowRankAdapter)layer.Adapter!));
        int rank = Math.Max(1, factors.Max(pair => pair.A.Shape[0]));
        foreach ((LinearLayer layer, (Tensor a, Tensor b)) in layers.Zip(factors))
        {
            int missing = rank - a.Shape[0];
            Tensor wholeA = missing == 0 ? a.Clone() : Ops.Concat(0, a, Tensor.Zeros([missing, layer.Inputs]));
            Tensor wholeB = missing == 0 ? b.Clone() : Ops.Concat(1, b, Tensor.Zeros([layer.Outputs, missing]));
            layer.Adapter!.Dispose();
            layer.Adapter = new LoRAAdapter(layer.Name, wholeA, wholeB, 1);
        }

        return settings with { Method = new LoRAMethod { Rank = rank, Alpha = rank }, Targets = settings.Targets, UnknownFields = [] };
    }

    private static (Tensor A, Tensor B) Folded(LowRankAdapter adapter)
    {
        // Results of products of trained parameters: copies, before the adapter goes.
        (Tensor a, Tensor b) = adapter.LowRank();
        Tensor scaled = Ops.Scale(b, adapter.Scale);
        bool[] rows = [.. Enumerable.Range(0, a.Shape[0]).Select(i => Nonzero(Ops.Slice(a, 0, i, 1)) && Nonzero(Ops.Slice(scaled, 1, i, 1)))];
        int[] kept = [.. Enumerable.Range(0, rows.Length).Where(i => rows[i])];
        return (RankSelection.Rows(a, kept), RankSelection.Columns(scaled, kept));
    }

    private static bool Nonzero(Tensor part) => part.ToArray<float>().AsSpan().ContainsAnyExcept(0f);
}
