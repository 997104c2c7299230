namespace LoRA2.Native.Cli.Text;

/// <summary>The note that texts were too long.</summary>
internal static class CutNote
{
    /// <summary>Says how many texts were cut; nothing when none was.</summary>
    public static void Write(TextWriter error, int cut, int maxLength)
    {
        if (cut > 0) error.WriteLine($"lora2: note: {cut:N0} {(cut == 1 ? "text was" : "texts were")} longer than {maxLength} tokens and cut there");
    }
}
