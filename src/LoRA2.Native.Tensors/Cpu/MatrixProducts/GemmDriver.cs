using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Devices;

namespace LoRA2.Native.Tensors.Cpu.MatrixProducts;

/// <summary>Plans matrix products on one vector width: which operands are packed, in which pieces, and on how many threads.</summary>
internal static unsafe class GemmDriver<T, TVector, TSimd>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : unmanaged, ISimd<T, TVector>
{
    /// <summary>Up to this many rows of A, an untransposed B is read where it lies.</summary>
    private const int DirectRows = 48;

    /// <summary>Up to this many columns, A·B is computed as dot products.</summary>
    private const int DotColumns = 12;

    /// <summary>Up to this many rows, A·Bᵀ is computed as dot products.</summary>
    private const int DotRows = 8;

    /// <summary>Up to this many columns, A is read where it lies: packing it would not pay.</summary>
    private const int DirectColumns = 128;

    /// <summary>
    /// Largest transposed A that is read where it lies: its strips are narrow columns, which only a cache-resident matrix has cheaply.
    /// </summary>
    private const long DirectBytes = 256 * 1024;

    /// <summary>Up to this many rows or columns of the result, Aᵀ·B is computed row by row of A and B.</summary>
    private const int ThinColumns = 64;

    private const long PanelsBytes = 16 * 1024 * 1024;

    private static int Width => ProductTask<T, TVector, TSimd>.PanelColumns;

    /// <summary>Longest depth of one product; a deeper one is several, each adding to C.</summary>
    private static int DepthGroup => 16 * ProductTask<T, TVector, TSimd>.DepthBlock;

    /// <summary>The product with B as it lies in memory.</summary>
    public static void Multiply(in MatrixProduct<T> call, T* b, int ldb, bool transB, in Epilogue<T> epilogue)
    {
        bool plain = epilogue.IsEmpty;
        if (!call.TransposedA && (call.Columns <= DotColumns || (transB && call.Rows <= DotRows)))
        {
            MultiplyByDots(call, b, ldb, transB);
            if (!plain) AddAfterwards(call, epilogue);
            return;
        }

        if (plain && call.TransposedA && !transB && IsThin(call.Rows, call.Columns))
        {
            ThinTask<T, TVector, TSimd>.RunAll(Thin(call, call.A, call.Lda, call.Rows, b, ldb, call.Columns, call.Ldc, 1));
            return;
        }

        if (plain && call.TransposedA && !transB && IsThin(call.Columns, call.Rows))
        {
            ThinTask<T, TVector, TSimd>.RunAll(Thin(call, b, ldb, call.Columns, call.A, call.Lda, call.Rows, 1, call.Ldc));
            return;
        }

        Product<T> product = Start(call);
        bool direct = !transB && call.Rows <= DirectRows;
        MultiplyGroups(product, b, ldb, transB, direct, epilogue, call.Depth);
    }

    private static bool IsThin(int few, int many) => few <= ThinColumns && many >= 4 * few;

    private static ThinTask<T, TVector, TSimd> Thin(
        in MatrixProduct<T> call, T* thin, int thinStep, int rows, T* wide, int wideStep, int columns, nint rowStep, nint columnStep) => new()
        {
            Depth = call.Depth,
            DepthGroup = DepthGroup,
            Thin = thin,
            ThinStep = thinStep,
            Rows = rows,
            Wide = wide,
            WideStep = wideStep,
            Columns = columns,
            Alpha = call.Alpha,
            Beta = call.Beta,
            C = call.C,
            CRowStep = rowStep,
            CColumnStep = columnStep,
        };

