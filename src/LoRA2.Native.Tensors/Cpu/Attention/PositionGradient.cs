using System.Numerics;
using System.Runtime.CompilerServices;
using LoRA2.Native.Tensors.Cpu.Vectors;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors.Cpu.Attention;

/// <summary>
/// The gradient of one position table: a buffer of a row for each distance for each part of <see cref="AttentionBackward{T}"/>, and their sum into
/// the rows of the table. Distances that share a row, and parts of a head, are added in a fixed order.
/// </summary>
internal readonly unsafe struct PositionGradient<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AttentionShape<T> shape;
    private readonly AttentionLayout layout;
    private readonly T* table;
    private readonly Storage? storage;

    /// <param name="shape">The attention.</param>
    /// <param name="table">The table's gradient, positions × width, or null when not wanted.</param>
    public PositionGradient(in AttentionShape<T> shape, T* table)
    {
        this.shape = shape;
        this.table = table;
        layout = new AttentionLayout(shape.Length, shape.Size, BlockProducts<T>.PanelColumns(SimdPaths.Current));
        if (table == null) return;
        storage = MemoryPool.Shared.Rent((nuint)(shape.Heads * shape.Groups * layout.Rows(layout.Distances) * sizeof(T)));
        Parts = (T*)storage.Pointer;
    }

    /// <summary>The parts' buffers, one after the other, or null.</summary>
    public T* Parts { get; }

    /// <summary>Writes the table's gradient.</summary>
    /// <param name="falling">Whether the distances query − key fall from row to row.</param>
    public void AddUp(bool falling)
    {
        if (table != null) SimdTask.Run<T, Sum>(shape.Heads, new Sum(shape, layout, table, Parts, falling));
    }

    public void Dispose() => storage?.Release();

    private readonly struct Sum(AttentionShape<T> shape, AttentionLayout layout, T* gradient, T* parts, bool falling) : ISimdTask<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TSimd>(int head)
            where TSimd : unmanaged, ISimd<TSimd, T>
        {
            int columns = shape.Size, distances = layout.Distances;
            nint part = layout.Rows(distances);
            T* table = gradient + ((nint)head * columns);
            for (int row = 0; row < shape.Positions; row++) new Span<T>(table + ((nint)row * shape.Width), columns).Clear();
            for (int x = 0; x < distances; x++)
            {
                T* to = table + ((nint)shape.RowOf[falling ? distances - 1 - x : x] * shape.Width);
                T* from = parts + ((nint)head * shape.Groups * part) + layout.Rows(x);
                for (int group = 0; group < shape.Groups; group++, from += part)
                {
                    int c = 0;
                    for (; c <= columns - TSimd.Count; c += TSimd.Count) TSimd.Store(TSimd.Load(to + c) + TSimd.Load(from + c), to + c);
                    for (; c < columns; c++) to[c] += from[c];
                }
            }
        }
    }
}
