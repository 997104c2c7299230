using System.Runtime.InteropServices;
using LoRA2.Native.Communication;

namespace LoRA2.Native.Training.Distribution;

/// <summary>What a process says with each step's gradients.</summary>
/// <param name="WantsToStop">Whether it was asked to stop.</param>
/// <param name="Seconds">How long it computed.</param>
/// <param name="Tokens">Tokens that it computed, padding counted.</param>
internal readonly record struct StepWord(bool WantsToStop, float Seconds, int Tokens);

/// <summary>The words of all processes, the same everywhere, and which slots have gradients at all.</summary>
internal sealed class StepWords
{
    private const int HeaderBytes = 12;

    private readonly Communicator communicator;
    private readonly int slots;
    private readonly byte[] own;
    private readonly byte[] all;
    private readonly int[] counts;

    public StepWords(Communicator communicator, int slots)
    {
        (this.communicator, this.slots) = (communicator, slots);
        own = GC.AllocateArray<byte>(HeaderBytes + ((slots + 7) / 8), pinned: true);
        all = GC.AllocateArray<byte>(own.Length * communicator.Size, pinned: true);
        counts = new int[communicator.Size];
        Array.Fill(counts, own.Length);
    }

    /// <summary>Whether a process wants to stop: then all do, after the same step.</summary>
    public bool IsStopWanted
    {
        get
        {
            for (int rank = 0; rank < counts.Length; rank++)
            {
                if (Of(rank).WantsToStop) return true;
            }

            return false;
        }
    }

    /// <summary>What a process said last.</summary>
    public StepWord Of(int rank)
    {
        ReadOnlySpan<byte> word = all.AsSpan(rank * own.Length, HeaderBytes);
        return new StepWord(MemoryMarshal.Read<int>(word) != 0, MemoryMarshal.Read<float>(word[4..]), MemoryMarshal.Read<int>(word[8..]));
    }

    /// <summary>Whether a slot has a gradient in any process.</summary>
    public bool IsPresent(int slot)
    {
        for (int rank = 0; rank < counts.Length; rank++)
        {
            if ((all[(rank * own.Length) + HeaderBytes + (slot / 8)] >> (slot % 8) & 1) != 0) return true;
        }

        return false;
    }

    /// <summary>Forgets what was said.</summary>
    public void Forget() => Array.Clear(all);

    /// <summary>Tells all.</summary>
    public void Exchange(StepWord word, bool[] present)
    {
        Span<byte> bytes = own;
        MemoryMarshal.Write(bytes, word.WantsToStop ? 1 : 0);
        MemoryMarshal.Write(bytes[4..], word.Seconds);
        MemoryMarshal.Write(bytes[8..], word.Tokens);
        bytes[HeaderBytes..].Clear();
        for (int slot = 0; slot < slots; slot++)
        {
            if (present[slot]) bytes[HeaderBytes + (slot / 8)] |= (byte)(1 << (slot % 8));
        }

        communicator.AllGather<byte>(own, all, counts);
    }
}
