using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Kernels of the tile unit, whatever its instruction multiplies: pairs of bfloat16, fours of bytes. A kernel keeps a block of C of 1 or 2 by 1 or 2 tiles (16 × 16 sums of 32 bits each) in tile registers 0 … 3 while it walks
/// the depth, 64 bytes of a row a step: tiles 4 and 5 hold A's rows, 6 and 7 B's columns.
/// </summary>
/// <remarks>
/// Packed operands: a step of a strip (or panel) is one group of two 1 KB tiles for each bfloat16 term of the split, largest first. Each
/// product of a group of A and one of B is added to the same sums, the small ones first; an order is chosen in which
/// one of the two groups stays in its registers.
/// </remarks>
internal static unsafe class TileKernels
{
    /// <summary>Rows of a tile: C's are written in multiples of them.</summary>
    public const int TileRows = 16;

    private const int ConfigureEntry = 0, ReleaseEntry = 1, FirstKernel = 2;

    /// <summary>Steps in which a block's target is fetched, two rows each.</summary>
    private const int TargetSteps = TileShape.Lanes / 2;

    /// <summary>Products of terms (of A, of B) for one, two and three terms.</summary>
    private static readonly (int A, int B)[][] Orders =
        [[(0, 0)], [(1, 0), (0, 1), (0, 0)], [(2, 0), (0, 2), (1, 1), (1, 0), (0, 1), (0, 0)]];

    /// <summary>sums + the products of a tile of A and one of B.</summary>
    public delegate void Instruction(Assembler c, AssemblerRegisterTMM sums, AssemblerRegisterTMM a, AssemblerRegisterTMM b);

    /// <summary>Every kernel for operands of 1 to <paramref name="mostTerms"/> terms, as the methods here expect them.</summary>
    public static IEnumerable<Label> Write(Assembler c, int mostTerms, Instruction multiply)
    {
        yield return AssembledCode.Start(c);
        c.ldtilecfg(__[rdi]);
        c.ret();
        yield return AssembledCode.Start(c);
        c.tilerelease();
        c.ret();
        for (int i = 0; i < 4 * mostTerms; i++) yield return Kernel(c, (i & 1) + 1, (i >> 1 & 1) + 1, Orders[i >> 2], multiply);
    }

    /// <inheritdoc cref="BlockCode.Multiply"/>
    public static void Multiply(AssembledCode code, TileCall* call, int rows, int columns, int terms) =>
        ((delegate* unmanaged[SuppressGCTransition]<TileCall*, void>)code.Entry(FirstKernel + ((terms - 1) * 4) + (columns > 16 ? 2 : 0) + (rows > TileRows ? 1 : 0)))(call);

    /// <summary>
    /// Sets this thread's tile registers up: all 16 rows of 64 bytes. <see cref="Release"/> belongs after the last product of a part, since
    /// registers in use make every switch of threads dearer.
    /// </summary>
    public static void Configure(AssembledCode code)
    {
        byte* palette = stackalloc byte[64];
        new Span<byte>(palette, 64).Clear();
        palette[0] = 1;
        for (int i = 0; i < 8; i++)
        {
            palette[16 + (2 * i)] = 64;
            palette[48 + i] = TileRows;
        }

        ((delegate* unmanaged[SuppressGCTransition]<byte*, void>)code.Entry(ConfigureEntry))(palette);
    }

    /// <summary>Returns the tile registers to their initial state.</summary>
    public static void Release(AssembledCode code) => ((delegate* unmanaged[SuppressGCTransition]<void>)code.Entry(ReleaseEntry))();

    private static Label Kernel(Assembler c, int rowTiles, int columnTiles, (int A, int B)[] order, Instruction multiply)
    {
        Label entry = AssembledCode.Start(c);
        Label zero = c.CreateLabel(), summed = c.CreateLabel(), store = c.CreateLabel();
        c.mov(rdx, __qword_ptr[rdi + TileCall.OffsetC]);
        c.mov(r9, __qword_ptr[rdi + TileCall.OffsetCStep]);
        c.mov(r10, r9);
        c.shl(r10, 4);
        c.add(r10, rdx); // the lower tiles' first row
        c.mov(r8d, 64);
        c.mov(rax, __qword_ptr[rdi + TileCall.OffsetStart]);
        c.mov(rsi, __qword_ptr[rdi + TileCall.OffsetStartStep]);
        c.test(rax, rax);
        c.je(zero);
        c.mov(r11, rsi);
        c.shl(r11, 4);
        c.add(r11, rax); // what the lower tiles start from
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tileloadd(Sum(i, j), __[(i == 0 ? rax : r11) + rsi + (64 * j)]);
        }

