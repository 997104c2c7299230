using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Tests.Emulation;

namespace LoRA2.Native.Cuda.Tests.Interpreter;

/// <summary>Runs a kernel's body, written out, on arrays; the parameters are the addresses p0, p1, ... of the arrays.</summary>
internal sealed unsafe class PtxRun : IDisposable
{
    private readonly PtxMachine machine = new();
    private readonly List<ulong> arguments = [];

    public PtxMachine Machine => machine;

    /// <summary>An array in the machine's memory, the next parameter.</summary>
    public T* Array<T>(params T[] values) where T : unmanaged
    {
        var address = (T*)machine.Allocate(sizeof(T) * values.Length);
        values.CopyTo(new Span<T>(address, values.Length));
        arguments.Add((ulong)address);
        return address;
    }

    public void Number(ulong value) => arguments.Add(value);

    /// <summary>Runs <paramref name="body"/> with %rd0, %rd1, ... holding the parameters and %r0 the thread's index.</summary>
    public void Run(string body, Grid3 threads, Grid3? grid = null, int shared = 0) =>
        machine.Launch(Module(body, arguments.Count)["kernel"], grid ?? 1, threads, shared, arguments.ToArray());

    public static PtxModule Module(string body, int parameters = 1)
    {
        var names = Enumerable.Range(0, parameters).ToArray();
        return PtxModule.Parse($$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .extern .shared .align 16 .b8 dynamic[];
            .visible .entry kernel({{string.Join(", ", names.Select(p => $".param .b64 p{p}"))}})
            {
                .reg .pred %p<10>;
                .reg .b16 %h<10>;
                .reg .b32 %r<40>;
                .reg .b64 %rd<40>;
                .reg .f32 %f<40>;
                .reg .f64 %d<10>;
                {{string.Join("\n    ", names.Select(p => $"ld.param.b64 %rd{p}, [p{p}];"))}}
                mov.u32 %r0, %tid.x;
                {{body}}
                ret;
            }
            """);
    }

    public void Dispose() => machine.Dispose();
}
