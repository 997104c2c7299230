using System.Diagnostics;
using LoRA2.Native.Communication;

namespace LoRA2.Native.Benchmarks.Distributed;

/// <summary>A communicator that notes when each call began and ended.</summary>
internal sealed class TracedCommunicator(Communicator inner) : Communicator
{
    private readonly List<(string Call, long Bytes, long Begin, long End)> calls = [];

    /// <summary>What was called, in order: the name, the bytes that were handed over, and <see cref="Stopwatch"/> stamps.</summary>
    public IReadOnlyList<(string Call, long Bytes, long Begin, long End)> Calls => calls;

    public override int Rank => inner.Rank;

    public override int Size => inner.Size;

    public override IReadOnlyList<string> Hosts => inner.Hosts;

    public override void Abort(string reason) => inner.Abort(reason);

    /// <summary>Forgets what was noted.</summary>
    public void Clear() => calls.Clear();

    protected override void Dispose(bool disposing) => inner.Dispose();

    protected override void Wait()
    {
        long begin = Stopwatch.GetTimestamp();
        inner.Barrier();
        calls.Add(("barrier", 0, begin, Stopwatch.GetTimestamp()));
    }

    protected override void Spread(Span<byte> values, int root)
    {
        long begin = Stopwatch.GetTimestamp();
        inner.Broadcast(values, root);
        calls.Add(("broadcast", values.Length, begin, Stopwatch.GetTimestamp()));
    }

    protected override void Gather(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
    {
        long begin = Stopwatch.GetTimestamp();
        inner.AllGather(own, all, counts);
        calls.Add(("gather", own.Length, begin, Stopwatch.GetTimestamp()));
    }

    protected override void Exchange(ReadOnlySpan<byte> send, ReadOnlySpan<int> sendCounts, Span<byte> receive, ReadOnlySpan<int> receiveCounts)
    {
        long begin = Stopwatch.GetTimestamp();
        inner.AllToAll(send, sendCounts, receive, receiveCounts);
        calls.Add(("exchange", send.Length, begin, Stopwatch.GetTimestamp()));
    }
}
