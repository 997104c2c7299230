using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Kernels of AVX512-BF16's <c>vdpbf16ps</c>, which adds the products of 16 pairs to 16 sums: twice the multiplications of a fused multiply-add in one instruction, without a tile unit. A kernel keeps up to 12 rows by 1 or
/// 2 vectors of C in registers; a pair of A is broadcast to a register and multiplied with a pair of B's rows, one of 16 columns as it lies in a tile. A block of more rows is several calls.
/// </summary>
/// <remarks>Operands of one term only: those of more, which stand for float32, would take three times as long, longer than float32 itself.</remarks>
internal sealed unsafe class DotCode : BlockCode
{
    /// <summary>Rows of a kernel: with two vectors 24 sums, two of B's and six that broadcast.</summary>
    private const int MostRows = 12;

    private const int TileRow = 64, PairsAtOnce = 4, NextLines = 3;

    private static readonly int OffsetA = Offset(nameof(TileCall.A)), OffsetB = Offset(nameof(TileCall.B)), OffsetSteps = Offset(nameof(TileCall.Steps));
    private static readonly int OffsetLeft = Offset(nameof(TileCall.Left)), OffsetRight = Offset(nameof(TileCall.Right)), OffsetRankSteps = Offset(nameof(TileCall.RankSteps));
    private static readonly int OffsetC = Offset(nameof(TileCall.C)), OffsetCStep = Offset(nameof(TileCall.CStep));
    private static readonly int OffsetStart = Offset(nameof(TileCall.Start)), OffsetStartStep = Offset(nameof(TileCall.StartStep));
    private static readonly int OffsetTarget = Offset(nameof(TileCall.Target)), OffsetTargetStep = Offset(nameof(TileCall.TargetStep));
    private static readonly int OffsetSecond = Offset(nameof(TileCall.Second)), OffsetSecondStep = Offset(nameof(TileCall.SecondStep)), OffsetNext = Offset(nameof(TileCall.Next));

    private DotCode(byte* memory, int[] entries)
        : base(memory, entries)
    {
    }

    public override int RowStep => 1;

    /// <summary>Assembles every kernel; null if the system grants no executable memory.</summary>
    public static DotCode? Assemble()
    {
        (nint memory, int[] entries) = Assemble(c => from vectors in new[] { 1, 2 } from rows in Enumerable.Range(1, MostRows) select Kernel(c, rows, vectors));
        return memory == 0 ? null : new DotCode((byte*)memory, entries);
    }

    public override void Configure()
    {
    }

    public override void Release()
    {
    }

    public override void Multiply(TileCall* call, int rows, int columns, int terms)
    {
        TileCall part = *call;
        int kernels = columns > 16 ? MostRows - 1 : -1;
        for (int calls = (rows + MostRows - 1) / MostRows; calls > 0; calls--)
        {
            int height = (rows + calls - 1) / calls;
            ((delegate* unmanaged[SuppressGCTransition]<TileCall*, void>)Entry(kernels + height))(&part);
            rows -= height;
            part.A += height * TileRow;
            part.Left += height * TileRow;
            part.C = (float*)((byte*)part.C + (height * part.CStep));
            if (part.Start != null) part.Start = (float*)((byte*)part.Start + (height * part.StartStep));
            part.Target = (byte*)part.Target + (height * part.TargetStep);
            part.Second = (byte*)part.Second + (height * part.SecondStep);
            part.Next += part.Steps * NextLines * TileRow;
        }
    }

