using LoRA2.Native.Cuda.Tests.Emulation.Decoding;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>A PTX text, parsed and decoded. An instruction, a modifier or an operand that is not known is an error here.</summary>
internal sealed class PtxModule
{
    private readonly Dictionary<string, PtxKernel> kernels = [];

    private PtxModule(List<PtxFunction> entries, List<PtxVariable> variables, int version, int target)
    {
        (Version, Target) = (version, target);
        Variables = variables;
        foreach (var entry in entries)
            kernels.Add(entry.Name, new PtxKernel(entry, KernelDecoder.Decode(entry, version)));
    }

    /// <summary>The version of PTX times ten.</summary>
    public int Version { get; }

    /// <summary>The architecture: 80 for sm_80.</summary>
    public int Target { get; }

    public IReadOnlyCollection<PtxKernel> Kernels => kernels.Values;

    internal List<PtxVariable> Variables { get; }

    /// <summary>The kernel of a name.</summary>
    public PtxKernel this[string name] =>
        kernels.TryGetValue(name, out var kernel) ? kernel : throw new PtxException($"The module has no kernel '{name}'; it has {string.Join(", ", kernels.Keys)}.");

    public static PtxModule Parse(string text)
    {
        var (entries, variables, version, target) = PtxModuleParser.Parse(text);
        return new PtxModule(entries, variables, version, target);
    }
}
