namespace LoRA2.Native.Cli;

/// <summary>The model and data that come with the command: what <c>lora2 finetune</c> works on when it is told nothing.</summary>
internal static class QuickStart
{
    /// <summary>What an adapter's config calls the embedded model, wherever the tool is installed.</summary>
    public const string ModelName = "quick-start";

    /// <summary>Tickets that are in neither split, to show predictions of.</summary>
    public static readonly string[] Examples =
    [
        "I was charged twice for the same invoice this month.",
        "The tracking page says delivered, but my parcel never came.",
        "The app crashes every time I open the settings.",
        "Please end my subscription at the end of June.",
        "It would be great if the calendar could be exported.",
    ];

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "QuickStart");

    public static string Model => Path.Combine(Folder, "all-minilm-l6-v2");

    public static string Train => Path.Combine(Folder, "tickets.train.tsv");

    public static string Development => Path.Combine(Folder, "tickets.dev.tsv");
}
