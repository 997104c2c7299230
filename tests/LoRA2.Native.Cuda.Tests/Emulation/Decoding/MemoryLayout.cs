using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Gives a kernel's parameters and variables their offsets.</summary>
internal sealed class MemoryLayout
{
    // Between two variables of shared memory lie bytes that no access may touch.
    private const int Gap = 128;

    public MemoryLayout(PtxFunction function)
    {
        foreach (var parameter in function.Parameters)
        {
            ParameterBytes = Align(ParameterBytes, parameter.Alignment);
            parameter.Offset = ParameterBytes;
            ParameterBytes += parameter.Size;
        }
        var shared = 0;
        foreach (var variable in function.Variables)
        {
            if (variable.Space == PtxSpace.Shared && variable.Size >= 0)
            {
                variable.Offset = Align(shared, Math.Max(16, variable.Alignment));
                shared = variable.Offset + variable.Size + Gap;
                SharedVariables.Add(variable);
            }
            else if (variable.Space == PtxSpace.Local)
            {
                variable.Offset = Align(LocalBytes, variable.Alignment);
                LocalBytes = variable.Offset + variable.Size;
            }
        }
        DynamicOffset = Align(shared, 1024);
        foreach (var variable in function.Variables)
        {
            if (variable.Size < 0)
                variable.Offset = DynamicOffset;
        }
        LocalBytes = Align(LocalBytes, 16);
    }

    public int ParameterBytes { get; }

    public int LocalBytes { get; }

    public List<PtxVariable> SharedVariables { get; } = [];

    public int DynamicOffset { get; }

    /// <summary>The number of memory operations so far.</summary>
    public int Ranges { get; set; }

    /// <summary>The width of the narrowest access to shared memory so far, at most 4.</summary>
    public int SharedUnit { get; set; } = 4;

    /// <summary>The width of the narrowest access to global memory so far, at most 4.</summary>
    public int GlobalUnit { get; set; } = 4;

    private static int Align(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;
}