    /// <summary>The product with B packed before.</summary>
    public static void Multiply(in MatrixProduct<T> call, T* panels, in Epilogue<T> epilogue)
    {
        Product<T> product = Start(call);
        AddEpilogue(ref product, epilogue, 0);
        Product<T> whole = product;
        int groups = Groups(call.Depth);
        for (int g = 0; g < groups; g++)
        {
            (nint start, nint length) = Group(call.Depth, g, groups);
            product.A = call.A + start * (call.TransposedA ? call.Lda : 1);
            product.Depth = length;
            product.B = new PanelView<T> { Data = panels + start * Width, PanelStep = (nint)call.Depth * Width, RowStep = Width };
            Run(ref product, g, groups, call.Beta, whole);
        }
    }

    /// <summary>
    /// The epilogue in a pass of its own, so that an update of zero leaves the bits of the product without one: dot products add up in
    /// another order than tiles.
    /// </summary>
    private static void AddAfterwards(in MatrixProduct<T> call, in Epilogue<T> epilogue)
    {
        if (epilogue.Rank > 0)
        {
            MatrixProduct<T> update = call;
            (update.Depth, update.Alpha, update.Beta) = (epilogue.Rank, epilogue.LowRankScale, T.One);
            update.A = epilogue.Left;
            update.Lda = epilogue.LeftStride;
            Multiply(update, epilogue.Right, epilogue.RightStride, epilogue.RightTransposed, default);
        }

        new TileFinish<T>(epilogue.Bias, epilogue.Residual, epilogue.ResidualStride, epilogue.Activated, call.Ldc, epilogue.Activation, call.C, call.Ldc, call.Rows, call.Columns).Run();
    }

    private static void MultiplyByDots(in MatrixProduct<T> call, T* b, int ldb, bool transB)
    {
        var task = new DotTask<T, TVector, TSimd> { Depth = call.Depth, Alpha = call.Alpha, Beta = call.Beta, C = call.C };
        if (call.Columns <= DotColumns)
        {
            if (!transB)
            {
                T* rows = Scratch.Get<T>(ScratchUse.Panels, (nint)call.Columns * call.Depth);
                if (call.Depth > 0) Packing<T>.Pack(b, ldb, true, call.Columns, call.Depth, call.Depth, rows);
                b = rows;
                ldb = call.Depth;
            }

            (task.Rows, task.Columns) = (call.Rows, call.Columns);
            task.X = call.A;
            task.XStep = call.Lda;
            task.S = b;
            task.SStep = ldb;
            task.CRowStep = call.Ldc;
            task.CColumnStep = 1;
        }
        else
        {
            (task.Rows, task.Columns) = (call.Columns, call.Rows);
            task.X = b;
            task.XStep = ldb;
            task.S = call.A;
            task.SStep = call.Lda;
            task.CRowStep = 1;
            task.CColumnStep = call.Ldc;
        }

        DotTask<T, TVector, TSimd>.RunAll(task);
    }

    private static Product<T> Start(in MatrixProduct<T> call) => new()
    {
        Rows = call.Rows,
        Columns = call.Columns,
        A = call.A,
        AStep = call.Lda,
        TransposedA = call.TransposedA,
        Alpha = call.Alpha,
        DirectA = call.Columns <= DirectColumns && (!call.TransposedA || (long)call.Rows * call.Depth * sizeof(T) <= DirectBytes),
        Beta = call.Beta,
        C = call.C,
        CStep = call.Ldc,
    };

    private static void MultiplyGroups(Product<T> product, T* b, nint ldb, bool transB, bool direct, in Epilogue<T> epilogue, int depth)
    {
        T* a = product.A;
        T* c = product.C;
        T beta = product.Beta;
        int columns = product.Columns;
        int groups = Groups(depth);
        long chunk = direct ? columns : Math.Max(1, PanelsBytes / ((long)Width * sizeof(T) * Math.Clamp(depth, 1, DepthGroup))) * Width;
        for (int column = 0; column < columns; column += (int)Math.Min(chunk, columns - column))
        {
            product.Columns = (int)Math.Min(chunk, columns - column);
            product.C = c + column;
            AddEpilogue(ref product, epilogue, column);
            Product<T> whole = product;
            for (int g = 0; g < groups; g++)
            {
                (nint start, nint length) = Group(depth, g, groups);
                product.A = a + start * (product.TransposedA ? product.AStep : 1);
                product.Depth = length;
                T* from = b + (transB ? column * ldb + start : start * ldb + column);
                product.B = direct
                    ? Direct(from, ldb, length, product.Columns, ScratchUse.Panels)
                    : Packed(from, ldb, transB, length, product.Columns, ScratchUse.Panels);
                Run(ref product, g, groups, beta, whole);
            }
        }
    }

