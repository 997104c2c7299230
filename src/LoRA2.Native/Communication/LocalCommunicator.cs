namespace LoRA2.Native.Communication;

/// <summary>Threads of one process as if they were processes: for tests, and to try out what several would do.</summary>
/// <example><code>
/// Communicator[] members = LocalCommunicator.Create(4);
/// Parallel.ForEach(members, new ParallelOptions { MaxDegreeOfParallelism = 4 }, member => { … new Trainer(model, options, …, communicator: member) … });
/// </code></example>
public sealed unsafe class LocalCommunicator : Communicator
{
    private readonly Group group;

    private LocalCommunicator(Group group, int rank) => (this.group, Rank) = (group, rank);

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size => group.Hosts.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Hosts => group.Hosts;

    /// <summary>As many members as asked for, each for a thread of its own.</summary>
    public static LocalCommunicator[] Create(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        var group = new Group(size);
        return [.. Enumerable.Range(0, size).Select(rank => new LocalCommunicator(group, rank))];
    }

    /// <inheritdoc/>
    public override void Abort(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        group.Fail($"{NameOf(Rank)} ended: {reason}");
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => group.Leave(Rank);

    /// <inheritdoc/>
    protected override void Wait() => group.Meet();

    /// <inheritdoc/>
    protected override void Spread(Span<byte> values, int root)
    {
        fixed (byte* own = values)
        {
            group.Memory[Rank] = (nint)own;
            group.Meet();
            if (Rank != root) new ReadOnlySpan<byte>((byte*)group.Memory[root], values.Length).CopyTo(values);
            group.Meet();
        }
    }

    /// <inheritdoc/>
    protected override void Gather(ReadOnlySpan<byte> own, Span<byte> all, ReadOnlySpan<int> counts)
    {
        fixed (byte* here = own)
        {
            group.Memory[Rank] = (nint)here;
            group.Meet();
            int start = 0;
            for (int rank = 0; rank < Size; start += counts[rank++]) new ReadOnlySpan<byte>((byte*)group.Memory[rank], counts[rank]).CopyTo(all[start..]);
            group.Meet();
        }
    }

    /// <inheritdoc/>
    protected override void Exchange(ReadOnlySpan<byte> send, ReadOnlySpan<int> sendCounts, Span<byte> receive, ReadOnlySpan<int> receiveCounts)
    {
        fixed (byte* here = send)
        fixed (int* counts = sendCounts)
        {
            group.Memory[Rank] = (nint)here;
            group.Counts[Rank] = (nint)counts;
            group.Meet();
            int start = 0;
            for (int rank = 0; rank < Size; start += receiveCounts[rank++])
            {
                int* theirs = (int*)group.Counts[rank];
                if (theirs[Rank] != receiveCounts[rank]) throw new InvalidOperationException($"process {rank} sends {theirs[Rank]} bytes; {receiveCounts[rank]} were expected");
                long offset = 0;
                for (int i = 0; i < Rank; i++) offset += theirs[i];
                new ReadOnlySpan<byte>((byte*)group.Memory[rank] + offset, receiveCounts[rank]).CopyTo(receive[start..]);
            }

            group.Meet();
        }
    }

    private sealed class Group(int size)
    {
        private readonly object gate = new();
        private int arrived;
        private long meetings;
        private string? failure;

        public nint[] Memory { get; } = new nint[size];

        public nint[] Counts { get; } = new nint[size];

        public string[] Hosts { get; } = [.. Enumerable.Repeat(Environment.MachineName, size)];

        public void Meet()
        {
            lock (gate)
            {
                if (failure is not null) throw new CommunicationException(failure);
                long meeting = meetings;
                if (++arrived == Hosts.Length)
                {
                    arrived = 0;
                    meetings++;
                    Monitor.PulseAll(gate);
                    return;
                }

                while (meeting == meetings && failure is null) Monitor.Wait(gate);
                if (meeting == meetings) throw new CommunicationException(failure!);
            }
        }

        public void Fail(string reason)
        {
            lock (gate)
            {
                failure ??= reason;
                Monitor.PulseAll(gate);
            }
        }

        /// <summary>Whoever waits for a member that has left would wait for ever.</summary>
        public void Leave(int rank) => Fail($"process {rank} of {Hosts.Length} on {Hosts[rank]} has left");
    }
}
