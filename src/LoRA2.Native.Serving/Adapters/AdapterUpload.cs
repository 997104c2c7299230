using System.Formats.Tar;
using System.IO.Compression;
using LoRA2.Native.Adapters;
using LoRA2.Native.Embeddings;
using LoRA2.Native.Files;
using LoRA2.Native.Serving.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace LoRA2.Native.Serving.Adapters;

/// <summary>
/// An adapter's files out of a request: multipart form data, a zip, a tar, or a tar in gzip. Hostile until checked: only files whose names an adapter has are written, each once, and what was
/// unpacked may be no larger than an upload. A name that leads out of the folder, a link or a device refuses the whole.
/// </summary>
internal sealed class AdapterUpload(string folder, long most)
{
    /// <summary>Entries that an archive may have: an adapter's folder and what a training run left in it.</summary>
    private const int MostEntries = 4096;

    private static readonly string[] Names =
    [
        AdapterFolder.ConfigFile, AdapterFolder.WeightsFile, TaskDescription.FileName,
        SentenceFolder.ModulesFile, SentenceFolder.ConfigFile, SentenceFolder.TransformerFile, "1_Pooling/config.json",
    ];

    private readonly HashSet<string> written = new(StringComparer.Ordinal);
    private long taken;
    private int entries;

    /// <summary>Writes a request's files into the folder.</summary>
    /// <exception cref="ServerException">They are not an adapter's, are damaged or too large, or would leave the folder; or they can't be written.</exception>
    public async Task Receive(HttpRequest request, CancellationToken cancellation)
    {
        string type = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? parsed) ? parsed.MediaType.ToString().ToLowerInvariant() : "";
        try
        {
            switch (type)
            {
                case "multipart/form-data":
                    await Multipart(request, parsed!, cancellation);
                    break;
                case "application/zip" or "application/x-zip-compressed":
                    await Zip(request.Body, cancellation);
                    break;
                case "application/x-tar" or "application/tar":
                    await Tar(request.Body, cancellation);
                    break;
                case "application/gzip" or "application/x-gzip":
                    await using (var unpacked = new GZipStream(request.Body, CompressionMode.Decompress)) await Tar(unpacked, cancellation);
                    break;
                default:
                    throw new ServerException(StatusCodes.Status415UnsupportedMediaType, "an adapter was expected as multipart/form-data, application/zip, application/x-tar or application/gzip (a tar in it)");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or (IOException and not BadHttpRequestException and not FileNotFoundException))
        {
            throw TextInputs.Wrong($"the upload is damaged: {e.Message.TrimEnd('.')}");
        }

        foreach (string name in (string[])[AdapterFolder.ConfigFile, AdapterFolder.WeightsFile])
        {
            if (!written.Contains(name)) throw TextInputs.Wrong($"the upload has no {name}");
        }
    }

    private async Task Multipart(HttpRequest request, MediaTypeHeaderValue type, CancellationToken cancellation)
    {
        string boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is 0 or > 200) throw TextInputs.Wrong("the form has no boundary, or one that is too long");
        var reader = new MultipartReader(boundary, request.Body);
        while (await reader.ReadNextSectionAsync(cancellation) is { } section)
        {
            FileMultipartSection? file = section.AsFileSection();
            if (file is null || file.FileName.Length == 0) throw TextInputs.Wrong("a part of the form has no file name; adapter_config.json, adapter_model.safetensors and perhaps task.json were expected");
            await Take(file.FileName, section.Body, cancellation);
        }
    }

    /// <summary>A zip's directory is at its end, so it has to be on the disk first.</summary>
    private async Task Zip(Stream body, CancellationToken cancellation)
    {
        string spool = Path.Combine(folder, ".upload.zip");
        await using (FileStream file = Create(spool)) await Copy(body, file, cancellation);
        taken = 0;
        try
        {
            using ZipArchive archive = await ZipFile.OpenReadAsync(spool, cancellation);
            foreach (ZipArchiveEntry entry in archive.Entries)
            {
                // Unix's file type: a link is 0xA000, a file 0x8000, none where the archive is not from Unix.
                if ((entry.ExternalAttributes >> 16 & 0xF000) is not (0 or 0x8000 or 0x4000)) throw Escapes(entry.FullName);
                if (entry.FullName.EndsWith('/')) RequireInside(entry.FullName);
                else await using (Stream content = await entry.OpenAsync(cancellation)) await Take(entry.FullName, content, cancellation);
            }
        }
        finally
        {
            File.Delete(spool);
        }
    }

    private async Task Tar(Stream body, CancellationToken cancellation)
    {
        await using var reader = new TarReader(body, leaveOpen: true);
        while (await reader.GetNextEntryAsync(copyData: false, cancellation) is { } entry)
        {
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    await Take(entry.Name, entry.DataStream ?? Stream.Null, cancellation);
                    break;
                case TarEntryType.Directory:
                    RequireInside(entry.Name);
                    break;
                case TarEntryType.GlobalExtendedAttributes:
                    break;
                default:
                    throw Escapes(entry.Name);
            }
        }
    }

    private async Task Take(string name, Stream content, CancellationToken cancellation)
    {
        string inside = RequireInside(name);
        if (!Names.Contains(inside))
        {
            // Reports, logs and the like of a training run: read over, and counted.
            await Copy(content, Stream.Null, cancellation);
            return;
        }

        if (!written.Add(inside)) throw TextInputs.Wrong($"the upload has {inside} twice");
        string path = Path.Combine(folder, inside);
        await using FileStream file = Create(path);
        await Copy(content, file, cancellation);
        try
        {
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw NotWritten(e);
        }
    }

    /// <summary>A new file, in a folder that is made where it is missing; unbuffered, so that nothing is left to be written when it is closed.</summary>
    private static FileStream Create(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw NotWritten(e);
        }
    }

    private static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>A disk that is full or may not be written to is the server's fault, and where it is no business of the client's.</summary>
    private static ServerException NotWritten(Exception e) => new(StatusCodes.Status500InternalServerError, "the upload could not be written to the server's disk; the server's log says why", e);

    /// <summary>A name without "./" before it.</summary>
    private string RequireInside(string name)
    {
        if (++entries > MostEntries) throw new ServerException(StatusCodes.Status413PayloadTooLarge, $"the upload has more than {MostEntries:N0} entries");
        string plain = name;
        while (plain.StartsWith("./", StringComparison.Ordinal)) plain = plain[2..];
        bool leaves = plain.StartsWith('/') || plain.Contains('\\', StringComparison.Ordinal) || plain.Contains(':', StringComparison.Ordinal) || plain.Contains('\0', StringComparison.Ordinal) || plain.Split('/').Contains("..");
        return leaves ? throw Escapes(name) : plain;
    }

    private static ServerException Escapes(string name) => TextInputs.Wrong($"the upload has an entry {Quote.Name(name)}, which is no plain file inside it");

    private async Task Copy(Stream from, Stream to, CancellationToken cancellation)
    {
        byte[] buffer = new byte[1 << 16];
        int count;
        while ((count = await from.ReadAsync(buffer, cancellation)) > 0)
        {
            taken += count;
            if (taken > most) throw new ServerException(StatusCodes.Status413PayloadTooLarge, $"the upload is larger than the {most:N0} bytes that an adapter may have");
            try
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
            }
            catch (Exception e) when (IsOfDisk(e))
            {
                throw NotWritten(e);
            }
        }
    }
}
