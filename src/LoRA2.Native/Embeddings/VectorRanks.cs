using System.Runtime.InteropServices;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Memory;
using LoRA2.Native.Training;

namespace LoRA2.Native.Embeddings;

/// <summary>What the vectors of sets of texts say of the sets. An example's vectors lie one after the other.</summary>
internal static class VectorRanks
{
    private const int QueriesAtOnce = 64;

    /// <summary>The cosine of each example's first two vectors.</summary>
    /// <param name="vectors">[examples][texts · width].</param>
    /// <param name="texts">Texts of an example; null for two.</param>
    public static double[] Cosines(float[][] vectors, int? texts) => Array.ConvertAll(vectors, row =>
    {
        int width = row.Length / (texts ?? 2);
        (double dot, double first, double second) = (0, 0, 0);
        for (int i = 0; i < width; i++)
        {
            (double a, double b) = (row[i], row[width + i]);
            (dot, first, second) = (dot + (a * b), first + (a * a), second + (b * b));
        }

        double lengths = Math.Sqrt(first) * Math.Sqrt(second);
        return lengths == 0 ? 0 : dot / lengths;
    });

    /// <summary>
    /// The place, from 1, of each example's second text among all different texts of the data that are no first ones, by their cosine with the example's first; of equally near ones the
    /// earlier comes first.
    /// </summary>
    public static double[] Of(float[][] vectors, TokenizedTextSets data)
    {
        int width = vectors[0].Length / data.Texts;
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var corpus = new List<float[]>();
        int[] own = new int[data.Count];
        for (int i = 0; i < data.Count; i++)
        {
            for (int text = 1; text < data.Texts; text++)
            {
                string key = new(MemoryMarshal.Cast<int, char>(data.IdsOf(i, text)));
                if (!numbers.TryGetValue(key, out int number))
                {
                    numbers[key] = number = corpus.Count;
                    corpus.Add(vectors[i].AsSpan(text * width, width).ToArray());
                }

                if (text == 1) own[i] = number;
            }
        }

        double[] places = new double[data.Count];
        using var scope = new TensorScope();
        Tensor candidates = Ops.Normalize(Tensor.From(corpus.SelectMany(vector => vector).ToArray(), [corpus.Count, width]));
        for (int start = 0; start < data.Count; start += QueriesAtOnce)
        {
            using var block = new TensorScope();
            int count = Math.Min(QueriesAtOnce, data.Count - start);
            Tensor queries = Ops.Normalize(Tensor.From(Enumerable.Range(start, count).SelectMany(i => vectors[i].Take(width)).ToArray(), [count, width]));
            ReadOnlySpan<float> scores = Ops.MatMul(queries, candidates, transposeB: true).AsSpan<float>();
            for (int row = 0; row < count; row++) places[start + row] = PlaceOf(own[start + row], scores.Slice(row * corpus.Count, corpus.Count));
        }

        return places;
    }

    private static int PlaceOf(int own, ReadOnlySpan<float> scores)
    {
        int place = 1;
        for (int i = 0; i < scores.Length; i++)
        {
            if (scores[i] > scores[own] || (scores[i] == scores[own] && i < own)) place++;
        }

        return place;
    }
}
