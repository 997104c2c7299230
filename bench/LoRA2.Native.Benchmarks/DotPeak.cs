using Iced.Intel;
using LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Benchmarks;

/// <summary>The cores' own limit of an instruction that multiplies and adds several pairs a lane: on registers alone, 24 sums, on several threads at once. Linux on x64 with AVX-512.</summary>
internal static unsafe class DotPeak
{
    private const int Iterations = 100_000, Sums = 24;

    private static readonly Lazy<AssembledCode> BFloat16 = new(() => Assemble((c, sum) => c.vdpbf16ps(sum, zmm30, zmm31)));

    private static readonly Lazy<AssembledCode> Bytes = new(() => Assemble((c, sum) => c.vpdpbusd(sum, zmm30, zmm31)));

    /// <summary>GFLOP/s of vdpbf16ps on <paramref name="threads"/> threads together, each for <paramref name="seconds"/>.</summary>
    public static double OfBFloat16(int threads, double seconds) => FusedMultiplyAdds.OnThreads(threads, () => Rate(BFloat16.Value, 2, seconds));

    /// <summary>GOP/s of vpdpbusd, products of 8-bit integers.</summary>
    /// <inheritdoc cref="OfBFloat16" path="/param"/>
    public static double OfBytes(int threads, double seconds) => FusedMultiplyAdds.OnThreads(threads, () => Rate(Bytes.Value, 4, seconds));

    private static double Rate(AssembledCode code, int products, double seconds)
    {
        long operations = 0;
        double start = Clock.Seconds, elapsed;
        do
        {
            ((delegate* unmanaged<long, void>)code.Entry(0))(Iterations);
            operations += Iterations * Sums * 16L * products * 2;
        }
        while ((elapsed = Clock.Seconds - start) < seconds);
        return operations / elapsed / 1e9;
    }

    private static AssembledCode Assemble(Action<Assembler, AssemblerRegisterZMM> instruction) =>
        AssembledCode.Of(c => [Loop(c, instruction)]) ?? throw new PlatformNotSupportedException("There is no memory here that can be executed.");

    private static Label Loop(Assembler c, Action<Assembler, AssemblerRegisterZMM> instruction)
    {
        Label entry = AssembledCode.Start(c), loop = c.CreateLabel();
        for (int i = 0; i < 32; i++) c.vpxord(Zmm(i), Zmm(i), Zmm(i));
        c.Label(ref loop);
        for (int i = 0; i < Sums; i++) instruction(c, Zmm(i));
        c.dec(rdi);
        c.jne(loop);
        c.vzeroupper();
        c.ret();
        return entry;
    }

    private static AssemblerRegisterZMM Zmm(int index) => new(Register.ZMM0 + index);
}