        Label start = c.CreateLabel();
        c.jmp(start);
        c.Label(ref zero);
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tilezero(Sum(i, j));
        }

        c.Label(ref start);
        Operands(c, TileCall.OffsetA, TileCall.OffsetB, TileCall.OffsetSteps);
        c.je(summed);
        c.mov(r11, __qword_ptr[rdi + TileCall.OffsetNext]);
        c.push(rbx);
        c.push(rbp);
        c.push(r12);
        c.push(r13);
        c.mov(rbx, __qword_ptr[rdi + TileCall.OffsetTarget]);
        c.mov(rbp, __qword_ptr[rdi + TileCall.OffsetTargetStep]);
        c.mov(r12, __qword_ptr[rdi + TileCall.OffsetSecond]);
        c.mov(r13, __qword_ptr[rdi + TileCall.OffsetSecondStep]);
        Label first = c.CreateLabel(), done = c.CreateLabel();
        c.push(r14);
        c.xor(r14d, r14d);
        c.cmp(rcx, TargetSteps);
        c.jle(first);
        c.lea(r14, __[rcx - TargetSteps]);
        c.mov(ecx, TargetSteps);
        c.Label(ref first);
        c.nop();
        Walk(c, rowTiles, columnTiles, order, Fetch.TargetAndNext, multiply);
        c.mov(rcx, r14);
        c.test(rcx, rcx);
        c.je(done);
        Walk(c, rowTiles, columnTiles, order, Fetch.Next, multiply);
        c.Label(ref done);
        c.pop(r14);
        c.pop(r13);
        c.pop(r12);
        c.pop(rbp);
        c.pop(rbx);
        c.Label(ref summed);
        Operands(c, TileCall.OffsetLeft, TileCall.OffsetRight, TileCall.OffsetRankSteps);
        c.je(store);
        Walk(c, rowTiles, columnTiles, Orders[0], Fetch.None, multiply);
        c.Label(ref store);
        for (int i = 0; i < rowTiles; i++)
        {
            for (int j = 0; j < columnTiles; j++) c.tilestored(__[(i == 0 ? rdx : r10) + r9 + (64 * j)], Sum(i, j));
        }

        c.ret();
        return entry;
    }

    /// <summary>What a step fetches for later.</summary>
    private enum Fetch
    {
        None,
        Next,
        TargetAndNext,
    }

    /// <summary>Loads the pointers of a sum and its steps, and compares these with 0.</summary>
    private static void Operands(Assembler c, int offsetA, int offsetB, int offsetSteps)
    {
        c.mov(rsi, __qword_ptr[rdi + offsetA]);
        c.mov(rax, __qword_ptr[rdi + offsetB]);
        c.mov(rcx, __qword_ptr[rdi + offsetSteps]);
        c.test(rcx, rcx);
    }

    /// <summary>The loop over the depth, for as many steps as rcx says.</summary>
    private static void Walk(Assembler c, int rowTiles, int columnTiles, (int A, int B)[] order, Fetch fetch, Instruction multiply)
    {
        Label loop = c.CreateLabel();
        int terms = order.Max(pair => pair.A) + 1;
        c.Label(ref loop);
        if (fetch == Fetch.TargetAndNext)
        {
            FetchRows(c, rbx, rbp, true);
            FetchRows(c, r12, r13, false);
        }

        if (fetch != Fetch.None)
        {
            for (int line = 0; line < 8 * terms; line++) c.prefetcht1(__[r11 + (64 * line)]);
            c.add(r11, 512 * terms);
        }

        (int heldA, int heldB) = (-1, -1);
        foreach ((int a, int b) in order)
        {
            Group(c, rowTiles, columnTiles, a == heldA ? -1 : a, b == heldB ? -1 : b, multiply);
            (heldA, heldB) = (a, b);
        }

        c.add(rsi, terms * BlockCode.GroupBytes);
        c.add(rax, terms * BlockCode.GroupBytes);
        c.dec(rcx);
        c.jne(loop);
    }

    /// <summary>Fetches two rows of two cache lines, to write to or to read.</summary>
    private static void FetchRows(Assembler c, AssemblerRegister64 row, AssemblerRegister64 step, bool write)
    {
        for (int i = 0; i < 2; i++)
        {
            for (int line = 0; line < 2; line++)
            {
                if (write) c.prefetchw(__[row + (64 * line)]);
                else c.prefetcht0(__[row + (64 * line)]);
            }

            c.add(row, step);
        }
    }

    /// <summary>Loads a group of A and one of B (−1: already there), each tile as late as its first product allows, and multiplies them.</summary>
    private static void Group(Assembler c, int rowTiles, int columnTiles, int a, int b, Instruction multiply)
    {
        for (int i = 0; i < rowTiles; i++)
        {
            if (a >= 0) c.tileloadd(i == 0 ? tmm4 : tmm5, __[rsi + r8 + ((a * BlockCode.GroupBytes) + (i * BlockCode.TileBytes))]);
            for (int j = 0; j < columnTiles; j++)
            {
                if (i == 0 && b >= 0) c.tileloadd(j == 0 ? tmm6 : tmm7, __[rax + r8 + ((b * BlockCode.GroupBytes) + (j * BlockCode.TileBytes))]);
                multiply(c, Sum(i, j), i == 0 ? tmm4 : tmm5, j == 0 ? tmm6 : tmm7);
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
