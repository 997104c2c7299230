using FsCheck;
using LoRA2.Native.Adapters;
using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Encoders;
using LoRA2.Native.Tensors.Checks;
using LoRA2.Native.Tests.Shared.Tensors;

namespace LoRA2.Native.Extension.Tests;

/// <summary>One of each, added to the registries once.</summary>
public sealed class Outsiders
{
    private static readonly Lazy<Metric> Registered = new(() =>
    {
        Metric logLoss = new LogLoss();
        Metrics.Register(logLoss);
        DataFormats.Register(LabelledLines.Format);
        AdapterMethods.Register(new OutputScaleMethod());
        EncoderFamilies.Register(new MeanFormerConfig());
        OpCatalogue.Register(SwishOp.Entry);
        return logLoss;
    });

    /// <summary>The metric; everything is registered.</summary>
    public Metric LogLoss { get; } = Registered.Value;
}

/// <summary>Generators of this assembly's own.</summary>
public static class OwnArbitraries
{
    /// <summary>Cases of the op that was added.</summary>
    public static Arbitrary<DrawnOps> Ops() => TensorArbitraries.OpsOf(SwishOp.Entry);
}
