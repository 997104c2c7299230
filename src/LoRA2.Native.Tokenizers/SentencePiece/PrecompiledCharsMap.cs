using System.Buffers.Binary;
using LoRA2.Native.Files;

namespace LoRA2.Native.Tokenizers.SentencePiece;

/// <summary>
/// A SentencePiece model's own normalization rules: [trie size, uint32][double array of uint32 units][replacements, each ended by NUL].
/// A unit: bits 0–7 and 31 label, bit 8 "has a value", bits 10–30 child offset, shifted left by 8 where bit 9 is set;
/// a value unit: bit 31 and the position of the replacement.
/// </summary>
internal sealed class PrecompiledCharsMap
{
    private readonly uint[] _units;
    private readonly byte[] _replacements;

    /// <summary>Checks the blob and reads it; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="InputException">The blob is cut short, or its trie leads outside of it.</exception>
    public PrecompiledCharsMap(ReadOnlySpan<byte> blob, string source)
    {
        if (blob.Length <= 4)
            throw new InputException($"{source}: has {blob.Length} bytes; expected a 4-byte trie size and what it announces.");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (size >= blob.Length - 4 || size % 4 != 0 || size == 0)
        {
            throw new InputException(
                $"{source}: announces a trie of {size} bytes; expected a multiple of 4 below the {blob.Length - 4} bytes that follow.");
        }

        _units = new uint[size / 4];
        for (var i = 0; i < _units.Length; i++)
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + 4 * i)..]);
        _replacements = blob[(4 + (int)size)..].ToArray();
        Check(source);
    }

    /// <summary>The longest rule that <paramref name="text"/> begins with: its length in bytes, or 0, and its replacement.</summary>
    public int MatchLongest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var (length, value) = Match(text, longest: true);
        replacement = length > 0 ? Replacement(value) : default;
        return length;
    }

    /// <summary>The shortest rule that <paramref name="text"/> begins with, as the Rust implementation takes it.</summary>
    public int MatchShortest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var (length, value) = Match(text, longest: false);
        replacement = length > 0 ? Replacement(value) : default;
        return length;
    }

    /// <summary>Whether a rule begins with this ASCII character and goes on with ASCII, or is that character alone.</summary>
    public bool ConcernsAscii(byte first)
    {
        var node = Step(Offset(_units[0]), first, out var unit);
        if (node < 0)
            return false;
        if (HasValue(unit))
            return true;
        for (var next = 1; next < 128; next++)
        {
            if (Step(node, (byte)next, out _) >= 0)
                return true;
        }

        return false;
    }

    private static int Offset(uint unit) => (int)((unit >> 10) << (int)((unit & (1u << 9)) >> 6));

    private static bool HasValue(uint unit) => ((unit >> 8) & 1) != 0;

    /// <summary>Steps from a node's child offset to the child's child offset (xored into its position), or -1.</summary>
    private int Step(int position, byte label, out uint unit)
    {
        position ^= label;
        unit = 0;
        if ((uint)position >= (uint)_units.Length)
            return -1;
        unit = _units[position];
        if ((unit & 0x800000FF) != label || label == 0)
            return -1;
        return position ^ Offset(unit);
    }

    private (int Length, int Value) Match(ReadOnlySpan<byte> text, bool longest)
    {
        var position = Offset(_units[0]);
        var (length, value) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            position = Step(position, text[i], out var unit);
            if (position < 0)
                break;
            if (HasValue(unit))
            {
                (length, value) = (i + 1, (int)(_units[position] & 0x7FFFFFFF));
                if (!longest)
                    break;
            }
        }

        return (length, value);
    }

    private ReadOnlySpan<byte> Replacement(int value)
    {
        var rest = _replacements.AsSpan(value);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }

    /// <summary>Visits every node that can be reached, so that a match never meets a value outside of the replacements.</summary>
    private void Check(string source)
    {
        var seen = new bool[_units.Length];
        var pending = new Stack<int>();
        pending.Push(Offset(_units[0]));
        while (pending.TryPop(out var node))
        {
            for (var label = 1; label < 256; label++)
            {
                var at = node ^ label;
                var child = Step(node, (byte)label, out var unit);
                if (child < 0 || seen[at])
                    continue;
                seen[at] = true;
                if (HasValue(unit) && ((uint)child >= (uint)_units.Length || (_units[child] & 0x7FFFFFFF) >= _replacements.Length))
                {
                    throw new InputException(
                        $"{source}: trie unit {at} points outside of the {_replacements.Length} bytes of replacements.");
                }

                pending.Push(child);
            }
        }
    }
}
