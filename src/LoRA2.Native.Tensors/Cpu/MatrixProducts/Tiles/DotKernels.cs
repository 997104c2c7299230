using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Kernels of an instruction that adds, to each of 16 sums of 32 bits, the products of the 32 bits of two operands: two pairs of bfloat16, four bytes. A kernel keeps up to 12 rows by 1 or 2 vectors of C in registers; 32 bits
/// of a row of A are broadcast to a register and multiplied with those of 16 columns of B, as they lie in a tile. A block of more rows is several calls.
/// </summary>
internal static unsafe class DotKernels
{
    /// <summary>Rows of a kernel: with two vectors 24 sums, two of B's and six that broadcast.</summary>
    private const int MostRows = 12;

    private const int TileRow = 64, AtOnce = 4;

    /// <summary>Lines of the next panel that a call fetches a step: with three calls a strip, four strips fetch it whole.</summary>
    private const int NextLines = 3;

    /// <summary>sums + the products of <paramref name="x"/>, the same for every column, and <paramref name="y"/>.</summary>
    public delegate void Instruction(Assembler c, AssemblerRegisterZMM sums, AssemblerRegisterZMM x, AssemblerRegisterZMM y);

    /// <summary>Every kernel, in the order that <see cref="Multiply"/> expects.</summary>
    public static IEnumerable<Label> Write(Assembler c, Instruction multiply) =>
        from vectors in Enumerable.Range(1, 2) from rows in Enumerable.Range(1, MostRows) select Kernel(c, rows, vectors, multiply);

    /// <summary>Makes a block of C of up to 32 rows by 32 columns, these in multiples of 16.</summary>
    public static void Multiply(AssembledCode code, TileCall* call, int rows, int columns)
    {
        TileCall part = *call;
        int kernels = columns > 16 ? MostRows - 1 : -1;
        for (int calls = (rows + MostRows - 1) / MostRows; calls > 0; calls--)
        {
            int height = (rows + calls - 1) / calls;
            ((delegate* unmanaged[SuppressGCTransition]<TileCall*, void>)code.Entry(kernels + height))(&part);
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

    private static Label Kernel(Assembler c, int rows, int vectors, Instruction multiply)
    {
        Label entry = AssembledCode.Start(c), zero = c.CreateLabel(), start = c.CreateLabel(), fetched = c.CreateLabel(), summed = c.CreateLabel(), store = c.CreateLabel();
        c.mov(rax, __qword_ptr[rdi + TileCall.OffsetStart]);
        c.mov(rsi, __qword_ptr[rdi + TileCall.OffsetStartStep]);
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
        c.mov(r8, __qword_ptr[rdi + TileCall.OffsetTarget]);
        c.mov(r9, __qword_ptr[rdi + TileCall.OffsetSecond]);
        c.mov(r10, __qword_ptr[rdi + TileCall.OffsetTargetStep]);
        c.mov(r11, r8);
        Fetch(c, rows, vectors, true);
        c.cmp(r9, r11);
        c.je(fetched);
        c.mov(r8, r9);
        c.mov(r10, __qword_ptr[rdi + TileCall.OffsetSecondStep]);
        Fetch(c, rows, vectors, false);
        c.Label(ref fetched);
        c.mov(r11, __qword_ptr[rdi + TileCall.OffsetNext]);
        Walk(c, rows, vectors, TileCall.OffsetA, TileCall.OffsetB, TileCall.OffsetSteps, summed, true, multiply);
        c.Label(ref summed);
        Walk(c, rows, vectors, TileCall.OffsetLeft, TileCall.OffsetRight, TileCall.OffsetRankSteps, store, false, multiply);
        c.Label(ref store);
        c.mov(rdx, __qword_ptr[rdi + TileCall.OffsetC]);
        c.mov(r9, __qword_ptr[rdi + TileCall.OffsetCStep]);
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
    private static void Walk(Assembler c, int rows, int vectors, int offsetA, int offsetB, int offsetSteps, Label none, bool fetches, Instruction multiply)
    {
        Label step = c.CreateLabel(), words = c.CreateLabel();
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

        c.mov(edx, 16 / AtOnce);
        c.Label(ref words);
        for (int p = 0; p < AtOnce; p++)
        {
            for (int j = 0; j < vectors; j++) c.vmovups(Zmm(24 + j), __[rax + ((j * BlockCode.TileBytes) + (p * TileRow))]);
            for (int i = 0; i < rows; i++)
            {
                AssemblerRegisterZMM word = Zmm(26 + (i % 6));
                c.vpbroadcastd(word, __dword_ptr[rsi + ((i * TileRow) + (p * 4))]);
                for (int j = 0; j < vectors; j++) multiply(c, Sum(i, j, vectors), word, Zmm(24 + j));
            }
        }

        c.add(rsi, AtOnce * 4);
        c.add(rax, AtOnce * TileRow);
        c.dec(edx);
        c.jne(words);
        c.add(rsi, BlockCode.GroupBytes - TileRow);
        c.add(rax, BlockCode.GroupBytes - BlockCode.TileBytes);
        c.dec(rcx);
        c.jne(step);
    }

    private static AssemblerRegisterZMM Sum(int row, int vector, int vectors) => Zmm((row * vectors) + vector);

    private static AssemblerRegisterZMM Zmm(int index) => new(Register.ZMM0 + index);
}
