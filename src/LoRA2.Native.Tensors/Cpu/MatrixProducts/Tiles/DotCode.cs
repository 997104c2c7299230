namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Products of bfloat16 blocks by AVX512-BF16's <c>vdpbf16ps</c>, twice the multiplications of a fused multiply-add in one instruction, without a tile unit.
/// </summary>
/// <remarks>Operands of one term only: those of more, which stand for float32, would take three times as long, longer than float32 itself.</remarks>
internal sealed unsafe class DotCode : BlockCode
{
    private readonly AssembledCode code;

    private DotCode(AssembledCode code)
        : base(code) => this.code = code;

    public override int RowStep => 1;

    /// <summary>Assembles every kernel; null if the system grants no executable memory.</summary>
    public static DotCode? Assemble() =>
        AssembledCode.Of(c => DotKernels.Write(c, (c, sums, x, y) => c.vdpbf16ps(sums, x, y)).Concat(Rounding(c))) is { } code ? new DotCode(code) : null;

    public override void Configure()
    {
    }

    public override void Release()
    {
    }

    public override void Multiply(TileCall* call, int rows, int columns, int terms) => DotKernels.Multiply(code, call, rows, columns);
}