    private static Label Kernel(Assembler c, int rows, int vectors)
    {
        Label entry = Start(c), zero = c.CreateLabel(), start = c.CreateLabel(), fetched = c.CreateLabel(), summed = c.CreateLabel(), store = c.CreateLabel();
        c.mov(rax, __qword_ptr[rdi + OffsetStart]);
        c.mov(rsi, __qword_ptr[rdi + OffsetStartStep]);
        c.test(rax, rax);
        c.je(zero);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < vectors; j++) c.vmovups(Sum(i, j, vectors), __[rax + (64 * j)]);
            if (i < rows - 1) c.add(rax, rsi);
        }

        c.jmp(start);
        c.Label(ref zero);
        for (int i = 0; i < rows * vectors; i++) c.vpxord(Zmm(i), Zmm(i), Zmm(i));
        c.Label(ref start);
        c.mov(r8, __qword_ptr[rdi + OffsetTarget]);
        c.mov(r9, __qword_ptr[rdi + OffsetSecond]);
        c.mov(r10, __qword_ptr[rdi + OffsetTargetStep]);
        c.mov(r11, r8);
        Fetch(c, rows, vectors, true);
        c.cmp(r9, r11);
        c.je(fetched);
        c.mov(r8, r9);
        c.mov(r10, __qword_ptr[rdi + OffsetSecondStep]);
        Fetch(c, rows, vectors, false);
        c.Label(ref fetched);
        c.mov(r11, __qword_ptr[rdi + OffsetNext]);
        Walk(c, rows, vectors, OffsetA, OffsetB, OffsetSteps, summed, true);
        c.Label(ref summed);
        Walk(c, rows, vectors, OffsetLeft, OffsetRight, OffsetRankSteps, store, false);
        c.Label(ref store);
        c.mov(rdx, __qword_ptr[rdi + OffsetC]);
        c.mov(r9, __qword_ptr[rdi + OffsetCStep]);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < vectors; j++) c.vmovups(__[rdx + (64 * j)], Sum(i, j, vectors));
            if (i < rows - 1) c.add(rdx, r9);
        }

        c.vzeroupper();
        c.ret();
        return entry;
    }

    /// <summary>Fetches rows from r8 on, r10 apart.</summary>
    private static void Fetch(Assembler c, int rows, int vectors, bool write)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < vectors; j++)
            {
                if (write) c.prefetchw(__[r8 + (64 * j)]);
                else c.prefetcht0(__[r8 + (64 * j)]);
            }

            if (i < rows - 1) c.add(r8, r10);
        }
    }

    /// <summary>The loop over the depth; goes to <paramref name="none"/> if it has no steps.</summary>
    private static void Walk(Assembler c, int rows, int vectors, int offsetA, int offsetB, int offsetSteps, Label none, bool fetches)
    {
        Label step = c.CreateLabel(), pairs = c.CreateLabel();
        c.mov(rsi, __qword_ptr[rdi + offsetA]);
        c.mov(rax, __qword_ptr[rdi + offsetB]);
        c.mov(rcx, __qword_ptr[rdi + offsetSteps]);
        c.test(rcx, rcx);
        c.je(none);
        c.Label(ref step);
        if (fetches)
        {
            for (int line = 0; line < NextLines; line++) c.prefetcht1(__[r11 + (TileRow * line)]);
            c.add(r11, TileRow * NextLines);
        }

        c.mov(edx, 16 / PairsAtOnce);
        c.Label(ref pairs);
        for (int p = 0; p < PairsAtOnce; p++)
        {
            for (int j = 0; j < vectors; j++) c.vmovups(Zmm(24 + j), __[rax + ((j * TileBytes) + (p * TileRow))]);
            for (int i = 0; i < rows; i++)
            {
                if (vectors == 1)
                {
                    c.vdpbf16ps(Sum(i, 0, 1), zmm24, __dword_bcst[rsi + ((i * TileRow) + (p * 4))]);
                    continue;
                }

                AssemblerRegisterZMM pair = Zmm(26 + (i % 6));
                c.vpbroadcastd(pair, __dword_ptr[rsi + ((i * TileRow) + (p * 4))]);
                c.vdpbf16ps(Sum(i, 0, 2), zmm24, pair);
                c.vdpbf16ps(Sum(i, 1, 2), zmm25, pair);
            }
        }

        c.add(rsi, PairsAtOnce * 4);
        c.add(rax, PairsAtOnce * TileRow);
        c.dec(edx);
        c.jne(pairs);
        c.add(rsi, GroupBytes - TileRow);
        c.add(rax, GroupBytes - TileBytes);
        c.dec(rcx);
        c.jne(step);
    }

    private static AssemblerRegisterZMM Sum(int row, int vector, int vectors) => Zmm((row * vectors) + vector);

    private static AssemblerRegisterZMM Zmm(int index) => new(Register.ZMM0 + index);

    private static int Offset(string field) => (int)Marshal.OffsetOf<TileCall>(field);
}
