using System.Text.RegularExpressions;

namespace LoRA2.Native.Cuda.Kernels;

/// <summary>
/// Three rewritings of a kernel's PTX that ILGPU leaves undone. Generic accesses become global ones: kernels take addresses of global memory alone, and
/// shared memory is never reached through a generic address. The four accesses of a <see cref="Float4"/> become one of 16 bytes. A local variable that is only
/// loaded and stored, such as the result of inline PTX, becomes a register.
/// </summary>
internal static partial class Peephole
{
    /// <summary>The rewritten text of one kernel's module.</summary>
    public static string Rewrite(string ptx)
    {
        if (GenericAddress().IsMatch(ptx)) throw new InvalidOperationException("a kernel takes the generic address of shared or local memory");
        ptx = GenericAccess().Replace(ptx, "$1$2.global.$3");
        ptx = FourLoads().Replace(ptx, "\tld.global.v4.$1\t{$2, $4, $5, $6}, [$3];\n");
        ptx = FourStores().Replace(ptx, "\tst.global.v4.$1\t[$2], {$3, $4, $5, $6};\n");
        return WithoutLocals(ptx);
    }

    [GeneratedRegex(@"cvta\.(shared|local)")]
    private static partial Regex GenericAddress();

    [GeneratedRegex(@"^(\t+)(ld|st)\.([bsuf]\d+\s)", RegexOptions.Multiline)]
    private static partial Regex GenericAccess();

    [GeneratedRegex(@"^\tld\.global\.(f32|b32)\s+(%\w+), \[(%\w+)\];\n\tld\.global\.\1\s+(%\w+), \[\3\+4\];\n\tld\.global\.\1\s+(%\w+), \[\3\+8\];\n\tld\.global\.\1\s+(%\w+), \[\3\+12\];\n", RegexOptions.Multiline)]
    private static partial Regex FourLoads();

    [GeneratedRegex(@"^\tst\.global\.(f32|b32)\s+\[(%\w+)\], (%\w+);\n\tst\.global\.\1\s+\[\2\+4\], (%\w+);\n\tst\.global\.\1\s+\[\2\+8\], (%\w+);\n\tst\.global\.\1\s+\[\2\+12\], (%\w+);\n", RegexOptions.Multiline)]
    private static partial Regex FourStores();

    [GeneratedRegex(@"%\w+")]
    private static partial Regex Register();

    [GeneratedRegex(@"^\tmov\.b64\s+(%rd\d+), (__local_depot\d+);$")]
    private static partial Regex Depot();

    [GeneratedRegex(@"^\tst\.local\.([bsuf]\d+)\s+\[(%rd\d+)\], (\S+);$")]
    private static partial Regex LocalStore();

    [GeneratedRegex(@"^\tld\.local\.([bsuf]\d+)\s+(%\w+), \[(%rd\d+)\];$")]
    private static partial Regex LocalLoad();

    private static string WithoutLocals(string ptx)
    {
        List<string> lines = [.. ptx.Split('\n')];
        for (int i = 0; i < lines.Count; i++)
        {
            if (Depot().Match(lines[i]) is { Success: true } depot && Promote(lines, i, depot.Groups[1].Value, depot.Groups[2].Value)) i = -1;
        }

        return string.Join('\n', lines);
    }

    /// <summary>Puts a register in the place of the variable at <paramref name="address"/>, if nothing but loads and stores of one type use it.</summary>
    private static bool Promote(List<string> lines, int definition, string address, string depot)
    {
        string? type = null;
        List<int> stores = [], loads = [];
        for (int i = 0; i < lines.Count; i++)
        {
            if (i == definition || !Mentions(lines[i], address)) continue;
            Match store = LocalStore().Match(lines[i]);
            Match load = LocalLoad().Match(lines[i]);
            if (store.Success && store.Groups[2].Value == address && (type ??= store.Groups[1].Value) == store.Groups[1].Value) stores.Add(i);
            else if (load.Success && load.Groups[3].Value == address && (type ??= load.Groups[1].Value) == load.Groups[1].Value) loads.Add(i);
            else return false;
        }

        string register = "%local" + depot["__local_depot".Length..];
        foreach (int i in loads) lines[i] = $"\tmov.{type}\t{LocalLoad().Match(lines[i]).Groups[2].Value}, {register};";
        foreach (int i in stores) lines[i] = $"\tmov.{type}\t{register}, {LocalStore().Match(lines[i]).Groups[3].Value};";
        lines[definition] = "";
        int declaration = lines.FindIndex(line => line.StartsWith("\t.local ", StringComparison.Ordinal) && line.Contains($" {depot}[", StringComparison.Ordinal));
        lines[declaration] = $"\t.reg .{type}\t{register};";
        Fold(lines, register, type!);
        lines.RemoveAll(line => line.Length == 0);
        return true;
    }

    /// <summary>
    /// Where the variable is set to a constant, then to x, then only read, and neither x nor the registers it is read into are set elsewhere, x takes the place
    /// of them all and the variable is gone: what inline PTX with a result compiles to.
    /// </summary>
    private static void Fold(List<string> lines, string register, string type)
    {
        List<int> uses = [.. Enumerable.Range(0, lines.Count).Where(i => Mentions(lines[i], register) && !lines[i].StartsWith("\t.reg", StringComparison.Ordinal))];
        string set = $"\tmov.{type}\t{register}, ";
        if (uses.Count < 2 || !lines[uses[0]].StartsWith(set, StringComparison.Ordinal) || !lines[uses[1]].StartsWith(set, StringComparison.Ordinal)) return;
        string x = lines[uses[1]][set.Length..^1];
        if (lines[uses[0]].Contains(set + '%', StringComparison.Ordinal) || Definitions(lines, x) != 1) return;
        HashSet<string> reads = [.. uses.Skip(2).Select(i => Register().Match(lines[i]).Value)];
        if (reads.Contains(register) || reads.Count != uses.Count - 2 || reads.Any(y => Definitions(lines, y) != 1)) return;
        foreach (int i in uses.Skip(2)) lines[i] = "";
        for (int i = 0; i < lines.Count && reads.Count > 0; i++) lines[i] = Register().Replace(lines[i], match => reads.Contains(match.Value) ? x : match.Value);
        lines[uses[0]] = lines[uses[1]] = "";
        lines.Remove($"\t.reg .{type}\t{register};");
    }

    /// <summary>How often a register is written: the first register of an instruction, or those in its first braces.</summary>
    private static int Definitions(List<string> lines, string register)
    {
        int count = 0;
        foreach (string line in lines)
        {
            if (!Mentions(line, register) || line.StartsWith("\tst.", StringComparison.Ordinal) || line.StartsWith("\t@", StringComparison.Ordinal)) continue;
            string targets = line.Contains('{', StringComparison.Ordinal) ? line[..line.IndexOf('}', StringComparison.Ordinal)] : line.Split(',')[0];
            if (Mentions(targets, register)) count++;
        }

        return count;
    }

    private static bool Mentions(string line, string register)
    {
        if (!line.Contains(register, StringComparison.Ordinal)) return false;
        foreach (Match match in Register().Matches(line))
        {
            if (match.Value == register) return true;
        }

        return false;
    }
}
