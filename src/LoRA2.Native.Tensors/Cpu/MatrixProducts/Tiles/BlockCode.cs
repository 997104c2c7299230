using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Assembled code that multiplies packed bfloat16 blocks and rounds floats for them.
/// </summary>
/// <remarks>Packed operands are laid out as <see cref="TilePacking{T, TSource}"/> says, whatever multiplies them.</remarks>
internal abstract unsafe class BlockCode
{
    /// <summary>Bytes of a tile: 16 rows of 64.</summary>
    public const int TileBytes = 1024;

    /// <summary>Bytes of the two tiles that one term takes in a step.</summary>
    public const int GroupBytes = 2 * TileBytes;

    /// <summary>Terms that an operand may be split into.</summary>
    protected const int MostTerms = 3;

    private readonly AssembledCode code;

    /// <summary>Code whose last entries are those of <see cref="Rounding(Assembler)"/>.</summary>
    protected BlockCode(AssembledCode code) => this.code = code;

    /// <summary>C's rows are written in multiples of this, rows that are not there among them.</summary>
    public abstract int RowStep { get; }

    /// <summary>Readies this thread. <see cref="Release"/> belongs after the last product of a part.</summary>
    public abstract void Configure();

    /// <summary>Ends what <see cref="Configure"/> began.</summary>
    public abstract void Release();

    /// <summary>Makes a block of C of up to 32 × 32; its columns are written in multiples of 16, its rows in those of <see cref="RowStep"/>.</summary>
    /// <param name="call">The block.</param>
    /// <param name="rows">1 to 32.</param>
    /// <param name="columns">1 to 32.</param>
    /// <param name="terms">Bfloat16 terms of an operand.</param>
    public abstract void Multiply(TileCall* call, int rows, int columns, int terms);

    /// <summary>
    /// Rounds rows of floats to bfloat16, or splits them into terms: 32 floats, of row i at step s, go to 64 bytes at
    /// destination + 64 i + terms · <see cref="GroupBytes"/> · s, further terms <see cref="GroupBytes"/> on.
    /// </summary>
    /// <param name="source">Row 0.</param>
    /// <param name="sourceStep">Bytes between rows.</param>
    /// <param name="rows">Rows, 1 or more.</param>
    /// <param name="steps">Steps of 32 floats, 1 or more.</param>
    /// <param name="terms">1, 2 or 3.</param>
    /// <param name="destination">64-byte aligned.</param>
    public void Round(float* source, nint sourceStep, nint rows, nint steps, int terms, byte* destination) =>
        ((delegate* unmanaged[SuppressGCTransition]<float*, nint, nint, nint, byte*, void>)code.Entry(code.Count - 1 - MostTerms + terms))(
            source, sourceStep, rows, steps, destination);

    /// <summary>The entries that <see cref="Round"/> needs.</summary>
    protected static IEnumerable<Label> Rounding(Assembler c) => from terms in Enumerable.Range(1, MostTerms) select Rounding(c, terms);

    private static Label Rounding(Assembler c, int terms)
    {
        Label entry = AssembledCode.Start(c), row = c.CreateLabel(), step = c.CreateLabel();
        c.Label(ref row);
        c.mov(rax, rdi);
        c.mov(r10, r8);
        c.mov(r11, rcx);
        c.Label(ref step);
        c.vmovups(zmm0, __[rax]);
        c.vmovups(zmm1, __[rax + 64]);
        for (int term = 0; term < terms; term++)
        {
            c.vcvtne2ps2bf16(zmm2, zmm1, zmm0);
            c.vmovups(__[r10 + (term * GroupBytes)], zmm2);
            if (term == terms - 1) break;
            c.vextracti64x4(ymm3, zmm2, 1);
            c.vpmovzxwd(zmm2, ymm2);
            c.vpmovzxwd(zmm3, ymm3);
            c.vpslld(zmm2, zmm2, 16);
            c.vpslld(zmm3, zmm3, 16);
            c.vsubps(zmm0, zmm0, zmm2);
            c.vsubps(zmm1, zmm1, zmm3);
        }

        c.add(rax, 128);
        c.add(r10, terms * GroupBytes);
        c.dec(r11);
        c.jne(step);
        c.add(rdi, rsi);
        c.add(r8, 64);
        c.dec(rdx);
        c.jne(row);
        c.vzeroupper();
        c.ret();
        return entry;
    }
}
