using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoRA2.Native.Experiments;

/// <summary>How this library's JSON files are written.</summary>
internal static class JsonFormat
{
    /// <summary>Over several lines, characters beyond ASCII as they are.</summary>
    public static JsonWriterOptions Indented { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };
}
