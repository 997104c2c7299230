using System.Numerics;
using LoRA2.Native.Tensors.Cpu;
using LoRA2.Native.Tensors.Cpu.Rows;

namespace LoRA2.Native.Tensors.Tests.Cpu;

public sealed unsafe class EmbeddingRowsTests : KernelTest
{
    [Fact]
    public void Float() => All<float>();

    [Fact]
    public void Double() => All<double>();

    private static void All<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int Vocabulary = 11;
        foreach ((int count, int columns) in Shapes)
        {
            double[] table = Random(Vocabulary * columns, columns), gradient = Random(count * columns, 2);
            int[] ids = Enumerable.Range(0, count).Select(i => i * i % Vocabulary).ToArray();
            using var rows = Array<T>(table);
            using var upstream = Array<T>(gradient);
            using var id = new GuardedArray<int>(ids);
            double[] expected = Enumerable.Range(0, count * columns).Select(i => table[(ids[i / columns] * columns) + (i % columns)]).ToArray();
            using var gathered = SameForAnyThreads<T>(
                gradient, o => EmbeddingRows.Gather(rows.Pointer, id.Pointer, count, columns, o.Pointer));
            Close(expected, gathered, single: 0, twice: 0);

            foreach (int skip in new[] { -1, 4 })
            {
                double[] sums = [.. table];
                for (int i = 0; i < count * columns; i++)
                {
                    if (ids[i / columns] != skip) sums[(ids[i / columns] * columns) + (i % columns)] += gradient[i];
                }

                using var scattered = SameForAnyThreads<T>(
                    table, o => EmbeddingRows.ScatterAdd(upstream.Pointer, id.Pointer, count, columns, skip, o.Pointer));
                Close(sums, scattered, single: 1e-4, twice: 1e-12);
            }
        }
    }
}
