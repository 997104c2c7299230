using LoRA2.Native.Tensors.RandomNumbers;

namespace LoRA2.Native.Tensors.Modules;

/// <summary>Random streams, one for each parameter in the order in which they are made: a model of one seed starts with the same numbers everywhere.</summary>
public sealed class ParameterRandom(ulong seed)
{
    private ulong streams;

    /// <summary>What every stream is drawn from.</summary>
    public ulong Seed => seed;

    /// <summary>The next stream.</summary>
    public Philox Next() => new(seed, streams++);
}
