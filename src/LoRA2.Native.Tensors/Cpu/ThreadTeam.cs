using System.Diagnostics;
using System.Runtime.ExceptionServices;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Integers;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu;

/// <summary>
/// A piece of work split into numbered parts that touch disjoint outputs, so that the result does not depend on who runs which part.
/// </summary>
internal interface IParallelTask
{
    /// <summary>Does part <paramref name="index"/>.</summary>
    void Run(int index);
}

/// <summary>
/// The one pool of compute threads. A region is started with <see cref="Run{T}"/>; the caller works too. Regions don't nest: one started
/// inside another, or while another thread holds the team, runs on its own thread alone. Starting a region allocates nothing.
/// </summary>
internal static unsafe class ThreadTeam
{
    /// <summary>
    /// How long a worker looks for more work before it sleeps. Waking a sleeper takes some 20 µs; regions of one training step follow
    /// closer.
    /// </summary>
    private static readonly long SpinTicks = Stopwatch.Frequency * 300 / 1_000_000;

    private static readonly object Gate = new();
    private static Worker[] workers = [];
    private static int count = DefaultCount();

    private static delegate*<void*, int, void> body;
    private static void* argument;
    private static int total;
    private static int next;
    private static int pending;
    private static ExceptionDispatchInfo? failure;
    private static SimdPath? path;
    private static BFloat16Path? tilePath;
    private static BytePath? bytePath;

    [ThreadStatic]
    private static bool inRegion;

    /// <summary>
    /// Threads a region may use, the caller's among them. Starts at the environment variable <c>LORA2_THREADS</c>, else the number of
    /// processors.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is below 1 or above 1,024.</exception>
    public static int Count
    {
        get => count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            lock (Gate) count = value;
        }
    }

    /// <summary>Threads that a region started here would use: one if the caller is inside a region.</summary>
    public static int Available => inRegion ? 1 : count;

    /// <summary>Runs parts 0 … <paramref name="parts"/> − 1 of <paramref name="task"/> and returns when all are done.</summary>
    public static void Run<T>(int parts, T task)
        where T : unmanaged, IParallelTask => Run(parts, &Invoke<T>, &task);

    private static void Invoke<T>(void* task, int index)
        where T : unmanaged, IParallelTask => ((T*)task)->Run(index);

    /// <summary>What is the same for every task is compiled once: there are hundreds of them, each of which a program compiled ahead of time has a copy of.</summary>
    private static void Run(int parts, delegate*<void*, int, void> part, void* task)
    {
        if (parts <= 1 || count == 1 || inRegion || !Monitor.TryEnter(Gate))
        {
            for (int i = 0; i < parts; i++) part(task, i);
            return;
        }

        try
        {
            inRegion = true;
            int helpers = Math.Min(count, parts) - 1;
            EnsureWorkers(helpers);
            body = part;
            argument = task;
            total = parts;
            failure = null;
            path = SimdPaths.Forced;
            tilePath = BFloat16Paths.Forced;
            bytePath = ByteCode.Forced;
            Volatile.Write(ref next, 0);
            Volatile.Write(ref pending, helpers);
            for (int i = 0; i < helpers; i++) workers[i].Wake();
            Drain();
            for (int i = 0; i < helpers; i++)
            {
                // A worker that has not begun by now has nothing left to do; waiting for it to wake would only cost time.
                if (workers[i].Revoke()) Interlocked.Decrement(ref pending);
            }

            SpinWait spin = default;
            while (Volatile.Read(ref pending) != 0) spin.SpinOnce(sleep1Threshold: -1);
            failure?.Throw();
        }
        finally
        {
            inRegion = false;
            Monitor.Exit(Gate);
        }
    }

    private static void Drain()
    {
        int index;
        while ((index = Interlocked.Increment(ref next) - 1) < total)
        {
            try
            {
                body(argument, index);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
                Volatile.Write(ref next, total);
            }
        }
    }

    private static void EnsureWorkers(int needed)
    {
        if (workers.Length >= needed) return;
        var grown = new Worker[needed];
        workers.CopyTo(grown, 0);
        for (int i = workers.Length; i < needed; i++) grown[i] = new Worker(i);
        workers = grown;
    }

    private static int DefaultCount() =>
        int.TryParse(Environment.GetEnvironmentVariable("LORA2_THREADS"), out int n) && n is >= 1 and <= 1024 ? n : Environment.ProcessorCount;

    private sealed class Worker
    {
        private const int Idle = 0, Waiting = 1, Asleep = 2;
        private readonly SemaphoreSlim sleep = new(0);
        private int state;

        public Worker(int number)
        {
            new Thread(Loop) { IsBackground = true, Name = $"LoRA2 compute {number + 1}" }.Start();
        }

        public void Wake()
        {
            if (Interlocked.Exchange(ref state, Waiting) == Asleep) sleep.Release();
        }

        /// <summary>Takes back a <see cref="Wake"/> that the worker has not acted on yet.</summary>
        public bool Revoke() => Interlocked.CompareExchange(ref state, Idle, Waiting) == Waiting;

        private void Loop()
        {
            inRegion = true;
            while (true)
            {
                // With more threads than processors, spinning would only keep another thread from its work.
                if (count <= Environment.ProcessorCount)
                {
                    long end = Stopwatch.GetTimestamp() + SpinTicks;
                    while (Volatile.Read(ref state) != Waiting && Stopwatch.GetTimestamp() < end) Thread.SpinWait(1);
                }

                if (Revoke())
                {
                    SimdPaths.Forced = path;
                    BFloat16Paths.Forced = tilePath;
                    ByteCode.Forced = bytePath;
                    Drain();
                    Interlocked.Decrement(ref pending);
                }
                else if (Interlocked.CompareExchange(ref state, Asleep, Idle) == Idle)
                {
                    sleep.Wait();
                }
            }
        }
    }
}