    /// <summary>One group of the depth; the epilogue, taken from <paramref name="whole"/>, comes with the last.</summary>
    private static void Run(ref Product<T> product, int group, int groups, T beta, in Product<T> whole)
    {
        bool last = group == groups - 1;
        product.Beta = group == 0 ? beta : T.One;
        product.Rank = last ? whole.Rank : 0;
        product.Bias = last ? whole.Bias : null;
        product.Residual = last ? whole.Residual : null;
        product.Activated = last ? whole.Activated : null;
        var task = new ProductTask<T, TVector, TSimd>(product, ThreadTeam.Available);
        ThreadTeam.Run(task.Parts, task);
    }

    private static void AddEpilogue(ref Product<T> product, in Epilogue<T> epilogue, int column)
    {
        int columns = product.Columns, tail = columns % Width;
        product.Rank = epilogue.Rank;
        if (epilogue.Rank > 0)
        {
            product.Left = epilogue.Left;
            product.LeftStep = epilogue.LeftStride;
            product.LeftScale = epilogue.LowRankScale;
            nint step = epilogue.RightStride;
            product.Right = epilogue.RightTransposed
                ? Packed(epilogue.Right + column * step, step, true, epilogue.Rank, columns, ScratchUse.RightPanels)
                : Direct(epilogue.Right + column, step, epilogue.Rank, columns, ScratchUse.RightPanels);
        }

        product.Residual = epilogue.Residual == null ? null : epilogue.Residual + column;
        product.ResidualStep = epilogue.ResidualStride;
        product.Activated = epilogue.Activated == null ? null : epilogue.Activated + column;
        product.Activation = epilogue.Activation;
        product.Bias = epilogue.Bias == null ? null : epilogue.Bias + column;
        product.BiasTail = null;
        if (product.Bias == null || tail == 0) return;
        product.BiasTail = Scratch.Get<T>(ScratchUse.Bias, Width);
        new Span<T>(product.Bias + columns - tail, tail).CopyTo(new Span<T>(product.BiasTail, Width));
        new Span<T>(product.BiasTail + tail, Width - tail).Clear();
    }

    private static PanelView<T> Packed(T* source, nint step, bool transposed, nint depth, int columns, ScratchUse use)
    {
        int panels = (columns + Width - 1) / Width;
        T* data = Scratch.Get<T>(use, panels * depth * Width);
        PackPanels<T>.All(source, step, transposed, depth, columns, Width, data);
        return new PanelView<T> { Data = data, PanelStep = depth * Width, RowStep = Width };
    }

    private static PanelView<T> Direct(T* source, nint step, nint depth, int columns, ScratchUse use)
    {
        var view = new PanelView<T> { Data = source, PanelStep = Width, RowStep = step };
        int tail = columns % Width;
        if (tail == 0) return view;
        view.Tail = Scratch.Get<T>(use, depth * Width);
        view.TailRowStep = Width;
        Packing<T>.Pack(source + columns - tail, step, false, depth, tail, Width, view.Tail);
        return view;
    }

    private static int Groups(int depth) => Math.Max(1, (int)(((long)depth + DepthGroup - 1) / DepthGroup));

    private static (nint Start, nint Length) Group(int depth, int group, int groups)
    {
        int length = (int)(((long)depth + groups - 1) / groups), start = group * length;
        return (start, Math.Min(length, depth - start));
    }
}
