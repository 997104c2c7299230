using FsCheck;
using FsCheck.Fluent;
using LoRA2.Native.Safetensors;

namespace LoRA2.Native.Tests.Shared.Safetensors;

/// <summary>A tensor to write to a file, of any type.</summary>
public sealed record SafetensorsItem(string Name, SafetensorsDType Type, IReadOnlyList<long> Shape, byte[] Bytes)
{
    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (count, extent) => count * extent);

    public override string ToString() => $"\"{Name}\" {Type} [{string.Join(", ", Shape)}] {Convert.ToHexString(Bytes)}";
}

/// <summary>All tensors of a file: names differ.</summary>
public sealed record SafetensorsContents(IReadOnlyList<SafetensorsItem> Items)
{
    /// <summary>Writes the file.</summary>
    public void Write(string path)
    {
        var writer = new SafetensorsWriter();
        foreach (SafetensorsItem item in Items) writer.Add(item.Name, item.Type, item.Shape.ToArray(), item.Bytes);
        writer.Write(path);
    }

    public override string ToString() => $"{Items.Count} tensors: {string.Join("; ", Items)}";
}

/// <summary>What befalls a file: some bytes change, and sometimes its end is missing.</summary>
/// <param name="Flips">Places, modulo the length of the file or of its header, and what is done to the byte there by exclusive or.</param>
/// <param name="Cut">Where the file ends, modulo its length; null for where it did.</param>
public sealed record FileDamage(IReadOnlyList<(int Place, byte Flip)> Flips, int? Cut)
{
    /// <summary>The damaged bytes. Half of the flips go to the first <paramref name="header"/> bytes.</summary>
    public byte[] Apply(byte[] bytes, int header)
    {
        byte[] damaged = [.. bytes];
        foreach ((int place, byte flip) in Flips) damaged[place % (place % 2 == 0 ? header : bytes.Length)] ^= flip;
        return Cut is { } cut ? damaged[..(cut % bytes.Length)] : damaged;
    }

    public override string ToString() => $"flips {string.Join(", ", Flips)}{(Cut is { } cut ? $", cut at {cut}" : "")}";
}

/// <summary>Values to be narrowed: of any bits, and of the sizes around which the narrow types end and round.</summary>
public sealed record NarrowedValues(IReadOnlyList<float> Values)
{
    public override string ToString() => string.Join(' ', Values.Select(value => $"{BitConverter.SingleToUInt32Bits(value):X8}"));
}

/// <summary>Generators of files of safetensors, and of what is in them.</summary>
public static class SafetensorsArbitraries
{
    private static readonly string[] Names = ["w", "weight", "é", "日本", "a.b.c", "quote\"d", "back\\slash", "tab\t", "😀", "", "<&>"];

    /// <summary>Tensors with extents from 0; shrunk to smaller ones with a plain name.</summary>
    public static Arbitrary<SafetensorsItem> Items() => Arb.From(
        from stem in Gen.Elements(Names)
        from number in Gen.Choose(0, 3)
        from type in Gen.Elements(Enum.GetValues<SafetensorsDType>())
        from shape in Gen.Choose(0, 5).Select(extent => (long)extent).ArrayOf().Resize(3)
        from bytes in Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf((int)shape.Aggregate(1L, (a, b) => a * b) * type.Size())
        select new SafetensorsItem(number == 0 ? stem : stem + number, type, shape, bytes),
        Shrink);

    /// <summary>Files; shrunk to fewer and smaller tensors.</summary>
    public static Arbitrary<SafetensorsContents> Contents() => Arb.From(Items().Generator.ArrayOf().Resize(6)
        .Select(items => new SafetensorsContents([.. items.DistinctBy(item => item.Name)])), Shrink);

    /// <summary>Damages; shrunk to fewer.</summary>
    public static Arbitrary<FileDamage> Damages() => Arb.From(
        from flips in Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(1, 255).Select(flip => (byte)flip)).ArrayOf().Resize(3)
        from cut in Gen.Choose(0, int.MaxValue)
        from shorten in Gen.Elements(false, true)
        select new FileDamage(flips, shorten ? cut : null),
        Shrink);

    /// <summary>Forty values; shrunk to fewer.</summary>
    public static Arbitrary<NarrowedValues> Narrowed() => Arb.From(
        Gen.OneOf(
            Gen.Choose(int.MinValue, int.MaxValue).Select(BitConverter.Int32BitsToSingle),
            Gen.Choose(-(1 << 23), 1 << 23).Zip(Gen.Choose(-26, 17)).Select(pair => pair.Item1 / (float)(1 << 24) * MathF.Pow(2, pair.Item2)),
            Gen.Choose(0, 0xFFFF).Zip(Gen.Elements(0u, 0x7FFFu, 0x8000u, 0x8001u, 0x1000u)).Select(pair => BitConverter.UInt32BitsToSingle(((uint)pair.Item1 << 16) | pair.Item2)))
            .ArrayOf(40).Select(values => new NarrowedValues(values)),
        drawn => drawn.Values.Count == 1 ? [] : Enumerable.Range(0, drawn.Values.Count).Select(at => new NarrowedValues([drawn.Values[at]])));

    private static IEnumerable<SafetensorsItem> Shrink(SafetensorsItem item)
    {
        if (item.Name != "w") yield return item with { Name = "w" };
        for (int axis = 0; axis < item.Shape.Count; axis++)
        {
            if (item.Shape[axis] == 0) continue;
            long[] shape = [.. item.Shape];
            shape[axis]--;
            yield return item with { Shape = shape, Bytes = item.Bytes[..((int)shape.Aggregate(1L, (a, b) => a * b) * item.Type.Size())] };
        }
    }

    private static IEnumerable<SafetensorsContents> Shrink(SafetensorsContents file)
    {
        for (int i = 0; i < file.Items.Count; i++) yield return new([.. file.Items.Where((_, at) => at != i)]);
        for (int i = 0; i < file.Items.Count; i++)
        {
            foreach (SafetensorsItem smaller in Shrink(file.Items[i]))
            {
                if (file.Items.Where((_, at) => at != i).All(other => other.Name != smaller.Name)) yield return new([.. file.Items.Select((item, at) => at == i ? smaller : item)]);
            }
        }
    }

    private static IEnumerable<FileDamage> Shrink(FileDamage damage)
    {
        if (damage.Cut is not null) yield return damage with { Cut = null };
        for (int i = 0; i < damage.Flips.Count; i++) yield return damage with { Flips = [.. damage.Flips.Where((_, at) => at != i)] };
    }
}
