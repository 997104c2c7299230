using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation;

/// <summary>A kernel of a module, with what tests of its structure ask.</summary>
internal sealed class PtxKernel
{
    private readonly PtxFunction function;

    internal PtxKernel(PtxFunction function, KernelCode code)
    {
        this.function = function;
        Code = code;
    }

    public string Name => function.Name;

    public int ParameterCount => function.Parameters.Count;

    /// <summary>Bytes of shared memory that the kernel declares.</summary>
    public int StaticSharedBytes => Code.StaticSharedBytes;

    /// <summary>Bytes of local memory a thread has.</summary>
    public int LocalBytes => Code.LocalBytes;

    internal KernelCode Code { get; }

    /// <summary>The opcodes in the order of the text.</summary>
    public IEnumerable<string> Opcodes => function.Statements.Select(s => s.Opcode);

    /// <summary>How many instructions there are whose opcode starts so: <c>"ld.global.v4"</c>, <c>"mma"</c>.</summary>
    public int CountOf(string opcode) => Opcodes.Count(o => StartsWith(o, opcode));

    /// <summary>How many of them stand in a loop: between a label and a branch back to it.</summary>
    public int CountInLoops(string opcode)
    {
        var statements = function.Statements;
        var inLoop = new bool[statements.Count];
        for (var s = 0; s < statements.Count; s++)
        {
            foreach (var target in statements[s].Targets.Where(t => t <= s))
                Array.Fill(inLoop, true, target, s - target + 1);
        }
        return Enumerable.Range(0, statements.Count).Count(s => inLoop[s] && StartsWith(statements[s].Opcode, opcode));
    }

    // "ld.global" is a start of "ld.global.f32", but "ld.g" is not.
    private static bool StartsWith(string opcode, string start) =>
        opcode.StartsWith(start, StringComparison.Ordinal) && (opcode.Length == start.Length || opcode[start.Length] == '.' || start[^1] == '.');
}
