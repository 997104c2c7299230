namespace LoRA2.Native.Training;

/// <summary>A data set of queries with documents, of which those of one query are compared with each other.</summary>
internal sealed class RankedDataset(TokenizedExamples examples, int[] queries) : TokenizedDataset(examples)
{
    /// <summary>The number of each example's query, the same for all with the same one.</summary>
    public IReadOnlyList<int> Queries => queries;
}
