using System.IO.Compression;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>Changes one file inside an archive and packs it again with right checksums, so that the reader gets past the archive to what is in it.</summary>
internal static class ZipMutator
{
    public static byte[] Mutate(byte[] bytes, Mutator mutator, Random random)
    {
        List<(string Name, byte[] Content)> entries = [];
        try
        {
            using var archive = new ZipArchive(new MemoryStream(bytes));
            foreach (ZipArchiveEntry entry in archive.Entries)
            {
                using Stream stream = entry.Open();
                var content = new MemoryStream();
                stream.CopyTo(content);
                entries.Add((entry.FullName, content.ToArray()));
            }
        }
        catch (InvalidDataException)
        {
            // An earlier change has broken the archive itself.
            return bytes;
        }

        if (entries.Count == 0) return bytes;
        // The pickle says everything about the rest, so half of the changes are made there.
        int at = random.Next(2) == 0 ? Math.Max(0, entries.FindIndex(entry => entry.Name.EndsWith(".pkl", StringComparison.Ordinal))) : random.Next(entries.Count);
        (string name, byte[] before) = entries[at];
        switch (random.Next(16))
        {
            case 0:
                entries.RemoveAt(at);
                break;
            case 1:
                entries.Add((name, before));
                break;
            case 2:
                entries[at] = ("../" + name, before);
                break;
            default:
                entries[at] = (name, mutator.Mutate(before));
                break;
        }

        var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string entryName, byte[] content) in entries)
            {
                using Stream stream = archive.CreateEntry(entryName, CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
        }

        return packed.ToArray();
    }
}
