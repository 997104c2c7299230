using System.Text.RegularExpressions;

namespace LoRA2.Native.Cuda.Kernels.Compilation;

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
        var listing = new Listing(ptx);
        bool any = false;
        for (int i = 0; i < listing.Count; i++)
        {
            if (Depot().Match(listing[i]) is { Success: true } depot) any |= Promote(listing, i, depot.Groups[1].Value, depot.Groups[2].Value);
        }

        return any ? listing.WithoutEmptyLines() : ptx;
    }

    /// <summary>Puts a register in the place of the variable at <paramref name="address"/>, if nothing but loads and stores of one type use it. Lines that go become empty.</summary>
    private static bool Promote(Listing listing, int definition, string address, string depot)
    {
        string? type = null;
        List<int> stores = [], loads = [];
        foreach (int i in listing.Mentioning(address))
        {
            if (i == definition) continue;
            Match store = LocalStore().Match(listing[i]);
            Match load = LocalLoad().Match(listing[i]);
            if (store.Success && store.Groups[2].Value == address && (type ??= store.Groups[1].Value) == store.Groups[1].Value) stores.Add(i);
            else if (load.Success && load.Groups[3].Value == address && (type ??= load.Groups[1].Value) == load.Groups[1].Value) loads.Add(i);
            else return false;
        }

        string register = "%local" + depot["__local_depot".Length..];
        foreach (int i in loads) listing[i] = $"\tmov.{type}\t{LocalLoad().Match(listing[i]).Groups[2].Value}, {register};";
        foreach (int i in stores) listing[i] = $"\tmov.{type}\t{register}, {LocalStore().Match(listing[i]).Groups[3].Value};";
        listing[definition] = "";
        int declaration = listing.Mentioning(depot).First(i => listing[i].StartsWith("\t.local ", StringComparison.Ordinal));
        listing[declaration] = $"\t.reg .{type}\t{register};";
        Fold(listing, declaration, register, type!);
        return true;
    }

    /// <summary>
    /// Where the variable is set to a constant, then to x, then only read, and neither x nor the registers it is read into are set elsewhere, x takes the place
    /// of them all and the variable is gone: what inline PTX with a result compiles to.
    /// </summary>
    private static void Fold(Listing listing, int declaration, string register, string type)
    {
        int[] uses = [.. listing.Mentioning(register).Where(i => i != declaration)];
        string set = $"\tmov.{type}\t{register}, ";
        if (uses.Length < 2 || !listing[uses[0]].StartsWith(set, StringComparison.Ordinal) || !listing[uses[1]].StartsWith(set, StringComparison.Ordinal)) return;
        string x = listing[uses[1]][set.Length..^1];
        if (listing[uses[0]].Contains(set + '%', StringComparison.Ordinal) || Definitions(listing, x) != 1) return;
        HashSet<string> reads = [.. uses.Skip(2).Select(i => Register().Match(listing[i]).Value)];
        if (reads.Contains(register) || reads.Count != uses.Length - 2 || reads.Any(y => Definitions(listing, y) != 1)) return;
        foreach (int i in uses) listing[i] = "";
        foreach (int i in reads.SelectMany(listing.Mentioning).Distinct()) listing[i] = Register().Replace(listing[i], match => reads.Contains(match.Value) ? x : match.Value);
        listing[declaration] = "";
    }

    /// <summary>How often a register is written: the first register of an instruction, or those in its first braces.</summary>
    private static int Definitions(Listing listing, string register)
    {
        int count = 0;
        foreach (int i in listing.Mentioning(register))
        {
            string line = listing[i];
            if (line.StartsWith("\tst.", StringComparison.Ordinal) || line.StartsWith("\t@", StringComparison.Ordinal)) continue;
            string targets = line.Contains('{', StringComparison.Ordinal) ? line[..line.IndexOf('}', StringComparison.Ordinal)] : line.Split(',')[0];
            if (Register().Matches(targets).Any(match => match.Value == register)) count++;
        }

        return count;
    }
}
