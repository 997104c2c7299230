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
        var instructions = function.Statements.Select(s => new Instruction(s, registers, layout, version)).ToArray();
        var operations = instructions.Select(i => Decode(i, registers)).ToArray();
        var code = CodeLayout.Arrange(function.Statements, operations);
        return new KernelCode
        {
            Name = function.Name,
            Code = code,
            Stretches = StretchesOf(code),
            Parameters = function.Parameters,
            ParameterBytes = layout.ParameterBytes,
            RegisterBytes = registers.Bytes,
            Unset = [.. UnsetRegisters.Of(function.Registers.Count, instructions).Select(r => registers.Of(function.Registers[r]))],
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

    private static Operation Decode(Instruction i, RegisterFile registers)
    {
        var statement = i.Statement;
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

    private static int[] StretchesOf(Operation[] code)
    {
        var ends = new int[code.Length];
        for (var place = code.Length - 1; place >= 0; place--)
        {
            var goesOn = code[place].Flow == OperationFlow.Straight && code[place].Guard == new PredicateSlot(Operation.PredicateTrue, 0);
            ends[place] = !goesOn ? place : place + 1 < code.Length ? ends[place + 1] : code.Length;
        }
        return ends;
    }
}
