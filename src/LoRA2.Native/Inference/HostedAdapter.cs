using LoRA2.Native.Adapters;

namespace LoRA2.Native.Inference;

/// <summary>What an <see cref="AdapterHost"/> tells of an adapter.</summary>
/// <param name="Name">The name that requests call it by.</param>
/// <param name="Folder">Where it was read.</param>
/// <param name="Task">What it predicts.</param>
/// <param name="Settings">Its method and targets, and <see cref="AdapterSettings.Warnings"/>.</param>
/// <param name="MaxLength">Tokens after which its inputs are cut.</param>
/// <param name="Bytes">Bytes of its tensors, adapters and head.</param>
/// <param name="Version">Another number for every adapter that was ever put here: a replaced one has a higher one.</param>
/// <param name="IsResident">Whether it is in memory; else the next request loads it.</param>
/// <param name="SharesBatches">Whether its rows are computed together with other adapters'; one that changes the encoder beside its linear layers (BitFit) is computed by itself.</param>
public sealed record HostedAdapter(string Name, string Folder, TaskDescription Task, AdapterSettings Settings, int MaxLength, long Bytes, long Version, bool IsResident, bool SharesBatches);
