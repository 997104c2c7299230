using LoRA2.Native.Communication;
using LoRA2.Native.Files;

namespace LoRA2.Native.Training.Distribution;

/// <summary>A file that process 0 has and all read.</summary>
internal static class SharedFile
{
    private const int BlockBytes = 1 << 24;

    /// <summary>Reads the file in process 0, and a copy of it, which is gone again after that, in the others.</summary>
    /// <exception cref="InputException">In every process, when it could not be read in one.</exception>
    public static void Read(Communicator communicator, string path, Action<string> read)
    {
        communicator.OnFirst(() => read(path));
        string name = communicator.AllGatherText(path)[0], copy = communicator.IsFirst ? path : Path.Combine(Path.GetTempPath(), $"lora2-{Guid.NewGuid():N}");
        string? wrong = null;
        try
        {
            Spread(communicator, copy);
            if (!communicator.IsFirst) read(copy);
        }
        catch (InputException e)
        {
            // The copy is of no interest to anybody.
            wrong = $"{communicator.NameOf(communicator.Rank)}: {e.Message.Replace(copy, name, StringComparison.Ordinal)}";
        }
        finally
        {
            if (!communicator.IsFirst) File.Delete(copy);
        }

        communicator.Agree(wrong);
    }

    private static void Spread(Communicator communicator, string path)
    {
        using var file = new FileStream(path, communicator.IsFirst ? FileMode.Open : FileMode.CreateNew, communicator.IsFirst ? FileAccess.Read : FileAccess.Write);
        Span<long> length = [communicator.IsFirst ? file.Length : 0];
        communicator.Broadcast(length);
        byte[] block = GC.AllocateUninitializedArray<byte>((int)Math.Min(BlockBytes, length[0]), pinned: true);
        for (long done = 0; done < length[0]; done += block.Length)
        {
            Span<byte> some = block.AsSpan(0, (int)Math.Min(block.Length, length[0] - done));
            if (communicator.IsFirst) file.ReadExactly(some);
            communicator.Broadcast(some);
            if (!communicator.IsFirst) file.Write(some);
        }
    }
}
