using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoRA2.Native.Tokenizers;

/// <summary>
/// A trie over bytes in a double array: child = base[node] + byte, valid where check[child] = node.
/// A NUL byte is never a label, so a text's NUL matches nothing.
/// </summary>
internal sealed class ByteTrie
{
    private readonly Unit[] _units = new Unit[1024];

    /// <summary>Builds the trie; of equal keys the last counts. Empty keys and what follows a NUL in a key are left out.</summary>
    // A vocabulary is read once in a process, so this is compiled fully the first time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ByteTrie(IEnumerable<(byte[] Key, int Value, float Score)> entries)
    {
        (byte[][] keys, int[] values, float[] scores) = Read(entries);
        var free = new FreeSlots(_units.Length);
        Array.Fill(_units, Unit.Empty);
        free.Take(0);
        _units[0].Check = -1;
        int[] order = new int[keys.Length], scratch = new int[keys.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        var queue = new Queue<(int Node, int Low, int High, int Depth)>();
        queue.Enqueue((0, 0, keys.Length, 0));
        var labels = new List<(byte Label, int Low, int High)>();
        while (queue.TryDequeue(out var item))
        {
            labels.Clear();
            Arrange(keys, item.Depth, order.AsSpan(item.Low, item.High - item.Low), scratch);
            int i = item.Low;
            for (; i < item.High && keys[order[i]].Length == item.Depth; i++)
            {
                _units[item.Node].Value = values[order[i]];
                _units[item.Node].Score = scores[order[i]];
            }

            while (i < item.High)
            {
                int start = i;
                byte label = keys[order[i]][item.Depth];
                while (i < item.High && keys[order[i]][item.Depth] == label) i++;
                labels.Add((label, start, i));
            }

            if (labels.Count == 0)
                continue;
            var offset = free.Find(labels, ref _units);
            _units[item.Node].Base = offset;
            foreach (var (label, low, high) in labels)
            {
                free.Take(offset + label);
                _units[offset + label].Check = item.Node;
                queue.Enqueue((offset + label, low, high, item.Depth + 1));
            }
        }

        // Room for any label past the last base, so that a step needs no bounds check of its own.
        Array.Resize(ref _units, free.Used + 257);
        for (var i = free.Used; i < _units.Length; i++)
            _units[i] = Unit.Empty;
    }

    /// <summary>The first unit, for loops that step without bounds checks: base + byte always lies inside.</summary>
    public ref Unit Root => ref MemoryMarshal.GetArrayDataReference(_units);

    /// <summary>The child of <paramref name="node"/> under <paramref name="label"/>, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int node, byte label)
    {
        var child = _units[node].Base + label;
        return _units[child].Check == node && label != 0 ? child : -1;
    }

    /// <summary>The value at <paramref name="node"/>, or -1.</summary>
    public int Value(int node) => _units[node].Value;

    /// <summary>The node at the end of <paramref name="key"/>, or -1.</summary>
    public int Find(ReadOnlySpan<byte> key)
    {
        var node = 0;
        foreach (var b in key)
        {
            node = Next(node, b);
            if (node < 0)
                return -1;
        }

        return node;
    }

    /// <summary>The length of the longest key that <paramref name="text"/> begins with, or 0.</summary>
    public int LongestPrefix(ReadOnlySpan<byte> text)
    {
        int node = 0, longest = 0;
        for (var i = 0; i < text.Length; i++)
        {
            node = Next(node, text[i]);
            if (node < 0)
                break;
            if (_units[node].Value >= 0)
                longest = i + 1;
        }

        return longest;
    }

    private static (byte[][] Keys, int[] Values, float[] Scores) Read(IEnumerable<(byte[] Key, int Value, float Score)> entries)
    {
        List<byte[]> keys = [];
        List<int> values = [];
        List<float> scores = [];
        foreach ((byte[] key, int value, float score) in entries)
        {
            int nul = Array.IndexOf(key, (byte)0);
            byte[] cut = nul < 0 ? key : key[..nul];
            if (cut.Length == 0) continue;
            keys.Add(cut);
            values.Add(value);
            scores.Add(score);
        }

        return ([.. keys], [.. values], [.. scores]);
    }

    /// <summary>
    /// Puts keys that agree in their first <paramref name="depth"/> bytes in the order of the next one, those that end there first; of equal ones the order stays. A step of a radix sort, of which
    /// the trie's levels are the others.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Arrange(byte[][] keys, int depth, Span<int> order, int[] scratch)
    {
        const int Few = 32;
        if (order.Length <= Few)
        {
            for (int i = 1; i < order.Length; i++)
            {
                int index = order[i], label = Label(keys[index], depth), at = i;
                for (; at > 0 && Label(keys[order[at - 1]], depth) > label; at--) order[at] = order[at - 1];
                order[at] = index;
            }

            return;
        }

        Span<int> places = stackalloc int[257];
        places.Clear();
        foreach (int index in order) places[Label(keys[index], depth)]++;
        for (int label = 0, before = 0; label < places.Length; label++) (places[label], before) = (before, before + places[label]);
        order.CopyTo(scratch);
        foreach (int index in scratch.AsSpan(0, order.Length)) order[places[Label(keys[index], depth)]++] = index;
    }

    private static int Label(byte[] key, int depth) => key.Length == depth ? 0 : key[depth];

    /// <summary>One node: where its children are, whose child it is, and what it stands for.</summary>
    public struct Unit
    {
        public static readonly Unit Empty = new() { Check = -2, Value = -1 };

        public int Base;
        public int Check;
        public int Value;
        public float Score;
    }

    /// <summary>The free slots as a doubly linked list, in rising order.</summary>
    private sealed class FreeSlots
    {
        private int[] _next;
        private int[] _previous;
        private int _head;
        private int _searchFrom;

        public FreeSlots(int size)
        {
            _next = new int[size];
            _previous = new int[size];
            for (var i = 0; i < size; i++)
                (_next[i], _previous[i]) = (i + 1, i - 1);
        }

        public int Used { get; private set; }

        public void Take(int slot)
        {
            if (_previous[slot] >= 0)
                _next[_previous[slot]] = _next[slot];
            else
                _head = _next[slot];
            if (_next[slot] < _next.Length)
                _previous[_next[slot]] = _previous[slot];
            if (_searchFrom == slot)
                _searchFrom = _next[slot];
            _next[slot] = -1;
            Used = Math.Max(Used, slot + 1);
        }

        public int Find(List<(byte Label, int Low, int High)> labels, ref Unit[] units)
        {
            var first = labels[0].Label;
            var tries = 0;
            for (var slot = labels.Count == 1 ? _head : _searchFrom; ; slot = _next[slot])
            {
                if (slot + 256 >= _next.Length)
                    Grow(ref units);
                if (slot <= first)
                    continue;
                var fits = true;
                for (var i = 1; i < labels.Count && fits; i++)
                    fits = _next[slot - first + labels[i].Label] >= 0;
                if (fits)
                {
                    // Slots that many nodes with several children have been tried on in vain are left to nodes with one child.
                    if (tries > 64)
                        _searchFrom = slot;
                    return slot - first;
                }

                tries++;
            }
        }

        private void Grow(ref Unit[] units)
        {
            var old = _next.Length;
            Array.Resize(ref _next, 2 * old);
            Array.Resize(ref _previous, 2 * old);
            Array.Resize(ref units, 2 * old);
            var last = old - 1;
            if (_next[last] < 0)
            {
                last = -1;
                for (var i = _head; i < old; i = _next[i])
                    last = i;
            }

            for (var i = old; i < _next.Length; i++)
            {
                (_next[i], _previous[i]) = (i + 1, i == old ? last : i - 1);
                units[i] = Unit.Empty;
            }
        }
    }
}
