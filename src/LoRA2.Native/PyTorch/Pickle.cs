using System.Buffers.Binary;
using System.Text;
using LoRA2.Native.Files;

namespace LoRA2.Native.PyTorch;

/// <summary>
/// Reads the pickle of a file that <c>torch.save</c> wrote. Python's own would call any function that the file names; this one knows numbers, texts, lists, tuples,
/// dictionaries and tensors, and refuses everything else. What it makes is no larger than the file makes it: nothing is copied, and nothing is repeated.
/// </summary>
internal sealed class Pickle
{
    private static readonly object Mark = new();

    private readonly string path;
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private int position;

    private Pickle(string path, ReadOnlyMemory<byte> bytes) => (this.path, this.bytes) = (path, bytes);

    /// <summary>
    /// What was pickled: null, a bool, a long, a double, a string, a <see cref="List{T}"/>, an array for a tuple, a <see cref="Dictionary{TKey, TValue}"/> of its texts, a
    /// <see cref="TorchTensor"/>.
    /// </summary>
    /// <exception cref="InputException">It is damaged, or asks for anything else.</exception>
    public static object? Read(string path, ReadOnlyMemory<byte> bytes)
    {
        var pickle = new Pickle(path, bytes);
        while (pickle.Step())
        {
        }

        return pickle.Pop();
    }

    /// <summary>Does what the next opcode says; false at the last.</summary>
    private bool Step()
    {
        byte opcode = Take(1)[0];
        switch (opcode)
        {
            case 0x80: // PROTO
                Take(1);
                break;
            case 0x95: // FRAME
                Take(8);
                break;
            case (byte)'.': // STOP
                return false;
            case (byte)'N':
                Push(null);
                break;
            case 0x88 or 0x89: // NEWTRUE, NEWFALSE
                Push(opcode == 0x88);
                break;
            case (byte)'J': // BININT
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                break;
            case (byte)'K': // BININT1
                Push((long)Take(1)[0]);
                break;
            case (byte)'M': // BININT2
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                break;
            case 0x8A: // LONG1
                Push(Long(Take(Take(1)[0])));
                break;
            case (byte)'G': // BINFLOAT
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                break;
            case 0x8C: // SHORT_BINUNICODE
                Push(Text(Take(Take(1)[0])));
                break;
            case (byte)'X': // BINUNICODE
                Push(Text(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))));
                break;
            case (byte)'(':
                Push(Mark);
                break;
            case (byte)']' or (byte)'}' or (byte)')':
                Push(opcode switch { (byte)']' => new List<object?>(), (byte)'}' => new Dictionary<string, object?>(StringComparer.Ordinal), _ => Array.Empty<object?>() });
                break;
            case (byte)'t':
                Push(PopToMark());
                break;
            case 0x85 or 0x86 or 0x87: // TUPLE1, TUPLE2, TUPLE3
                Push(Pop(opcode - 0x84));
                break;
            case (byte)'a':
                Append(Pop(1));
                break;
            case (byte)'e':
                Append(PopToMark());
                break;
            case (byte)'s':
                Set(Pop(2));
                break;
            case (byte)'u':
                Set(PopToMark());
                break;
            case (byte)'q': // BINPUT
                memo[Take(1)[0]] = Peek();
                break;
            case (byte)'r': // LONG_BINPUT
                memo[BinaryPrimitives.ReadUInt32LittleEndian(Take(4))] = Peek();
                break;
            case 0x94: // MEMOIZE
                memo[memo.Count] = Peek();
                break;
            case (byte)'h': // BINGET
                Push(Remembered(Take(1)[0]));
                break;
            case (byte)'j': // LONG_BINGET
                Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                break;
            case (byte)'c': // GLOBAL
                Push(new GlobalName(Line(), Line()));
                break;
            case 0x93: // STACK_GLOBAL
                Push(Pop(2) is [string module, string name] ? new GlobalName(module, name) : throw Damaged("a name that is no text"));
                break;
            case (byte)'Q': // BINPERSID
                Push(TorchValues.Storage(Pop(), Error));
                break;
            case (byte)'R': // REDUCE
                object?[] call = Pop(2);
                Push(TorchValues.Call(call[0] as GlobalName ?? throw Damaged("a call of nothing"), call[1] as object?[] ?? throw Damaged("a call without arguments"), Error));
                break;
            case (byte)'b': // BUILD: what is hung on a dictionary or a tensor besides (_metadata) is of no use here
                Pop();
                if (Peek() is not (TorchTensor or Dictionary<string, object?>)) throw Error("an object with a state of its own; a dictionary of tensors was expected");
                break;
            default:
                throw Error(FormattableString.Invariant($"the pickle opcode 0x{opcode:X2}, which no dictionary of tensors needs"));
        }

        return true;
    }

    private void Push(object? value) => stack.Add(value);

    private object? Peek() => stack.Count > 0 ? stack[^1] : throw Damaged("nothing on its stack");

    private object? Pop()
    {
        object? top = Peek();
        if (ReferenceEquals(top, Mark)) throw Damaged("a mark in the place of a value");
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object?[] Pop(int count)
    {
        object?[] values = new object?[count];
        for (int i = count - 1; i >= 0; i--) values[i] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        int mark = stack.FindLastIndex(value => ReferenceEquals(value, Mark));
        if (mark < 0) throw Damaged("no mark on its stack");
        object?[] values = [.. stack[(mark + 1)..]];
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    private void Append(object?[] values) => (Peek() as List<object?> ?? throw Damaged("no list to add to")).AddRange(values);

    private void Set(object?[] pairs)
    {
        if (Peek() is not Dictionary<string, object?> dictionary || pairs.Length % 2 != 0) throw Damaged("no dictionary to add to");
        // What has another key than a text is no weight.
        for (int i = 0; i < pairs.Length; i += 2)
        {
            if (pairs[i] is string key) dictionary[key] = pairs[i + 1];
        }
    }

    private object? Remembered(long index) => memo.TryGetValue(index, out object? value) ? value : throw Damaged("something that it never remembered");

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > bytes.Length - position) throw Damaged("an end in the middle of a value");
        ReadOnlySpan<byte> taken = bytes.Span.Slice(position, (int)count);
        position += (int)count;
        return taken;
    }

    private string Line()
    {
        int length = bytes.Span[position..].IndexOf((byte)'\n');
        if (length < 0) throw Damaged("a name without an end");
        string line = Text(Take(length));
        Take(1);
        return line;
    }

    private string Text(ReadOnlySpan<byte> text)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
        }
        catch (ArgumentException e)
        {
            throw new InputException($"{path}: a text in it is not valid UTF-8; a dictionary of tensors as torch.save writes it was expected", e);
        }
    }

    private long Long(ReadOnlySpan<byte> number)
    {
        if (number.Length > sizeof(long)) throw Error("a number of more than 64 bits");
        long value = 0;
        for (int i = number.Length - 1; i >= 0; i--) value = (value << 8) | number[i];
        int unused = 64 - (8 * number.Length);
        return number.Length == 0 ? 0 : value << unused >> unused;
    }

    private InputException Error(string found) => new($"{path}: there is {found}");

    private InputException Damaged(string found) => new($"{path}: damaged: its pickle has {found}");
}

/// <summary>A function or class that a pickle names.</summary>
internal sealed record GlobalName(string Module, string Name)
{
    public override string ToString() => $"{Quote.Plain(Module)}.{Quote.Plain(Name)}";
}
