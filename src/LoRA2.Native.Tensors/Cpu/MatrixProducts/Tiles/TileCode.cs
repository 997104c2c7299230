using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Kernels for the tile unit, assembled when first needed, because .NET has no intrinsics for it. A kernel keeps a block of C of 1 or 2 by
/// 1 or 2 tiles (16 × 16 floats each) in tile registers 0 … 3 while it walks the depth, 32 terms a step: tiles 4 and 5 hold A's rows, 6 and
/// 7 B's columns.
/// </summary>
/// <remarks>
/// Packed operands: a step of a strip (or panel) is one group of two 1 KB tiles for each bfloat16 term of the split, largest first. Each
/// product of a group of A and one of B is added to the same sums, the small ones first; an order is chosen in which
/// one of the two groups stays in its registers.
/// </remarks>
internal sealed unsafe class TileCode
{
    /// <summary>Bytes of a tile: 16 rows of 64.</summary>
    public const int TileBytes = 1024;

    /// <summary>Bytes of the two tiles that one term takes in a step.</summary>
    public const int GroupBytes = 2 * TileBytes;

    private const int OffsetA = 0, OffsetB = 8, OffsetSteps = 16, OffsetLeft = 24, OffsetRight = 32, OffsetRankSteps = 40;
    private const int OffsetC = 48, OffsetCStep = 56, OffsetAccumulate = 64;

    /// <summary>Products of terms (of A, of B) for one, two and three terms.</summary>
    private static readonly (int A, int B)[][] Orders =
        [[(0, 0)], [(1, 0), (0, 1), (0, 0)], [(2, 0), (0, 2), (1, 1), (1, 0), (0, 1), (0, 0)]];

    private readonly byte* memory;
    private readonly int[] entries;
    private readonly int configure;
    private readonly int release;

    private TileCode(byte* memory, int[] entries, int configure, int release)
    {
        this.memory = memory;
        this.entries = entries;
        this.configure = configure;
        this.release = release;
    }

    /// <summary>Assembles every kernel; null if the system grants no executable memory.</summary>
    public static TileCode? Assemble()
    {
        var assembler = new Assembler(64);
        var labels = new Label[14];
        for (int i = 0; i < 12; i++) labels[i] = Kernel(assembler, (i & 1) + 1, (i >> 1 & 1) + 1, Orders[i >> 2]);
        labels[12] = Start(assembler);
        assembler.ldtilecfg(__[rdi]);
        assembler.ret();
        labels[13] = Start(assembler);
        assembler.tilerelease();
        assembler.ret();

        using var stream = new MemoryStream();
        AssemblerResult result = assembler.Assemble(new StreamCodeWriter(stream), 0, BlockEncoderOptions.ReturnNewInstructionOffsets);
        int[] offsets = [.. labels.Select(label => (int)result.GetLabelRIP(label))];
        byte* memory = LinuxMemory.Load(stream.GetBuffer().AsSpan(0, (int)stream.Length));
        return memory == null ? null : new TileCode(memory, offsets[..12], offsets[12], offsets[13]);
    }

    /// <summary>The kernel for a block of 1 or 2 by 1 or 2 tiles, operands split into 1, 2 or 3 terms.</summary>
    public delegate* unmanaged[SuppressGCTransition]<TileCall*, void> Kernel(int rowTiles, int columnTiles, int terms) =>
        (delegate* unmanaged[SuppressGCTransition]<TileCall*, void>)(memory + entries[((terms - 1) * 4) + ((columnTiles - 1) * 2) + rowTiles - 1]);

    /// <summary>
    /// Sets this thread's tile registers up: all 16 rows of 64 bytes. <see cref="Release"/> belongs after the last product of a part, since
    /// registers in use make every switch of threads dearer.
    /// </summary>
    public void Configure()
    {
        byte* palette = stackalloc byte[64];
        new Span<byte>(palette, 64).Clear();
        palette[0] = 1;
        for (int i = 0; i < 8; i++)
        {
            palette[16 + (2 * i)] = 64;
            palette[48 + i] = 16;
        }

        ((delegate* unmanaged[SuppressGCTransition]<byte*, void>)(memory + configure))(palette);
    }

