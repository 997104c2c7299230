using LoRA2.Native.Files;

namespace LoRA2.Native.Inference;

/// <summary>A text for one of an <see cref="AdapterHost"/>'s adapters.</summary>
/// <param name="Adapter">The adapter's name; null for the model without one: by the head of its own folder, or as a vector where it has none but a pooling.</param>
/// <param name="Text">The text.</param>
/// <param name="Pair">A second text, or null.</param>
public readonly record struct AdapterRequest(string? Adapter, string Text, string? Pair = null);

/// <summary>What came of one <see cref="AdapterRequest"/>: a prediction, a vector, or why there is neither.</summary>
/// <param name="Prediction">What the adapter says of the text; null where it makes vectors.</param>
/// <param name="Vector">The text's vector, of an adapter that was trained to make them; else null.</param>
/// <param name="Error">Why there is no answer; null when there is one.</param>
/// <param name="Version">Which version of the adapter answered (<see cref="HostedAdapter.Version"/>); 0 for the model without one.</param>
public sealed record AdapterAnswer(Prediction? Prediction, TextVector? Vector, InputException? Error, long Version);

/// <summary>A text as tokens, for a version of an adapter.</summary>
/// <param name="Adapter">Who answers.</param>
/// <param name="Ids">Token ids, special ones included, at most <see cref="AdapterLease.MaxLength"/>.</param>
/// <param name="TypeIds">The segment of each.</param>
public readonly record struct AdapterTokens(AdapterLease Adapter, IReadOnlyList<int> Ids, IReadOnlyList<int> TypeIds);

/// <summary>What came of one <see cref="AdapterTokens"/>.</summary>
/// <param name="Values">The head's outputs, logits or a vector; empty where there is an error.</param>
/// <param name="Error">Why there are none; null when there are.</param>
public readonly record struct AdapterOutput(float[] Values, InputException? Error);
