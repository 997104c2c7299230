using System.Runtime.CompilerServices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts.Tiles;

/// <summary>
/// Small matrix products of packed bfloat16 blocks, on the calling thread alone: for kernels that work on blocks that fit the second-level cache, inside
/// a parallel part. Operands are float32 and are converted while they are packed; an operand of several products is
/// packed once. Nothing is allocated on the managed heap. Only where <see cref="BFloat16Paths.Of"/> the precision is not
/// <see cref="BFloat16Path.Vector"/>: elsewhere a kernel that would use it computes in float32.
/// </summary>
/// <remarks>
/// Rounding and order of summation are those of <see cref="BFloat16Gemm"/>. An element's bits depend on its row of the left and its column of
/// the right operand only. Any thread may read what another has packed.
/// </remarks>
internal static unsafe class TileBlock
{
    /// <summary>Bytes of a packed left operand of <paramref name="rows"/> × <paramref name="depth"/>.</summary>
    public static nint LeftBytes(int rows, int depth, Precision precision) =>
        TileShape.Slices(rows) * TileShape.SliceBytes(depth, TileShape.Terms(precision));

    /// <summary>Bytes of a packed right operand of <paramref name="depth"/> × <paramref name="columns"/>.</summary>
    public static nint RightBytes(int depth, int columns, Precision precision) => LeftBytes(columns, depth, precision);

    /// <summary>Packs scale · op(A), <paramref name="rows"/> × <paramref name="depth"/>.</summary>
    /// <param name="a">Element (0, 0) of A as it lies in memory, row-major.</param>
    /// <param name="lda">Elements between rows of A as it lies in memory.</param>
    /// <param name="transposed">Whether memory holds depth × rows.</param>
    /// <param name="rows">Rows of op(A).</param>
    /// <param name="depth">Columns of op(A).</param>
    /// <param name="scale">Factor, applied before rounding.</param>
    /// <param name="precision">One of the precisions of bfloat16 terms; that of the product.</param>
    /// <param name="packed">Receives <see cref="LeftBytes"/> bytes; aligned to 64.</param>
    public static void PackLeft(
        float* a, int lda, bool transposed, int rows, int depth, float scale, Precision precision, byte* packed) =>
        Pack(a, lda, !transposed, true, rows, depth, scale, precision, packed);

    /// <summary>Packs op(B), <paramref name="depth"/> × <paramref name="columns"/>.</summary>
    /// <param name="b">Element (0, 0) of B as it lies in memory, row-major.</param>
    /// <param name="ldb">Elements between rows of B as it lies in memory.</param>
    /// <param name="transposed">Whether memory holds columns × depth.</param>
    /// <param name="depth">Rows of op(B).</param>
    /// <param name="columns">Columns of op(B).</param>
    /// <param name="precision">One of the precisions of bfloat16 terms; that of the product.</param>
    /// <param name="packed">Receives <see cref="RightBytes"/> bytes; aligned to 64.</param>
    public static void PackRight(float* b, int ldb, bool transposed, int depth, int columns, Precision precision, byte* packed) =>
        Pack(b, ldb, transposed, false, columns, depth, 1, precision, packed);

    /// <summary>C (m × n) = left (m × k) · right (k × n) + beta · C, of packed operands.</summary>
    /// <param name="precision">The precision both were packed for.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">Depth both were packed for; 0 leaves beta · C.</param>
    /// <param name="left">From <see cref="PackLeft"/>.</param>
    /// <param name="right">From <see cref="PackRight"/>.</param>
    /// <param name="beta">Factor of what C holds; 0 leaves it unread.</param>
    /// <param name="c">Element (0, 0) of C, row-major.</param>
    /// <param name="ldc">Elements between rows of C.</param>
    [SkipLocalsInit]
    public static void Multiply(Precision precision, int m, int n, int k, byte* left, byte* right, float beta, float* c, int ldc)
    {
        int terms = TileShape.Terms(precision);
        nint size = TileShape.SliceBytes(k, terms);
        float* block = stackalloc float[TileShape.BlockFloats];
        bool adds = beta == 1;
        var call = new TileCall { Steps = TileShape.Steps(k) };
        BlockCode code = BFloat16Code.Of(BFloat16Paths.Of(precision));
        code.Configure();
        for (int column = 0; column < n; column += TileShape.Lanes, right += size)
        {
            int columns = Math.Min(TileShape.Lanes, n - column);
            call.A = left;
            for (int row = 0; row < m; row += TileShape.Lanes, call.A += size)
            {
                int rows = Math.Min(TileShape.Lanes, m - row);
                float* to = c + (nint)row * ldc + column;
                bool direct = (beta == 0 || adds) && rows % code.RowStep == 0 && columns % 16 == 0;
                call.B = right;
                call.C = direct ? to : TileShape.Align(block);
                if (adds && !direct) TileEpilogue.CopyTo(to, ldc, rows, columns, call.C);
                call.Start = adds ? call.C : null;
                call.Target = call.Second = to;
                call.TargetStep = call.SecondStep = ldc * sizeof(float);
                call.Next = right;
                call.CStep = call.StartStep = (direct ? ldc : TileShape.Lanes) * sizeof(float);
                code.Multiply(&call, rows, columns, terms);
                if (!direct) TileEpilogue.Run(call.C, rows, columns, adds ? 0 : beta, to, ldc, null, 0, null, Activation.None);
            }
        }

        code.Release();
    }

    /// <summary>C (m × n) = alpha · op(A) (m × k) · op(B) (k × n) + beta · C, with both operands as they lie in memory.</summary>
    /// <inheritdoc cref="BFloat16Gemm" path="/remarks"/>
    public static void Multiply(
        Precision precision, bool transA, bool transB, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb,
        float beta, float* c, int ldc)
    {
        byte* left = Scratch.Get<byte>(ScratchUse.Strips, LeftBytes(m, k, precision));
        byte* right = Scratch.Get<byte>(ScratchUse.Panels, RightBytes(k, n, precision));
        PackLeft(a, lda, transA, m, k, alpha, precision, left);
        PackRight(b, ldb, transB, k, n, precision, right);
        Multiply(precision, m, n, k, left, right, beta, c, ldc);
    }

    private static void Pack(
        float* source, nint step, bool depthFirst, bool lanesFirst, int lanes, int depth, float scale, Precision precision, byte* packed)
    {
        int terms = TileShape.Terms(precision);
        nint size = TileShape.SliceBytes(depth, terms);
        for (int lane = 0; lane < lanes; lane += TileShape.Lanes, packed += size)
        {
            TilePacking<float, FloatSource>.Pack(
                source + (depthFirst ? lane * step : lane), step, depthFirst, lanesFirst, Math.Min(TileShape.Lanes, lanes - lane), depth, terms,
                scale, packed);
        }
    }
}
