using System.Globalization;
using System.Text;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

/// <summary>
/// The macros of inline PTX, expanded once a kernel is compiled, since ILGPU unrolls no loop and keeps no array in registers. Lines are
/// <c>$let NAME expression</c>, <c>$for NAME first end</c> … <c>$end</c> (first ≤ NAME &lt; end) and <c>$if expression</c> … <c>$else</c> … <c>$end</c>;
/// in any other line <c>$NAME</c> and <c>$(expression)</c> become numbers. Expressions are of integers, with C's operators.
/// </summary>
internal static class PtxMacros
{
    /// <summary>The text with its macros expanded. Names last from one <c>.entry</c> to the next.</summary>
    public static string Expand(string text)
    {
        if (!text.Contains('$', StringComparison.Ordinal)) return text;
        string[] lines = text.Split('\n');
        var result = new StringBuilder();
        var names = new Dictionary<string, long>(StringComparer.Ordinal);
        Block(lines, 0, lines.Length, names, result);
        return result.ToString().TrimEnd('\n') + "\n";
    }

    private static void Block(string[] lines, int first, int end, Dictionary<string, long> names, StringBuilder result)
    {
        for (int i = first; i < end; i++)
        {
            string[] words = lines[i].Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            switch (words.Length == 0 ? "" : words[0])
            {
                case "$let":
                    names[words[1]] = Value(string.Join(' ', words[2..]), names);
                    break;
                case "$for":
                    int after = Matching(lines, i + 1, end, "$end");
                    long last = Value(words[3], names);
                    for (long value = Value(words[2], names); value < last; value++)
                    {
                        names[words[1]] = value;
                        Block(lines, i + 1, after, names, result);
                    }

                    i = after;
                    break;
                case "$if":
                    int otherwise = Matching(lines, i + 1, end, "$else"), done = Matching(lines, i + 1, end, "$end");
                    bool holds = Value(string.Join(' ', words[1..]), names) != 0;
                    if (holds) Block(lines, i + 1, Math.Min(otherwise, done), names, result);
                    else if (otherwise < done) Block(lines, otherwise + 1, done, names, result);
                    i = done;
                    break;
                default:
                    Line(lines[i], names, result);
                    break;
            }
        }
    }

    /// <summary>The line of the block's own <paramref name="word"/>, or <paramref name="end"/>.</summary>
    private static int Matching(string[] lines, int first, int end, string word)
    {
        int depth = 0;
        for (int i = first; i < end; i++)
        {
            string line = lines[i].Trim();
            if (depth == 0 && line == word) return i;
            if (line.StartsWith("$for ", StringComparison.Ordinal) || line.StartsWith("$if ", StringComparison.Ordinal)) depth++;
            else if (line == "$end" && --depth < 0) break;
        }

        return word == "$end" ? throw new FormatException($"no $end for line {first}: {lines[first - 1]}") : end;
    }

    private static void Line(string line, Dictionary<string, long> names, StringBuilder result)
    {
        int done = 0;
        for (int at = line.IndexOf('$', StringComparison.Ordinal); at >= 0; at = line.IndexOf('$', done))
        {
            result.Append(line, done, at - done);
            int end = at + 1;
            if (end < line.Length && line[end] == '(')
            {
                for (int depth = 0; end < line.Length; end++)
                {
                    if (line[end] == '(') depth++;
                    else if (line[end] == ')' && --depth == 0) break;
                }

                end++;
            }
            else
            {
                while (end < line.Length && char.IsAsciiLetterOrDigit(line[end])) end++;
            }

            result.Append(Value(line[(at + 1)..end], names).ToString(CultureInfo.InvariantCulture));
            done = end;
        }

        result.Append(line, done, line.Length - done).Append('\n');
    }

    private static long Value(string expression, Dictionary<string, long> names)
    {
        int at = 0;
        long value = Operation(expression, ref at, 0, names);
        return at == expression.Length ? value : throw new FormatException($"'{expression[at..]}' in the expression '{expression}'");
    }

    private static long Operation(string text, ref int at, int precedence, Dictionary<string, long> names)
    {
        long left = Operand(text, ref at, names);
        while (true)
        {
            Skip(text, ref at);
            (string symbol, int binds) = Operator(text, at);
            if (binds <= precedence) return left;
            at += symbol.Length;
            long right = Operation(text, ref at, binds, names);
            left = symbol switch
            {
                "*" => left * right,
                "/" => left / right,
                "%" => left % right,
                "+" => left + right,
                "-" => left - right,
                "<<" => left << (int)right,
                ">>" => left >> (int)right,
                "<" => left < right ? 1 : 0,
                "==" => left == right ? 1 : 0,
                "&" => left & right,
                "^" => left ^ right,
                _ => left | right,
            };
        }
    }

    private static (string Symbol, int Binds) Operator(string text, int at)
    {
        foreach ((string symbol, int binds) in new[] { ("<<", 5), (">>", 5), ("==", 3), ("<", 4), ("*", 7), ("/", 7), ("%", 7), ("+", 6), ("-", 6), ("&", 2), ("^", 2), ("|", 1) })
        {
            if (string.CompareOrdinal(text, at, symbol, 0, symbol.Length) == 0) return (symbol, binds);
        }

        return ("", 0);
    }

    private static long Operand(string text, ref int at, Dictionary<string, long> names)
    {
        Skip(text, ref at);
        if (at < text.Length && text[at] == '(')
        {
            at++;
            long inner = Operation(text, ref at, 0, names);
            Skip(text, ref at);
            if (at >= text.Length || text[at++] != ')') throw new FormatException($"no ')' in the expression '{text}'");
            return inner;
        }

        int first = at;
        while (at < text.Length && char.IsAsciiLetterOrDigit(text[at])) at++;
        string word = text[first..at];
        if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) return number;
        return names.TryGetValue(word, out long value) ? value : throw new FormatException($"'{word}' has no value in the expression '{text}'");
    }

    private static void Skip(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ') at++;
    }
}
