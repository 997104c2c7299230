namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>Products of bfloat16 blocks by the tile unit (AMX-BF16), assembled when first needed, because .NET has no intrinsics for it.</summary>
internal sealed unsafe class TileCode : BlockCode
{
    private readonly AssembledCode code;

    private TileCode(AssembledCode code)
        : base(code) => this.code = code;

    public override int RowStep => TileKernels.TileRows;

    /// <summary>Assembles every kernel; null if the system grants no executable memory.</summary>
    public static TileCode? Assemble() =>
        AssembledCode.Of(c => TileKernels.Write(c, MostTerms, (c, sums, a, b) => c.tdpbf16ps(sums, a, b)).Concat(Rounding(c))) is { } code ? new TileCode(code) : null;

    public override void Multiply(TileCall* call, int rows, int columns, int terms) => TileKernels.Multiply(code, call, rows, columns, terms);

    public override void Configure() => TileKernels.Configure(code);

    public override void Release() => TileKernels.Release(code);
}
