using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using LoRA2.Native.Files;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Pointwise;

namespace LoRA2.Native.Communication;

/// <summary>
/// Processes that compute together, numbered from 0, and what they tell each other. All of them call the same methods in the same order; a call ends when this process has
/// what it asked for. Sums are the same bits in every process and for every transport: their order is a tree over the numbers, not that of arrival.
/// </summary>
/// <remarks>Any thread may call, and a call waits for the one before.</remarks>
public abstract class Communicator : IDisposable
{
    private readonly Lock turn = new();
    private long bytesSent;

    /// <summary>This process's number, 0 … <see cref="Size"/> − 1.</summary>
    public abstract int Rank { get; }

    /// <summary>Number of processes.</summary>
    public abstract int Size { get; }

    /// <summary>The machine of each process.</summary>
    public abstract IReadOnlyList<string> Hosts { get; }

    /// <summary>Whether this is the process that writes and reports.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Bytes that this process has handed over for others so far; what a transport adds, or sends on, is not counted.</summary>
    public long BytesSent => Interlocked.Read(ref bytesSent);

    /// <summary>What a process is called in messages.</summary>
    public string NameOf(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rank, (uint)Size, nameof(rank));
        return $"process {rank} of {Size} on {Hosts[rank]}";
    }

    /// <summary>Waits until all processes are here.</summary>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void Barrier()
    {
        using Lock.Scope own = turn.EnterScope();
        if (Size > 1) Wait();
    }

    /// <summary>Gives every process what one has.</summary>
    /// <param name="values">Of the same length everywhere; read in <paramref name="root"/>, overwritten in the others.</param>
    /// <param name="root">Whose values they are.</param>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void Broadcast<T>(Span<T> values, int root = 0)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)root, (uint)Size, nameof(root));
        using Lock.Scope own = turn.EnterScope();
        Span<byte> bytes = MemoryMarshal.AsBytes(values);
        if (Rank == root) Count((Size - 1) * (long)bytes.Length);
        if (Size > 1 && bytes.Length > 0) Spread(bytes, root);
    }

    /// <summary>Gives every process what all have, one after the other.</summary>
    /// <param name="own">This process's.</param>
    /// <param name="all">Takes the values of process 0, then those of process 1, …</param>
    /// <param name="counts">How many values each process has, the same everywhere.</param>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void AllGather<T>(ReadOnlySpan<T> own, Span<T> all, ReadOnlySpan<int> counts)
        where T : unmanaged
    {
        if (counts.Length != Size) throw new ArgumentException($"there are {counts.Length} counts for {Size} processes", nameof(counts));
        if (own.Length != counts[Rank]) throw new ArgumentException($"there are {own.Length} values; {counts[Rank]} were announced", nameof(own));
        if (all.Length != Sum(counts)) throw new ArgumentException($"there is room for {all.Length} values; {Sum(counts)} will come", nameof(all));
        using Lock.Scope turns = turn.EnterScope();
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(own);
        Count((Size - 1) * (long)bytes.Length);
        if (Size > 1) Gather(bytes, MemoryMarshal.AsBytes(all), InBytes<T>(counts, stackalloc int[Size <= 128 ? Size : 0]));
        else own.CopyTo(all);
    }

    /// <summary>Gives every process what the others have for it.</summary>
    /// <param name="send">The values for process 0, then those for process 1, …</param>
    /// <param name="sendCounts">How many are for each process.</param>
    /// <param name="receive">Takes the values from process 0, then those from process 1, …</param>
    /// <param name="receiveCounts">How many come from each process.</param>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void AllToAll<T>(ReadOnlySpan<T> send, ReadOnlySpan<int> sendCounts, Span<T> receive, ReadOnlySpan<int> receiveCounts)
        where T : unmanaged
    {
        if (sendCounts.Length != Size || receiveCounts.Length != Size) throw new ArgumentException($"there are {sendCounts.Length} and {receiveCounts.Length} counts for {Size} processes", nameof(sendCounts));
        if (send.Length != Sum(sendCounts)) throw new ArgumentException($"there are {send.Length} values; {Sum(sendCounts)} were announced", nameof(send));
        if (receive.Length != Sum(receiveCounts)) throw new ArgumentException($"there is room for {receive.Length} values; {Sum(receiveCounts)} will come", nameof(receive));
        using Lock.Scope own = turn.EnterScope();
        Count((send.Length - sendCounts[Rank]) * (long)SizeOf<T>());
        if (Size > 1)
            Exchange(MemoryMarshal.AsBytes(send), InBytes<T>(sendCounts, stackalloc int[Size <= 128 ? Size : 0]), MemoryMarshal.AsBytes(receive), InBytes<T>(receiveCounts, stackalloc int[Size <= 128 ? Size : 0]));
        else send.CopyTo(receive);
    }

    /// <summary>Sums the values of all processes, element by element, in the tree of <see cref="SumTree"/> over their numbers.</summary>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void AllReduce(Span<float> values) => Reduce(values, static (values, _) => Tree(values));

    /// <summary>Sums the values of all processes, element by element, in the tree of <see cref="SumTree"/> over their numbers.</summary>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void AllReduce(Span<double> values) => Reduce(values, static (values, _) => Tree(values));

    /// <summary>Sums bfloat16 values, given as their bits: in float32, in the same tree, and rounded once to the nearest even.</summary>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void AllReduceBFloat16(Span<ushort> values) => Reduce(values, static (values, wide) =>
    {
        for (int i = 0; i < values.Length; i++) wide[i] = Conversion.FromBFloat16Bits(values[i]);
        return Conversion.ToBFloat16Bits(Tree(wide[..values.Length]));
    });

    /// <summary>A text of each process, to all of them.</summary>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public IReadOnlyList<string> AllGatherText(string own)
    {
        ArgumentNullException.ThrowIfNull(own);
        byte[] bytes = Encoding.UTF8.GetBytes(own);
        int[] counts = new int[Size], ones = new int[Size];
        Array.Fill(ones, 1);
        AllGather<int>([bytes.Length], counts, ones);
        byte[] all = new byte[Sum(counts)];
        AllGather<byte>(bytes, all, counts);
        var texts = new string[Size];
        int start = 0;
        for (int i = 0; i < texts.Length; start += counts[i++]) texts[i] = Encoding.UTF8.GetString(all.AsSpan(start, counts[i]));
        return texts;
    }

    /// <summary>Has process 0 do something alone, while the others wait for it.</summary>
    /// <exception cref="InputException">In every process, when it threw that in process 0.</exception>
    /// <exception cref="CommunicationException">It threw something else there, or a process is no more.</exception>
    public void OnFirst(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        Exception? failure = null;
        try
        {
            if (IsFirst) action();
        }
        catch (Exception e)
        {
            failure = e;
        }

        string said = AllGatherText(failure is null ? "" : (failure is InputException ? "i" : "o") + failure.Message)[0];
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        if (said.Length > 0) throw said[0] == 'i' ? new InputException(said[1..]) : new CommunicationException($"{NameOf(0)} failed: {said[1..]}");
    }

    /// <summary>Throws in every process when one found something wrong with its input.</summary>
    /// <param name="wrong">What this one found, or null.</param>
    /// <exception cref="InputException">One found something; the message is that of the first.</exception>
    /// <exception cref="CommunicationException">One is no more.</exception>
    public void Agree(string? wrong)
    {
        string? first = AllGatherText(wrong ?? "").FirstOrDefault(text => text.Length > 0);
        if (first is not null) throw new InputException(first);
    }

    /// <summary>Tells the others that this process can't go on. Their calls, those that wait already too, end with a <see cref="CommunicationException"/> that has the reason.</summary>
    public abstract void Abort(string reason);

    /// <summary>Leaves the others.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Leaves the others.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Does <see cref="Barrier"/> for more than one process.</summary>
    protected abstract void Wait();

    /// <summary>Does <see cref="Broadcast{T}"/> for more than one process.</summary>
    protected abstract void Spread(Span<byte> values, int root);

    /// <summary>Does <see cref="AllGather{T}"/> for more than one process. The counts are of bytes.</summary>
    protected abstract void Gather(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts);

    /// <summary>Does <see cref="AllToAll{T}"/> for more than one process. The counts are of bytes.</summary>
    protected abstract void Exchange(ReadOnlySpan<byte> send, ReadOnlySpan<int> sendCounts, Span<byte> receive, ReadOnlySpan<int> receiveCounts);

    /// <summary>Sums a value of each process, with room for as many floats.</summary>
    private delegate T Summing<T>(Span<T> values, Span<float> wide);

    /// <summary>Each process sums a stretch of the elements, of which it gets everybody's, and gives the sums to all.</summary>
    private void Reduce<T>(Span<T> values, Summing<T> sum)
        where T : unmanaged
    {
        if (Size == 1) return;
        int[] stretches = new int[Size], received = new int[Size];
        for (int rank = 0; rank < Size; rank++)
        {
            (int first, int end) = SumTree.Share(values.Length, rank, Size);
            stretches[rank] = end - first;
        }

        int own = stretches[Rank];
        Array.Fill(received, own);
        var all = new T[own * Size];
        AllToAll<T>(values, stretches, all, received);
        Span<T> column = new T[Size];
        var sums = new T[own];
        var wide = new float[Size];
        for (int i = 0; i < own; i++)
        {
            for (int rank = 0; rank < Size; rank++) column[rank] = all[(rank * own) + i];
            sums[i] = sum(column, wide);
        }

        AllGather<T>(sums, values, stretches);
    }

    private static T Tree<T>(Span<T> values)
        where T : IAdditionOperators<T, T, T>
    {
        if (values.Length == 1) return values[0];
        int half = SumTree.Half(values.Length);
        return Tree(values[..half]) + Tree(values[half..]);
    }

    private static int Sum(ReadOnlySpan<int> counts)
    {
        int sum = 0;
        foreach (int count in counts) sum = checked(sum + count);
        return sum;
    }

    private static ReadOnlySpan<int> InBytes<T>(ReadOnlySpan<int> counts, Span<int> room)
        where T : unmanaged
    {
        if (room.Length == 0) room = new int[counts.Length];
        for (int i = 0; i < counts.Length; i++) room[i] = checked(counts[i] * SizeOf<T>());
        return room;
    }

    private static unsafe int SizeOf<T>()
        where T : unmanaged => sizeof(T);

    private void Count(long bytes) => Interlocked.Add(ref bytesSent, bytes);
}
