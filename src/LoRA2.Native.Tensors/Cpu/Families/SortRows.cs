using System.Numerics;
using LoRA2.Native.Tensors.Cpu.Vectors;

namespace LoRA2.Native.Tensors.Cpu.Families;

/// <summary>The order of each row's elements: equal ones stay in their order, NaN counts as the largest.</summary>
internal static unsafe class SortRows
{
    public static void Run<T>(T* x, nint rows, nint columns, bool descending, long* order)
        where T : unmanaged, INumber<T>
    {
        nint block = SimdTask.RowsPerPart(columns);
        ThreadTeam.Run(SimdTask.Parts(rows, block), new Task<T>(x, rows, columns, block, descending, order));
    }

    private readonly struct Task<T>(T* x, nint rows, nint columns, nint block, bool descending, long* order) : IParallelTask
        where T : unmanaged, INumber<T>
    {
        public void Run(int index)
        {
            nint end = Math.Min(rows, (index + 1) * block);
            var row = new Span<Element<T>>(Scratch.Get<Element<T>>(ScratchSlot.Row, columns), checked((int)columns));
            for (nint r = index * block; r < end; r++)
            {
                for (int i = 0; i < row.Length; i++) row[i] = new Element<T>(x[(r * columns) + i], i);
                if (descending) row.Sort(default(Descending<T>));
                else row.Sort(default(Ascending<T>));
                for (int i = 0; i < row.Length; i++) order[(r * columns) + i] = row[i].Place;
            }
        }
    }

    private readonly record struct Element<T>(T Value, int Place)
        where T : unmanaged;

    private readonly struct Ascending<T> : IComparer<Element<T>>
        where T : unmanaged, INumber<T>
    {
        public int Compare(Element<T> a, Element<T> b)
        {
            int order = Order(a.Value, b.Value);
            return order != 0 ? order : a.Place.CompareTo(b.Place);
        }
    }

    private readonly struct Descending<T> : IComparer<Element<T>>
        where T : unmanaged, INumber<T>
    {
        public int Compare(Element<T> a, Element<T> b)
        {
            int order = Order(b.Value, a.Value);
            return order != 0 ? order : a.Place.CompareTo(b.Place);
        }
    }

    private static int Order<T>(T a, T b)
        where T : unmanaged, INumber<T> => a < b ? -1 : a > b ? 1 : a == b ? 0 : T.IsNaN(a).CompareTo(T.IsNaN(b));
}
