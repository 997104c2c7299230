using LoRA2.Native.Files;

namespace LoRA2.Native.Inference;

/// <summary>A text for one of an <see cref="AdapterHost"/>'s adapters.</summary>
/// <param name="Adapter">The adapter's name; null for the model without one, by the head of its own folder.</param>
/// <param name="Text">The text.</param>
/// <param name="Pair">A second text, or null.</param>
public readonly record struct AdapterRequest(string? Adapter, string Text, string? Pair = null);

/// <summary>What came of one <see cref="AdapterRequest"/>: a prediction, a vector, or why there is neither.</summary>
/// <param name="Prediction">What the adapter says of the text; null where it makes vectors.</param>
/// <param name="Vector">The text's vector, of an adapter that was trained to make them; else null.</param>
/// <param name="Error">Why there is no answer; null when there is one.</param>
/// <param name="Version">Which version of the adapter answered (<see cref="HostedAdapter.Version"/>); 0 for the model without one.</param>
public sealed record AdapterAnswer(Prediction? Prediction, TextVector? Vector, InputException? Error, long Version);
