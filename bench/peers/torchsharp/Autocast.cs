using System.Runtime.InteropServices;

namespace LoRA2.Native.Peers.Torch;

/// <summary>libtorch's autocast to bfloat16 on the CPU. TorchSharp binds none of it; libtorch exports what it takes under C++'s names.</summary>
internal static partial class Autocast
{
    private const string Library = "libtorch_cpu.so";
    private const sbyte Cpu = 0, BFloat16 = 15;

    /// <summary>What runs inside is cast; casts of weights are kept until the outermost region ends.</summary>
    public static Region Begin(bool casts)
    {
        if (casts)
        {
            SetType(Cpu, BFloat16);
            SetEnabled(Cpu, true);
            SetCaching(true);
            _ = Enter();
        }

        return new Region(casts);
    }

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb")]
    private static partial void SetEnabled(sbyte device, [MarshalAs(UnmanagedType.U1)] bool enabled);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE")]
    private static partial void SetType(sbyte device, sbyte type);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast26set_autocast_cache_enabledEb")]
    private static partial void SetCaching([MarshalAs(UnmanagedType.U1)] bool enabled);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast17increment_nestingEv")]
    private static partial int Enter();

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast17decrement_nestingEv")]
    private static partial int Leave();

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast11clear_cacheEv")]
    private static partial void ForgetCasts();

    /// <summary>Ends the casts when disposed.</summary>
    public readonly struct Region(bool casts) : IDisposable
    {
        public void Dispose()
        {
            if (!casts) return;
            if (Leave() == 0) ForgetCasts();
            SetEnabled(Cpu, false);
        }
    }
}
