using System.Globalization;

namespace LoRA2.Native.Cuda.Tests.Emulation.Syntax;

/// <summary>Parses operands and resolves their names.</summary>
internal sealed class PtxOperandParser(PtxReader reader, PtxScope scope)
{
    public List<PtxOperand> List()
    {
        var list = new List<PtxOperand>();
        do
            list.Add(Value());
        while (reader.Take(","));
        return list;
    }

    public PtxRegister Register(string name) =>
        scope.FindRegister(name) ?? throw reader.Error($"register '{name}' is not declared");

    public PtxOperand Value()
    {
        if (reader.Take("["))
            return Address();
        if (reader.Take("{"))
            return Vector();
        var negated = reader.Take("!");
        var minus = reader.Take("-");
        var word = reader.Word();
        if (word == "_")
            return new PtxOperand { Kind = PtxOperandKind.Sink, Text = word };
        if (char.IsAsciiDigit(word[0]) || word[0] == '.')
            return new PtxOperand { Kind = PtxOperandKind.Immediate, Text = (minus ? "-" : "") + word };
        if (minus)
            throw reader.Error($"'-{word}' is not a number");
        if (scope.FindRegister(word) is { } register)
        {
            var second = reader.Take("|") ? Value() : null;
            var text = (negated ? "!" : "") + word + (second is null ? "" : "|" + second.Text);
            return new PtxOperand { Kind = PtxOperandKind.Register, Text = text, Register = register, Negated = negated, Second = second };
        }
        if (scope.FindVariable(word) is { } variable)
            return new PtxOperand { Kind = PtxOperandKind.Variable, Text = word, Variable = variable };
        if (word[0] == '%')
        {
            if (PtxSpecialRegister.Find(word) is null)
                throw reader.Error($"register '{word}' is not declared");
            return new PtxOperand { Kind = PtxOperandKind.Special, Text = word };
        }
        if (word == "WARP_SZ")
            return new PtxOperand { Kind = PtxOperandKind.Immediate, Text = "32" };
        throw reader.Error($"'{word}' is not declared");
    }

    private PtxOperand Vector()
    {
        var elements = List();
        reader.Expect("}");
        return new PtxOperand
        {
            Kind = PtxOperandKind.Vector,
            Text = "{" + string.Join(", ", elements.Select(e => e.Text)) + "}",
            Elements = elements,
        };
    }

    private PtxOperand Address()
    {
        PtxRegister? register = null;
        PtxVariable? variable = null;
        long offset = 0;
        var text = "[";
        do
        {
            var minus = reader.Take("-");
            var word = reader.Word();
            text += (text.Length > 1 ? "+" : "") + (minus ? "-" : "") + word;
            if (char.IsAsciiDigit(word[0]))
                offset += (minus ? -1 : 1) * Integer(word);
            else if (scope.FindRegister(word) is { } found)
                register = found;
            else
                variable = scope.FindVariable(word) ?? throw reader.Error($"'{word}' is not declared");
        }
        while (reader.Take("+") || reader.Is("-"));
        reader.Expect("]");
        if (register is not null && variable is not null)
            throw reader.Error($"the address {text}] has two bases");
        return new PtxOperand { Kind = PtxOperandKind.Address, Text = text + "]", Register = register, Variable = variable, Offset = offset };
    }

    private long Integer(string word)
    {
        word = word.TrimEnd('U');
        if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return (long)ulong.Parse(word.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw reader.Error($"'{word}' is not a whole number");
    }
}
