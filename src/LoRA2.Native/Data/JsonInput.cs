using System.Text.Json;
using LoRA2.Native.Files;

namespace LoRA2.Native.Data;

/// <summary>A JSON file of the user's own beside the data.</summary>
internal static class JsonInput
{
    /// <summary>Reads it.</summary>
    /// <exception cref="InputException">The file is missing or is not JSON in UTF-8.</exception>
    public static T Read<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(RegularFile.ReadAllBytes(path));
            return read(document.RootElement);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"'{path}' does not exist, expected a JSON file", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: the file can't be read ({e.Message.TrimEnd('.')})", e);
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}: not valid JSON (line {e.LineNumber + 1}), at byte {e.BytePositionInLine + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InputException($"{path}: a string or name is not valid Unicode; JSON in UTF-8 was expected", e);
        }
    }
}
