namespace LoRA2.Native.Hosting;

/// <summary>How a call to a <see cref="TextService"/> is to be answered; what is left out is as the model and the service have it.</summary>
public sealed record TextRequest
{
    /// <summary>The adapter that answers; null for the model alone.</summary>
    public string? Adapter { get; init; }

    /// <summary>The name of the prompt that is put before each text, for vectors; null for the model's default prompt.</summary>
    public string? Prompt { get; init; }

    /// <summary>Whether a text that is too long is cut; else it is refused.</summary>
    public bool Truncates { get; init; } = true;

    /// <summary>The longest time until the answer; null for <see cref="LoRA2Options.Deadline"/>.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Whether vectors have the length 1; null for what the model's folder says.</summary>
    public bool? Normalises { get; init; }

    /// <summary>Dimensions that are kept of a vector, the first ones; null for all.</summary>
    public int? Dimensions { get; init; }
}
