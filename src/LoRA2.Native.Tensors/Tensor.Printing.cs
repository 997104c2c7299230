using System.Globalization;
using System.Text;
using LoRA2.Native.Tensors.Memory;

namespace LoRA2.Native.Tensors;

/// <content>Printing.</content>
public sealed unsafe partial class Tensor
{
    private const int MostPrinted = 1000;
    private const int EndsPrinted = 3;
    private const int LineWidth = 75;

    /// <summary>The elements as NumPy prints them: in brackets, aligned, to eight digits; of more than a thousand the first and last three along each axis.</summary>
    public override string ToString()
    {
        using var scope = new TensorScope();
        Tensor here = To(Devices.Device.Cpu);
        double[] values = (here.DType == DType.Float64 ? here : here.DType is DType.Float16 or DType.BFloat16 ? here.To(DType.Float32).To(DType.Float64) : here.To(DType.Float64)).ToArray<double>();
        bool shortened = Count > MostPrinted;
        int[] places = [.. Enumerable.Range(0, Count).Where(i => !shortened || IsAtEnds(i))];
        string[] texts = new PrintedNumbers(DType, [.. places.Select(place => values[place])]).Texts;
        if (Shape.Rank == 0) return texts[0].Trim() is var one && one.EndsWith('.') ? one + "0" : one;
        var text = new StringBuilder();
        int next = 0;
        Print(text, texts, ref next, 0, shortened);
        return text.ToString();
    }

    private bool IsAtEnds(int element)
    {
        for (int axis = Shape.Rank - 1; axis >= 0; axis--)
        {
            int at = element % Shape[axis];
            element /= Shape[axis];
            if (Shape[axis] > 2 * EndsPrinted && at >= EndsPrinted && at < Shape[axis] - EndsPrinted) return false;
        }

        return true;
    }

    private void Print(StringBuilder text, string[] texts, ref int next, int axis, bool shortened)
    {
        int length = Shape[axis];
        bool cut = shortened && length > 2 * EndsPrinted;
        bool last = axis == Shape.Rank - 1;
        string separator = last ? " " : new string('\n', Shape.Rank - 1 - axis) + new string(' ', axis + 1);
        text.Append('[');
        int line = axis + 1;
        for (int i = 0; i < length; i++)
        {
            if (cut && i == EndsPrinted)
            {
                text.Append(separator).Append("...");
                line += 4;
                i = length - EndsPrinted;
            }

            if (!last)
            {
                if (i > 0) text.Append(separator);
                Print(text, texts, ref next, axis + 1, shortened);
                continue;
            }

            string one = texts[next++];
            if (i > 0 && line + 1 + one.Length > LineWidth)
            {
                text.Append('\n').Append(' ', Shape.Rank);
                line = Shape.Rank;
            }
            else if (i > 0)
            {
                text.Append(' ');
                line++;
            }

            text.Append(one);
            line += one.Length;
        }

        text.Append(']');
    }
}

/// <summary>Numbers as texts of one width.</summary>
internal sealed class PrintedNumbers
{
    private const int Digits = 8;

    public PrintedNumbers(DType type, double[] values)
    {
        string[] texts = type == DType.Bool ? Array.ConvertAll(values, value => value != 0 ? "True" : "False")
            : !type.IsFloat() ? Array.ConvertAll(values, value => value.ToString("0", CultureInfo.InvariantCulture))
            : IsScientific(values) ? Scientific(values, type) : Positional(values, type);
        int width = texts.Length == 0 ? 0 : texts.Max(text => text.Length);
        Texts = Array.ConvertAll(texts, text => text.PadLeft(width));
    }

    public string[] Texts { get; }

    private static bool IsScientific(double[] values)
    {
        double[] sizes = [.. values.Where(value => double.IsFinite(value) && value != 0).Select(Math.Abs)];
        return sizes.Length > 0 && (sizes.Max() >= 1e8 || sizes.Min() < 1e-4 || sizes.Max() / sizes.Min() > 1000);
    }

    private static string[] Positional(double[] values, DType type)
    {
        string[] texts = Array.ConvertAll(values, value => double.IsFinite(value) ? Fixed(value, type) : Named(value));
        int after = texts.Select(text => text.IndexOf('.', StringComparison.Ordinal) is var dot && dot < 0 ? 0 : text.Length - dot - 1).DefaultIfEmpty().Max();
        return Array.ConvertAll(texts, text => text.IndexOf('.', StringComparison.Ordinal) is var dot && dot < 0 ? text : text.PadRight(dot + 1 + after));
    }

    private static string[] Scientific(double[] values, DType type)
    {
        string[] texts = Array.ConvertAll(values, value => double.IsFinite(value) ? Shortest(value, type).ToString("0.########e+00", CultureInfo.InvariantCulture) : Named(value));
        int Fraction(string text) => text.IndexOf('e', StringComparison.Ordinal) is var e && text.IndexOf('.', StringComparison.Ordinal) is var dot && dot < 0 ? 0 : e - dot - 1;
        int after = Math.Max(1, texts.Where(text => text.Contains('e')).Select(Fraction).DefaultIfEmpty().Max());
        return Array.ConvertAll(texts, text =>
        {
            int e = text.IndexOf('e', StringComparison.Ordinal);
            if (e < 0) return text;
            string mantissa = text[..e].Contains('.') ? text[..e] : text[..e] + ".";
            return mantissa + new string('0', after - Fraction(text)) + text[e..];
        });
    }

    /// <summary>The shortest decimal that is read back as the number in its own type.</summary>
    private static double Shortest(double value, DType type) =>
        type == DType.Float64 ? value : double.Parse(((float)value).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Fixed(double value, DType type)
    {
        decimal rounded = decimal.Round((decimal)Shortest(value, type), Digits);
        string text = rounded.ToString("0.########", CultureInfo.InvariantCulture);
        if (value < 0 || double.IsNegative(value)) text = "-" + text.TrimStart('-');
        return text.Contains('.') ? text : text + ".";
    }

    private static string Named(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