    /// <summary>Returns the tile registers to their initial state.</summary>
    public void Release() => ((delegate* unmanaged[SuppressGCTransition]<void>)(memory + release))();

    private static Label Start(Assembler c)
    {
        Label label = c.CreateLabel();
        c.Label(ref label);
        return label;
    }

    private static Label Kernel(Assembler c, int rowTiles, int columnTiles, (int A, int B)[] order)
    {
        Label entry = Start(c);
        Label zero = c.CreateLabel(), summed = c.CreateLabel(), store = c.CreateLabel();
        c.mov(rdx, __qword_ptr[rdi + OffsetC]);
        c.mov(r9, __qword_ptr[rdi + OffsetCStep]);
        c.mov(r10, r9);
        c.shl(r10, 4);
        c.add(r10, rdx); // the lower tiles' first row
        c.mov(r8d, 64);
        c.cmp(__qword_ptr[rdi + OffsetAccumulate], 0);
        c.je(zero);
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tileloadd(Sum(i, j), __[(i == 0 ? rdx : r10) + r9 + (64 * j)]);
        }

        Label start = c.CreateLabel();
        c.jmp(start);
        c.Label(ref zero);
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tilezero(Sum(i, j));
        }

        c.Label(ref start);
        Walk(c, rowTiles, columnTiles, order, OffsetA, OffsetB, OffsetSteps, ref summed);
        Walk(c, rowTiles, columnTiles, Orders[0], OffsetLeft, OffsetRight, OffsetRankSteps, ref store);
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tilestored(__[(i == 0 ? rdx : r10) + r9 + (64 * j)], Sum(i, j));
        }

        c.ret();
        return entry;
    }

    /// <summary>The loop over the depth.</summary>
    private static void Walk(
        Assembler c, int rowTiles, int columnTiles, (int A, int B)[] order, int offsetA, int offsetB, int offsetSteps, ref Label end)
    {
        Label loop = c.CreateLabel();
        int terms = order.Max(pair => pair.A) + 1;
        c.mov(rcx, __qword_ptr[rdi + offsetSteps]);
        c.mov(rsi, __qword_ptr[rdi + offsetA]);
        c.mov(rax, __qword_ptr[rdi + offsetB]);
        c.test(rcx, rcx);
        c.jle(end);
        c.Label(ref loop);
        (int heldA, int heldB) = (-1, -1);
        foreach ((int a, int b) in order)
        {
            Group(c, rowTiles, columnTiles, a == heldA ? -1 : a, b == heldB ? -1 : b);
            (heldA, heldB) = (a, b);
        }

        c.add(rsi, terms * GroupBytes);
        c.add(rax, terms * GroupBytes);
        c.dec(rcx);
        c.jne(loop);
        c.Label(ref end);
    }

    /// <summary>Loads a group of A and one of B (−1: already there), each tile as late as its first product allows, and multiplies them.</summary>
    private static void Group(Assembler c, int rowTiles, int columnTiles, int a, int b)
    {
        for (int i = 0; i < rowTiles; i++)
        {
            if (a >= 0) c.tileloadd(i == 0 ? tmm4 : tmm5, __[rsi + r8 + ((a * GroupBytes) + (i * TileBytes))]);
            for (int j = 0; j < columnTiles; j++)
            {
                if (i == 0 && b >= 0) c.tileloadd(j == 0 ? tmm6 : tmm7, __[rax + r8 + ((b * GroupBytes) + (j * TileBytes))]);
                c.tdpbf16ps(Sum(i, j), i == 0 ? tmm4 : tmm5, j == 0 ? tmm6 : tmm7);
            }
        }
    }

    private static AssemblerRegisterTMM Sum(int row, int column) => (row, column) switch
    {
        (0, 0) => tmm0,
        (0, 1) => tmm1,
        (1, 0) => tmm2,
        _ => tmm3,
    };
}
