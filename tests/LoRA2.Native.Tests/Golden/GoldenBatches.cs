using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors;

namespace LoRA2.Native.Tests.Golden;

/// <summary>The batches of a run, which its steps take in turn.</summary>
internal sealed class GoldenBatches : IDisposable
{
    private readonly TraceFile file;
    private readonly int count;

    public GoldenBatches(string family)
    {
        file = new TraceFile(GoldenTraces.At(family, "batches.safetensors"));
        count = file.Names.Select(name => name[..name.IndexOf('/')]).Distinct().Count();
    }

    /// <summary>The batch of a step and its labels, in the current scope.</summary>
    public (EncoderBatch Batch, Tensor Labels) Of(int step)
    {
        string prefix = $"{step % count}/";
        return (GoldenModel.Batch(file, prefix), file.Tensor(prefix + "labels"));
    }

    public void Dispose() => file.Dispose();
}
