using System.Globalization;
using LoRA2.Native.Cuda.Tests.Emulation.Execution;
using LoRA2.Native.Cuda.Tests.Emulation.Operations;
using LoRA2.Native.Cuda.Tests.Emulation.Syntax;

namespace LoRA2.Native.Cuda.Tests.Emulation.Decoding;

/// <summary>Gives registers, special registers, constants and addresses of variables their places in a warp's register file.</summary>
internal sealed class RegisterFile
{
    private readonly Slot[] slots;
    private readonly int[] predicates;
    private readonly Dictionary<(ulong Bits, int Width), Slot> constants = [];
    private readonly Dictionary<(PtxSpecial Special, int Width), Slot> specials = [];
    private readonly Dictionary<PtxVariable, Slot> symbols = [];

    public RegisterFile(PtxFunction function)
    {
        slots = new Slot[function.Registers.Count];
        predicates = new int[function.Registers.Count];
        PredicateCount = 2;
        foreach (var register in function.Registers)
        {
            if (register.Type == PtxType.Predicate)
                predicates[register.Index] = PredicateCount++;
            else
                slots[register.Index] = Allocate(register.Width);
        }
    }

    public int Bytes { get; private set; }

    public int PredicateCount { get; }

    public IEnumerable<(Slot Slot, ulong Bits)> Constants => constants.Select(c => (c.Value, c.Key.Bits));

    public IEnumerable<(Slot Slot, PtxSpecial Special)> Specials => specials.Select(s => (s.Value, s.Key.Special));

    public IEnumerable<(Slot Slot, PtxVariable Variable)> Symbols => symbols.Select(s => (s.Value, s.Key));

    public Slot Of(PtxRegister register) => slots[register.Index];

    public int Predicate(PtxRegister register) => predicates[register.Index];

    public Slot Constant(ulong bits, int width)
    {
        if (!constants.TryGetValue((bits, width), out var slot))
            constants[(bits, width)] = slot = Allocate(width);
        return slot;
    }

    public Slot Special(PtxSpecial special, int width)
    {
        if (!specials.TryGetValue((special, width), out var slot))
            specials[(special, width)] = slot = Allocate(width);
        return slot;
    }

    /// <summary>The address of a variable in its own space.</summary>
    public Slot AddressOf(PtxVariable variable, int width)
    {
        if (variable.Space == PtxSpace.Shared)
            return Constant((ulong)(SharedMemory.Base + variable.Offset), width);
        if (variable.Space == PtxSpace.Local)
            return Constant((ulong)variable.Offset, width);
        if (!symbols.TryGetValue(variable, out var slot))
            symbols[variable] = slot = Allocate(8);
        return slot;
    }

    /// <summary>The bits of a number as written, as a value of a type.</summary>
    public static ulong? Parse(string text, PtxType type)
    {
        var negative = text[0] == '-';
        var digits = negative ? text[1..] : text;
        if (digits.Length == 10 && digits.StartsWith("0f", StringComparison.OrdinalIgnoreCase))
        {
            var bits = uint.Parse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return type.Size == 8 && type.IsFloat ? BitConverter.DoubleToUInt64Bits(Signed(BitConverter.UInt32BitsToSingle(bits), negative)) : negative ? bits ^ 0x80000000 : bits;
        }
        if (digits.Length == 18 && digits.StartsWith("0d", StringComparison.OrdinalIgnoreCase))
        {
            var value = Signed(BitConverter.UInt64BitsToDouble(ulong.Parse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)), negative);
            return type.Size == 4 ? BitConverter.SingleToUInt32Bits((float)value) : BitConverter.DoubleToUInt64Bits(value);
        }
        if (digits.Contains('.', StringComparison.Ordinal))
        {
            if (!type.IsFloat || !double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                return null;
            value = Signed(value, negative);
            return type.Size == 8 ? BitConverter.DoubleToUInt64Bits(value) : type.Size == 4 ? BitConverter.SingleToUInt32Bits((float)value) : null;
        }
        if (type.IsFloat)
            return null;
        digits = digits.TrimEnd('U');
        var hexadecimal = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!ulong.TryParse(hexadecimal ? digits.AsSpan(2) : digits, hexadecimal ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture, out var whole))
            return null;
        return negative ? 0 - whole : whole;
    }

    private static double Signed(double value, bool negative) => negative ? -value : value;

    private Slot Allocate(int width)
    {
        var slot = new Slot(Bytes, width);
        Bytes += (32 * width + 63) / 64 * 64;
        return slot;
    }
}
