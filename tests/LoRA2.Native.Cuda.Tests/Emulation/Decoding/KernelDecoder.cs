using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Decodes a kernel's statements and lays its code out.</summary>
internal static class KernelDecoder
{
    /// <summary>Decodes a function of a module whose version, times ten, is <paramref name="version"/>.</summary>
    public static KernelCode Decode(PtxFunction function, int version)
    {
        var registers = new RegisterFile(function);
        var layout = new MemoryLayout(function);
        var operations = function.Statements.Select(s => Decode(s, registers, layout, version)).ToArray();
        return new KernelCode
        {
            Name = function.Name,
            Code = CodeLayout.Arrange(function.Statements, operations),
            Parameters = function.Parameters,
            ParameterBytes = layout.ParameterBytes,
            RegisterBytes = registers.Bytes,
            VariableBytes = registers.VariableBytes,
            PredicateCount = registers.PredicateCount,
            LocalBytes = layout.LocalBytes,
            RangeCount = layout.Ranges,
            Constants = [.. registers.Constants],
            Specials = [.. registers.Specials],
            Symbols = [.. registers.Symbols],
            SharedVariables = [.. layout.SharedVariables.Select(v => (v.Offset, v.Size))],
            DynamicOffset = layout.DynamicOffset,
            SharedUnit = layout.SharedUnit,
            GlobalUnit = layout.GlobalUnit,
        };
    }

    private static Operation Decode(PtxStatement statement, RegisterFile registers, MemoryLayout layout, int version)
    {
        var i = new Instruction(statement, registers, layout, version);
        var operation = ArithmeticDecoder.Decode(i) ?? BitDecoder.Decode(i) ?? ComparisonDecoder.Decode(i) ?? ConversionDecoder.Decode(i)
            ?? MemoryDecoder.Decode(i) ?? WarpDecoder.Decode(i) ?? throw i.Error($"the instruction '{statement.Opcode}' is not known");
        operation.Line = statement.Line;
        operation.Text = statement.ToString();
        operation.Opcode = statement.Opcode;
        if (statement.Guard is { } guard)
        {
            if (guard.Type != PtxType.Predicate)
                throw i.Error($"'{guard.Name}' must be a predicate");
            operation.Guard = new PredicateSlot(registers.Predicate(guard), statement.GuardNegated ? uint.MaxValue : 0);
        }
        return operation;
    }
}
