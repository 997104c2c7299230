using System.Runtime.InteropServices;
using LoRA2.Native.Cuda.Driver;
using LoRA2.Native.Cuda.Launching;
using LoRA2.Native.Tensors;
using LoRA2.Native.Tensors.Cpu.Optimisers;
using LoRA2.Native.Tensors.Devices;
using LoRA2.Native.Tensors.LowRank;

namespace LoRA2.Native.Cuda.Operations;

/// <content>Importances of singular values, and their pruning.</content>
internal sealed unsafe partial class CudaKernels
{
    private readonly DeviceTable scored = new(device);
    private readonly DeviceTable pruned = new(device);

    public override void ImportanceScores(ReadOnlySpan<ImportanceScorer> scorers, Tensor scores)
    {
        RequireFloat64(nameof(ImportanceScores), scores);
        int terms = 0, widest = 0;
        foreach (ImportanceScorer scorer in scorers)
        {
            terms += scorer.Terms.Length;
            widest = Math.Max(widest, scorer.Rank);
        }

        if (widest == 0) return;
        int first = scorers.Length * sizeof(ScorerRecord);
        Span<byte> table = scored.Next(first + (terms * sizeof(TermRecord)));
        Span<ScorerRecord> records = MemoryMarshal.Cast<byte, ScorerRecord>(table[..first]);
        Span<TermRecord> termRecords = MemoryMarshal.Cast<byte, TermRecord>(table[first..]);
        int term = 0, score = 0;
        for (int i = 0; i < scorers.Length; i++)
        {
            records[i] = new ScorerRecord(term, scorers[i].Terms.Length, scorers[i].Rank, score);
            score += scorers[i].Rank;
            foreach (ScoreTerm of in scorers[i].Terms)
            {
                RequireFloat32(nameof(ImportanceScores), of.Average, of.Uncertainty);
                termRecords[term++] = new TermRecord((ulong)of.Average.Address, (ulong)of.Uncertainty.Address, of.Length, of.Along, of.Next, of.Divisor);
            }
        }

        Address there = scored.Put();
        launch.Importance.Scores(new Grid3(widest, scorers.Length), RowThreads, there, there + first, scores);
    }

    public override void Prune(ReadOnlySpan<Tensor> tensors, Tensor kept)
    {
        RequireFloat32(nameof(Prune), tensors);
        RequireInt32(nameof(Prune), kept);
        int pieces = Pieces(tensors, pruned);
        if (pieces > 0) launch.Importance.Prune(pieces, RowThreads, pruned.Put(), kept);
    }

    /// <summary>A scorer as the kernel reads it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 16)]
    private readonly record struct ScorerRecord(int FirstTerm, int Terms, int Rank, int FirstScore);

    /// <summary>A term as the kernel reads it.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 32)]
    private readonly record struct TermRecord(ulong Average, ulong Uncertainty, int Length, int Along, int Next, int Divisor);
}
